#include "store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "store/files.h"
#include "store/open.h"
#include "store/schema.h"
#include "store/sql.h"

namespace wesher::store {

Database::Database(std::string path, std::unique_ptr<SQLite::Database> db)
    : path_(std::move(path)), db_(std::move(db)) {
  if (const auto facts = look_at(path_); facts && *facts) {
    inode_ = (*facts)->inode;
    device_ = (*facts)->device;
  }
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

bool Database::still_there() const {
  const auto facts = look_at(path_);
  return facts && *facts && (*facts)->inode == inode_ && (*facts)->device == device_;
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

Result<Database> Database::open_for_command(const std::string& path, Access access) {
  auto db = connect_for_command(path, access == Access::write);
  if (!db) return tl::unexpected(db.error());
  return Database(path, std::move(*db));
}

}  // namespace wesher::store
