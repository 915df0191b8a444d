#include "store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "store/connection.h"
#include "store/files.h"
#include "store/open.h"
#include "store/schema.h"
#include "store/sql.h"

namespace wesher::store {

Database::Database(std::string path, std::unique_ptr<SQLite::Database> db)
    : path_(std::move(path)), db_(std::move(db)) {
  const auto facts = look_at(path_);
  seen_ = facts.has_value();
  if (facts && *facts) {
    inode_ = (*facts)->inode;
    device_ = (*facts)->device;
  }
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

bool Database::still_there() const {
  const auto facts = look_at(path_);
  // It can't be told, now or when it was opened: whoever uses it next will hear why.
  if (!facts || !seen_) return true;
  return *facts && (*facts)->inode == inode_ && (*facts)->device == device_;
}

bool Database::is_damaged() {
  try {
    return db_->execAndGet("PRAGMA quick_check(1)").getString() != "ok";
  } catch (const SQLite::Exception& e) {
    return is_damage(e);
  }
}

std::int64_t Database::data_version() {
  const auto version = guarded(path_, [&]() -> Result<std::int64_t> {
    return db_->execAndGet("PRAGMA data_version").getInt64();
  });
  return version.value_or(-1);
}

Result<Database::Opened> Database::open_for_daemon(const std::string& path,
                                                   const std::string& key_file_id) {
  return open_for_daemon(path, key_file_id, embedded_source());
}

Result<Database::Opened> Database::open_for_daemon(const std::string& path,
                                                   const std::string& key_file_id,
                                                   const SchemaSource& source) {
  auto prepared = prepare_for_daemon(path, key_file_id, source);
  if (!prepared) return tl::unexpected(prepared.error());
  return Opened{Database(path, std::move(prepared->db)), prepared->fresh,
                std::move(prepared->notice)};
}

Result<Database::Opened> Database::open_again(const std::string& key_file_id) {
  const bool replaced = !still_there();
  const auto closed = guarded(path_, [&]() -> Result<void> {
    db_ = connect(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    return {};
  });
  if (!closed) return tl::unexpected(closed.error());
  inode_ = 0;
  seen_ = true;
  for (const char* log : {"-wal", "-shm"}) {
    if (!replaced) break;
    if (auto removed = remove_file(path_ + log); !removed) return tl::unexpected(removed.error());
  }
  return open_for_daemon(path_, key_file_id);
}

Result<Database> Database::open_for_command(const std::string& path, Access access) {
  auto db = connect_for_command(path, access == Access::write);
  if (!db) return tl::unexpected(db.error());
  return Database(path, std::move(*db));
}

}  // namespace wesher::store
