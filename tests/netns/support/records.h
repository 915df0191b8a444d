// What the daemon of a host has in its database, read as any command reads it, and rows that
// somebody else writes into it.
#pragma once

#include <optional>
#include <string>

#include "netns/support/host.h"

namespace wesher::netns {

/// A row of the table `drift`.
struct DriftSeen {
  std::string what;
  std::string reason;
  long count = 0;
  std::optional<long> repaired_ms;  ///< from the notice to the end of the last repair
  bool fighting = false;
};

/// What the daemon found changed by others on this object ("link", "hosts", "route 10.0.0.3/32").
[[nodiscard]] std::optional<DriftSeen> drift_of(const Host& host, const std::string& object);

/// How many objects have such a row.
[[nodiscard]] long drift_rows(const Host& host);

/// One line a row of history that has this text in its object, oldest first: "object | what |
/// reason".
[[nodiscard]] std::string history_of(const Host& host, const std::string& object);

/// The answer to a query with one value, as text; empty where there is no row or no database.
[[nodiscard]] std::string ask_database(const Host& host, const std::string& query);

/// Runs SQL on the daemon's database past the daemon.
void write_database(const Host& host, const std::string& sql);

}  // namespace wesher::netns
