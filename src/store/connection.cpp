#include "store/connection.h"

#include <cerrno>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "os/calls.h"
#include "os/files.h"
#include "store/database.h"
#include "store/files.h"

namespace wesher::store {

std::unique_ptr<SQLite::Database> connect(const std::string& name, int flags) {
  auto db = std::make_unique<SQLite::Database>(name, flags, kBusyTimeoutMs);
  // The file is input: a schema in it may not call functions with side effects, nor be edited.
  sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  db->exec("PRAGMA cell_size_check = ON");
  db->exec("PRAGMA synchronous = NORMAL");
  db->exec("PRAGMA temp_store = MEMORY");
  db->exec("PRAGMA foreign_keys = ON");
  return db;
}

Stamp stamp_of(SQLite::Database& db) {
  return {db.execAndGet("PRAGMA application_id").getInt(),
          db.execAndGet("PRAGMA user_version").getInt(),
          db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() > 0};
}

Error newer_version(const std::string& path, int found, int known) {
  return {Errc::state_unusable,
          fmt::format("{} was made by a newer wesher (schema {}, this one knows {}); install that "
                      "version again, or reset with: {}",
                      path, found, known, reset_command(path))};
}

int why_not_writable(const std::string& path) {
  for (const std::string& place : {path, os::directory_of(path)}) {
    if (os::access(place, W_OK) != 0) return errno;
  }
  return 0;
}

}  // namespace wesher::store
