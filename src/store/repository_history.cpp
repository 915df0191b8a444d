// What happened, and what others changed: the questions that people ask of the database.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "store/repository.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

/// Objects of a member are named by its printable name. A name longer than is ever shown is
/// followed by the peer's key, as plan::object_of writes it, so the text goes on behind a blank.
constexpr std::string_view kOfNode =
    "(object IN ('member ' || ?1, 'member ' || ?2, 'peer ' || ?2)"
    " OR (?3 AND substr(object, 1, length(?2) + 6) = 'peer ' || ?2 || ' '))";

HistoryEntry read_entry(RowReader& row) {
  HistoryEntry entry;
  entry.id = row.integer();
  entry.at = row.time();
  entry.object = row.text();
  entry.what = row.text();
  entry.reason = row.text();
  return entry;
}

DriftRow read_drift(RowReader& row) {
  DriftRow drift;
  drift.object = row.text();
  drift.what = row.text();
  drift.reason = row.text();
  drift.count = row.integer<std::uint64_t>();
  drift.at = row.time();
  if (row.next_is_null()) {
    row.skip(1);
  } else {
    drift.repaired = std::chrono::milliseconds{row.integer()};
  }
  drift.fighting = row.flag();
  return drift;
}

}  // namespace

Result<std::vector<HistoryEntry>> Repository::history(const HistoryQuery& query) {
  return guarded(db_.path(), [&]() -> Result<std::vector<HistoryEntry>> {
    const std::string of_node = query.node.empty() ? "1" : std::string(kOfNode);
    SQLite::Statement get(db_.sqlite(),
                          fmt::format("SELECT id, at_ms, object, what, reason FROM history"
                                      " WHERE {} AND at_ms >= ?4 ORDER BY id DESC LIMIT ?5",
                                      of_node));
    Binder(get)
        .text(query.node)
        .text(printable(query.node))
        .flag(query.node.size() > kShownTextMax)
        .time(query.since.value_or(WallTime::min()))
        .integer(static_cast<std::int64_t>(std::min(query.newest_max, kHistoryRowsMax)));
    std::vector<HistoryEntry> found;
    while (get.executeStep()) {
      RowReader row(get);
      found.push_back(read_entry(row));
    }
    return found;
  });
}

Result<std::vector<DriftRow>> Repository::drift() {
  return guarded(db_.path(), [&]() -> Result<std::vector<DriftRow>> {
    SQLite::Statement get(db_.sqlite(),
                          "SELECT object, what, reason, count, at_ms, repaired_ms, fighting"
                          " FROM drift ORDER BY at_ms DESC, object");
    std::vector<DriftRow> found;
    while (get.executeStep()) {
      RowReader row(get);
      found.push_back(read_drift(row));
    }
    return found;
  });
}

}  // namespace wesher::store
