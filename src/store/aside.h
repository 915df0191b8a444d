// Databases that are kept, not used: copies made before a migration, and those moved out of the
// way because they are damaged or belong to another key file.
#pragma once

#include <string>

#include "base/error.h"

namespace SQLite {
class Database;
}

namespace wesher::store {

/// How many databases that were moved aside are kept; architecture: three.
inline constexpr std::size_t kAsideKept = 3;

/// Renames the database to `<path>.aside-<n>`, its -wal and -shm with it so that it can still be
/// read, n being one above the highest there; removes all but the newest kAsideKept. Nobody may
/// have it open for writing. Gives the new path.
[[nodiscard]] Result<std::string> move_aside(const std::string& path);

/// Copies the open database at `path` to `<path>.v<version>`, durably and 0600; an older copy of
/// that name is replaced at the end only. Throws SQLite::Exception for what SQLite refuses.
[[nodiscard]] Result<void> keep_copy(SQLite::Database& db, const std::string& path, int version);

}  // namespace wesher::store
