// Opening the database: create, migrate, move aside, refuse. SQL of the program is in repository.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace SQLite {
class Database;
}

namespace wesher::store {

struct SchemaSource;

/// How long a connection waits for a lock of another one before it gives Errc::busy.
inline constexpr int kBusyTimeoutMs = 2000;

/// An open database of the newest schema version. One thread at a time uses it.
class Database {
 public:
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  /// For the daemon, which holds the interface lock: creates, migrates (after a copy
  /// `<file>.v<N>`), moves a corrupt or foreign one aside (`<file>.aside-<n>`, 3 kept). WAL,
  /// synchronous=NORMAL, 0600. Errc::state_unusable: made by a newer version (both named), or
  /// not writable, with the path and remedy.
  struct Opened;
  [[nodiscard]] static Result<Opened> open_for_daemon(const std::string& path,
                                                      const std::string& key_file_id);
  /// The same with other tables than the program's (store/schema.h).
  [[nodiscard]] static Result<Opened> open_for_daemon(const std::string& path,
                                                      const std::string& key_file_id,
                                                      const SchemaSource& source);
  /// The same again, when the file was deleted, replaced or found damaged under this connection:
  /// ends it, whatever comes, and opens what is there now. The log of a file that is no longer
  /// there is thrown away: SQLite would put its pages over those of the new one. After a failure
  /// `still_there` is false, so that it is tried again.
  [[nodiscard]] Result<Opened> open_again(const std::string& key_file_id);
  /// For commands: never creates or migrates. Errc::not_found: none there. Errc::state_unusable:
  /// another version, with the remedy. Errc::not_permitted: say sudo.
  enum class Access : bool { read, write };
  [[nodiscard]] static Result<Database> open_for_command(const std::string& path, Access access);

  /// Whether the file under the path is still the one that was opened (inode and device); true
  /// when that can't be told.
  [[nodiscard]] bool still_there() const;
  /// Whether what can be read of the file is damaged. Reads all of it.
  [[nodiscard]] bool is_damaged();
  /// PRAGMA data_version: changes when another connection committed. -1 when it can't be read;
  /// the next query says why.
  [[nodiscard]] std::int64_t data_version();

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] SQLite::Database& sqlite() { return *db_; }

 private:
  Database(std::string path, std::unique_ptr<SQLite::Database> db);
  std::string path_;
  std::unique_ptr<SQLite::Database> db_;
  bool seen_ = true;  ///< false: which file was opened could not be told
  std::uint64_t inode_ = 0;
  std::uint64_t device_ = 0;
};

struct Database::Opened {
  Database database;
  bool fresh = false;  ///< created now: adopt mode
  std::string notice;  ///< one line for the log when something was moved aside or migrated
};

}  // namespace wesher::store
