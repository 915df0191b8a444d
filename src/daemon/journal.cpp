#include "daemon/journal.h"

#include <fmt/format.h>

namespace wesher::daemon {

namespace {

/// History that waits for a database that can't be written is bounded.
constexpr std::size_t kHistoryWaitingMax = 1000;

}  // namespace

Journal::Journal(store::Database database,
                 store::Paths paths,
                 std::string key_file_id,
                 std::map<std::string, std::string> options,
                 Log& log)
    : database_(std::move(database)),
      paths_(std::move(paths)),
      key_file_id_(std::move(key_file_id)),
      options_(std::move(options)),
      log_(log),
      repository_(database_) {}

void Journal::rows_changed(const plan::RowChanges& rows, const Desired& now) {
  if (whole_desired_ || rows.empty()) return;
  store::DesiredChange change;
  change.generation = ++generation_;
  change.interface = now.interface;
  change.hosts = now.hosts;
  change.own_name = now.own_name;
  for (const auto& [name, row] : rows) {
    if (row.after) {
      change.put.push_back(*row.after);
    } else {
      change.gone.push_back(name);
    }
  }
  if (batch_.desired) {
    // An earlier change has not been stored yet: rather than to merge, compare.
    whole_desired_ = true;
    batch_.desired.reset();
  } else {
    batch_.desired = std::move(change);
  }
}

bool Journal::failed(const Error& error) {
  problem_ = error.detail;
  // A file system that turned read-only is told by the same code, and is no damage.
  damaged_ = error.code == Errc::state_unusable && database_.is_damaged();
  log_.line(LogLevel::error, "database", "database: " + error.detail);
  whole_desired_ = true;
  whole_members_ = true;
  batch_.desired.reset();
  batch_.members.clear();
  if (batch_.health.size() > store::kHealthRowsMax) batch_.health.clear();
  if (batch_.drift.size() > store::kDriftRowsMax) batch_.drift.clear();
  if (batch_.history.size() > kHistoryWaitingMax) {
    batch_.history.erase(batch_.history.begin(), batch_.history.end() - kHistoryWaitingMax);
  }
  return false;
}

bool Journal::write(const plan::DesiredTable& table) {
  if (!database_.still_there()) return false;
  if (whole_members_) {
    batch_.members.clear();
    for (const auto& [name, member] : table.members())
      batch_.members.push_back(member);
  }
  if (!batch_.empty()) {
    if (const auto written = repository_.write(batch_); !written) return failed(written.error());
    batch_ = {};
    whole_members_ = false;
  }
  if (whole_desired_ && !write_whole_desired(table.desired())) return false;
  if (!problem_.empty()) log_.info("the state is stored again");
  problem_.clear();
  return true;
}

bool Journal::write_whole_desired(const Desired& desired) {
  const auto generation = repository_.put_desired(desired);
  if (!generation) return failed(generation.error());
  generation_ = *generation;
  whole_desired_ = false;
  return true;
}

bool Journal::replace_vanished(const store::SelfRow& self) {
  const bool there = database_.still_there();
  if (there && !damaged_) return false;
  auto opened = database_.open_again(key_file_id_);
  if (!opened) {
    failed(opened.error());
    return false;
  }
  log_.lifecycle(!opened->notice.empty()
                     ? opened->notice
                     : fmt::format("{} {}: opened again", paths_.database(),
                                   there ? "was damaged" : "was deleted or replaced"));
  damaged_ = false;
  database_ = std::move(opened->database);
  (void)repository_.set_adopting(true);
  (void)repository_.put_options(options_);
  batch_.self = self;
  batch_.forgotten.clear();
  whole_desired_ = true;
  whole_members_ = true;
  return true;
}

}  // namespace wesher::daemon
