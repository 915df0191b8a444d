// How a command opens the database: beside a running daemon or alone, never creating the file or
// changing anything but the rows that it is asked to write.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <unistd.h>

#include "store/connection.h"
#include "store/files.h"
#include "store/open.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

/// A path as a URI that SQLite reads without locks and without a write-ahead log.
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool special = c == '%' || c == '?' || c == '#';
    uri += special ? fmt::format("%{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return uri + "?immutable=1";
}

bool exists(const std::string& path) {
  const auto facts = look_at(path);
  return !facts || facts->has_value();
}

Error not_there(const std::string& path) {
  return {Errc::not_found,
          fmt::format("there is no {}: wesher has not run here for that interface", path)};
}

/// For an operator who may read, on a filesystem where nobody may write.
std::unique_ptr<SQLite::Database> connect_read_only(const std::string& path) {
  // Without a log nobody has it open, so nobody writes it: locks, which need files beside it, are
  // not needed.
  if (!exists(path + "-wal") && !exists(path + "-shm")) {
    return connect(immutable_uri(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI);
  }
  return connect(path, SQLite::OPEN_READONLY);
}

std::unique_ptr<SQLite::Database> connect_writable(const std::string& path, bool write) {
  auto db = connect(path, SQLite::OPEN_READWRITE);
  if (!write) db->exec("PRAGMA query_only = ON");
  return db;
}

Result<void> check_stamp(const Stamp& stamp, const std::string& path) {
  const int known = embedded_source().newest();
  if (stamp.is_empty()) return tl::unexpected(not_there(path));  // being made right now
  if (stamp.application != kApplicationId || stamp.version < 1) {
    return fail(Errc::state_unusable,
                path + " is not a database of wesher; the daemon moves it aside at its next start");
  }
  if (stamp.version > known) return tl::unexpected(newer_version(path, stamp.version, known));
  if (stamp.version < known) {
    return fail(
        Errc::state_unusable,
        fmt::format("{} was made by an older wesher (schema {}, this one knows {}); restart "
                    "the daemon, it brings the database up to date",
                    path, stamp.version, known));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<SQLite::Database>> connect_for_command(const std::string& path, bool write) {
  const auto facts = look_at(path);
  if (!facts) return tl::unexpected(facts.error());
  if (!*facts) return tl::unexpected(not_there(path));
  // Whoever is neither root nor the owner could leave files beside it that the daemon can't use.
  if (::geteuid() != 0 && (*facts)->owner != ::geteuid()) {
    return tl::unexpected(os_error("open", path, EACCES));
  }
  const int os_errno = why_not_writable(path);
  if (write && os_errno != 0) return tl::unexpected(os_error("write", path, os_errno));
  return guarded(path, [&]() -> Result<std::unique_ptr<SQLite::Database>> {
    auto db = os_errno == 0 ? connect_writable(path, write) : connect_read_only(path);
    if (auto known = check_stamp(stamp_of(*db), path); !known) {
      return tl::unexpected(known.error());
    }
    return db;
  });
}

}  // namespace wesher::store
