// What both ways of opening the database share: the settings of a connection, and two answers.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace SQLite {
class Database;
}

namespace wesher::store {

/// A connection with the settings that all of ours have; `name` and `flags` as SQLite takes them
/// (never OPEN_CREATE). Throws SQLite::Exception.
[[nodiscard]] std::unique_ptr<SQLite::Database> connect(const std::string& name, int flags);

/// `PRAGMA application_id` and `user_version`, and whether there is any table.
struct Stamp {
  int application = 0;
  int version = 0;
  bool has_tables = false;

  [[nodiscard]] bool is_empty() const { return application == 0 && version == 0 && !has_tables; }
};

/// Throws SQLite::Exception.
[[nodiscard]] Stamp stamp_of(SQLite::Database& db);

/// The refusal of a database of version `found` by a program that knows up to `known`.
[[nodiscard]] Error newer_version(const std::string& path, int found, int known);

/// The errno for which the file or its directory can't be written, 0 if they can.
[[nodiscard]] int why_not_writable(const std::string& path);

}  // namespace wesher::store
