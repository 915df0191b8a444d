#include "netns/support/records.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace wesher::netns {

namespace {

constexpr int kBusyMs = 5000;

std::string database_of(const Host& host) {
  return host.path("/var/lib/wesher/wgoverlay.db");
}

// Runs `read` on the host's database; gives back `otherwise` where it can't be read, as in the
// moment in which the daemon makes a new one.
template <class T, class Read>
T reading(const Host& host, T otherwise, const Read& read) {
  try {
    SQLite::Database database(database_of(host), SQLite::OPEN_READWRITE, kBusyMs);
    return read(database);
  } catch (const SQLite::Exception&) {
    return otherwise;
  }
}

}  // namespace

std::optional<DriftSeen> drift_of(const Host& host, const std::string& object) {
  return reading(host, std::optional<DriftSeen>{}, [&](SQLite::Database& database) {
    std::optional<DriftSeen> seen;
    SQLite::Statement row(
        database, "SELECT what, reason, count, repaired_ms, fighting FROM drift WHERE object = ?");
    row.bind(1, object);
    if (!row.executeStep()) return seen;
    seen = DriftSeen{row.getColumn(0).getString(), row.getColumn(1).getString(),
                     static_cast<long>(row.getColumn(2).getInt64()), std::nullopt,
                     row.getColumn(4).getInt() != 0};
    if (!row.getColumn(3).isNull())
      seen->repaired_ms = static_cast<long>(row.getColumn(3).getInt64());
    return seen;
  });
}

long drift_rows(const Host& host) {
  const std::string count = ask_database(host, "SELECT count(*) FROM drift");
  return count.empty() ? -1 : std::stol(count);
}

std::string history_of(const Host& host, const std::string& object) {
  return reading(host, std::string(), [&](SQLite::Database& database) {
    SQLite::Statement row(database,
                          "SELECT object || ' | ' || what || ' | ' || reason FROM history"
                          " WHERE instr(object, ?) > 0 ORDER BY id");
    row.bind(1, object);
    std::string lines;
    while (row.executeStep())
      lines += row.getColumn(0).getString() + "\n";
    return lines;
  });
}

std::string ask_database(const Host& host, const std::string& query) {
  return reading(host, std::string(), [&](SQLite::Database& database) {
    SQLite::Statement row(database, query);
    return row.executeStep() ? row.getColumn(0).getString() : std::string();
  });
}

void write_database(const Host& host, const std::string& sql) {
  SQLite::Database database(database_of(host), SQLite::OPEN_READWRITE, kBusyMs);
  database.exec(sql);
}

}  // namespace wesher::netns
