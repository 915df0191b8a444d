// The decisions behind Database::open_for_daemon and open_for_command: what lies under the path, is
// it sound, of which version, whose is it, and what follows.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "store/schema.h"

namespace wesher::store {

struct Prepared {
  std::unique_ptr<SQLite::Database> db;
  bool fresh = false;
  std::string notice;
};

/// See Database::open_for_daemon.
[[nodiscard]] Result<Prepared> prepare_for_daemon(const std::string& path,
                                                  const std::string& key_file_id,
                                                  const SchemaSource& source);

/// See Database::open_for_command. Without a writable file and directory, reading works where
/// SQLite can: with the daemon's -shm there, or with nothing in a write-ahead log.
[[nodiscard]] Result<std::unique_ptr<SQLite::Database>> connect_for_command(const std::string& path,
                                                                            bool write);

}  // namespace wesher::store
