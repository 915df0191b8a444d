#include "store/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "store/sql.h"

namespace wesher::store {

namespace {

void set_version(SQLite::Database& db, int version) {
  db.exec(fmt::format("PRAGMA user_version = {}", version));
}

/// Where the comment or quoted text that begins at `i` ends; `i` itself if none begins there.
std::size_t end_of_comment(std::string_view sql, std::size_t i) {
  if (sql.substr(i, 2) == "--") return std::min(sql.find('\n', i), sql.size());
  if (sql.substr(i, 2) == "/*") {
    const auto end = sql.find("*/", i + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  return i;
}

std::string normalized(std::string_view sql) {
  std::string out;
  bool in_literal = false;
  for (std::size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (c == '\'') in_literal = !in_literal;  // a doubled quote inside toggles twice
    if (!in_literal) {
      if (const auto end = end_of_comment(sql, i); end != i) {
        i = end;
        continue;
      }
      if (std::string_view(" \t\r\n\"`[]").find(c) != std::string_view::npos) {
        ++i;
        continue;
      }
    }
    out.push_back(c);
    ++i;
  }
  return out;
}

}  // namespace

SchemaSource embedded_source() {
  return {embedded_schema(), embedded_migrations()};
}

void create_tables(SQLite::Database& db,
                   const SchemaSource& source,
                   const std::string& key_file_id) {
  WriteTransaction transaction(db);
  db.exec(std::string(source.schema));
  SQLite::Statement meta(db, "INSERT INTO meta (one, key_file_id, adopting) VALUES (1, ?, 1)");
  Binder(meta).text(key_file_id).run();
  db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  set_version(db, source.newest());
  transaction.commit();
}

void run_migrations(SQLite::Database& db, std::span<const Migration> migrations, int from) {
  for (const Migration& step : migrations) {
    if (step.version <= from) continue;
    WriteTransaction transaction(db);
    db.exec(std::string(step.sql));
    set_version(db, step.version);
    transaction.commit();
  }
}

std::string schema_text(SQLite::Database& db) {
  SQLite::Statement rows(db,
                         "SELECT type, name, tbl_name, sql FROM sqlite_schema"
                         " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name");
  std::string out;
  while (rows.executeStep()) {
    RowReader row(rows);
    const std::string type = row.text();
    const std::string name = row.text();
    const std::string table = row.text();
    out += fmt::format("{} {} {} {}\n", type, name, table, normalized(row.text()));
  }
  return out;
}

std::string expected_schema_text(std::string_view schema) {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec(std::string(schema));
  return schema_text(db);
}

}  // namespace wesher::store
