// `wesher history`: what happened, newest first. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/facts.h"
#include "cli/json.h"

namespace wesher::cli {

/// Entries shown when neither --limit nor --since says how many.
inline constexpr std::size_t kHistoryLimit = 50;

struct HistoryReport {
  std::string interface;
  WallTime now{};
  std::optional<WallTime> since;
  std::string node;  ///< as it was asked for; empty: all
  std::vector<store::HistoryEntry> entries;
  bool more = false;  ///< older entries that were asked for are left out by the limit
};

/// Whether an object of history is this host's own affair: its daemon, link, device and address.
[[nodiscard]] bool is_own_object(std::string_view object);

/// Keeps the newest `limit` entries of a longer list and notes that there were more.
void keep_newest(HistoryReport& report, std::size_t limit);

/// A table of age, object, what and why; a sentence when nothing is there.
[[nodiscard]] std::string history_text(const HistoryReport& report);
/// Schema wesher.history/1, with exact times.
[[nodiscard]] std::string history_json(const HistoryReport& report);

/// The rows of such a table, without a heading.
[[nodiscard]] std::vector<std::vector<std::string>> history_rows(
    const std::vector<store::HistoryEntry>& entries, WallTime now);
[[nodiscard]] Json history_array(const std::vector<store::HistoryEntry>& entries);
[[nodiscard]] Json drift_json(const store::DriftRow& row);

}  // namespace wesher::cli
