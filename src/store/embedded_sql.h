#pragma once

#include <span>
#include <string_view>

namespace wesher::store {

struct Migration {
  int version;  ///< `PRAGMA user_version` after this step; dense from 1.
  std::string_view name;
  std::string_view sql;
};

/// Text of schema/schema.sql: the whole schema at the newest version.
std::string_view embedded_schema();

/// migrations/*.sql, oldest first, versions 1..N without a gap.
std::span<const Migration> embedded_migrations();

}  // namespace wesher::store
