// The tables of the database as versions: made at once, or by the missing steps. What the steps are
// is an argument, so that tests can bring their own; the program's are baked in (embedded_sql.h).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/embedded_sql.h"

namespace SQLite {
class Database;
}

namespace wesher::store {

/// `PRAGMA application_id` of our databases: "wshr".
inline constexpr int kApplicationId = 0x77736872;

struct SchemaSource {
  std::string_view schema;                ///< the whole schema at the newest version
  std::span<const Migration> migrations;  ///< versions 1..N without a gap

  [[nodiscard]] int newest() const { return static_cast<int>(migrations.size()); }
};

/// What is baked into the program.
[[nodiscard]] SchemaSource embedded_source();

/// Gives an empty database its tables, application id, version and row of `meta`, in one
/// transaction. Throws SQLite::Exception.
void create_tables(SQLite::Database& db,
                   const SchemaSource& source,
                   const std::string& key_file_id);

/// Runs the steps behind version `from`, each in a transaction of its own that also sets the
/// version. Throws SQLite::Exception; the steps before the failed one stay.
void run_migrations(SQLite::Database& db, std::span<const Migration> migrations, int from);

/// The definitions of all tables and indexes, one a line, sorted, without comments, blanks and
/// quotes around names (ALTER TABLE adds those): equal for equal schemas, however they came about.
/// Throws SQLite::Exception.
[[nodiscard]] std::string schema_text(SQLite::Database& db);

/// `schema_text` of a database that was made by `schema` at once. Throws SQLite::Exception.
[[nodiscard]] std::string expected_schema_text(std::string_view schema);

}  // namespace wesher::store
