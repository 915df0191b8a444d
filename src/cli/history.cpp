#include "cli/history.h"

#include <fmt/format.h>

#include "cli/text.h"

namespace wesher::cli {

bool is_own_object(std::string_view object) {
  return object == "daemon" || object == "link" || object == "device" ||
         object == "overlay address" || object == "metadata format" ||
         object.starts_with("address ");
}

void keep_newest(HistoryReport& report, std::size_t limit) {
  report.more = report.entries.size() > limit;
  if (report.more) report.entries.resize(limit);
}

std::vector<std::vector<std::string>> history_rows(const std::vector<store::HistoryEntry>& entries,
                                                   WallTime now) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : entries) {
    rows.push_back({age_text(age_of(entry.at, now)) + " ago", single_line(entry.object),
                    single_line(entry.what), single_line(entry.reason)});
  }
  return rows;
}

std::string history_text(const HistoryReport& report) {
  if (report.entries.empty()) {
    std::string out = "nothing happened";
    if (!report.node.empty()) out += " to " + shown_name(report.node);
    if (!report.since) return out + " that history still has\n";
    return fmt::format("{} in the last {}\n", out, age_text(age_of(*report.since, report.now)));
  }
  std::string out = render_table(history_rows(report.entries, report.now));
  if (report.more) out += "older entries: --limit N shows more\n";
  return out;
}

Json history_array(const std::vector<store::HistoryEntry>& entries) {
  Json out = Json::array();
  for (const auto& entry : entries) {
    out.push_back({{"id", entry.id},
                   {"at", rfc3339(entry.at)},
                   {"object", entry.object},
                   {"what", entry.what},
                   {"reason", entry.reason}});
  }
  return out;
}

Json drift_json(const store::DriftRow& row) {
  return {{"object", row.object},
          {"what", row.what},
          {"reason", row.reason},
          {"count", row.count},
          {"at", rfc3339(row.at)},
          {"repaired_ms", row.repaired ? Json(row.repaired->count()) : Json()},
          {"fighting", row.fighting}};
}

std::string history_json(const HistoryReport& report) {
  return json_text({{"schema", "wesher.history/1"},
                    {"time", rfc3339(report.now)},
                    {"interface", report.interface},
                    {"since", json_time(report.since)},
                    {"node", report.node.empty() ? Json() : Json(shown_name(report.node))},
                    {"more", report.more},
                    {"entries", history_array(report.entries)}});
}

}  // namespace wesher::cli
