// What came of a pass: results into the database, the log, and the accounts of drift.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/reconcile_core.h"

namespace wesher::daemon {

namespace {

bool includes(const std::vector<store::AppliedObject>& objects, const std::string& object) {
  return std::any_of(objects.begin(), objects.end(),
                     [&](const store::AppliedObject& is) { return is.object == object; });
}

template <class... Kinds>
bool is_one_of(const plan::Action& action) {
  return (std::holds_alternative<Kinds>(action.what) || ...);
}

/// What the kernel takes away when a link is set down.
bool goes_with_up(const plan::Action& action) {
  return is_one_of<plan::AddRoute, plan::AddAddress>(action);
}

/// What is lost with a link; but the link itself, which is found missing, and the hosts file.
bool goes_with_link(const plan::Action& action) {
  return !is_one_of<plan::CreateLink, plan::WriteHosts>(action);
}

}  // namespace

void ReconcileCore::note_lost_link(const std::vector<plan::Action>& actions) {
  link_made_ = std::any_of(actions.begin(), actions.end(), is_one_of<plan::CreateLink>);
  link_raised_ = std::any_of(actions.begin(), actions.end(), is_one_of<plan::SetLinkUp>);
}

/// Whether the action repairs what others did: it follows from no change of desired state nor from
/// another repair, it is no second attempt, and it is not WireGuard's own learning.
bool ReconcileCore::is_drift(const plan::Action& action) const {
  if (link_made_ && goes_with_link(action)) return false;
  if (link_raised_ && goes_with_up(action)) return false;
  if (expect_all_ || failing_.contains(plan::object_of(action))) return false;
  if (const auto* update = std::get_if<plan::UpdatePeer>(&action.what)) {
    if (!update->allowed && !update->keepalive_s) return false;
  }
  return !touched_.covers(action);
}

void ReconcileCore::hold_back_fights(std::vector<plan::Action>& actions, Instant at) {
  std::erase_if(actions, [&](const plan::Action& action) {
    return is_drift(action) && !drift_.may_repair(plan::object_of(action), at);
  });
  // What can't be there without the link waits with it.
  const bool lost =
      link_made_ && std::none_of(actions.begin(), actions.end(), is_one_of<plan::CreateLink>);
  const bool down =
      link_raised_ && std::none_of(actions.begin(), actions.end(), is_one_of<plan::SetLinkUp>);
  if (lost) std::erase_if(actions, goes_with_link);
  if (down) std::erase_if(actions, goes_with_up);
  if (const auto next = drift_.next_repair(at)) due_for_all(*next);
}

void ReconcileCore::note_drift(const plan::Action& action, bool repaired, const Moment& moment) {
  const std::string object = plan::object_of(action);
  const bool fight_begins = drift_.repaired(object, moment.at);
  if (drift_rows_.size() >= store::kDriftRowsMax && !drift_rows_.contains(object)) {
    drift_rows_.erase(
        std::min_element(drift_rows_.begin(), drift_rows_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  }
  const auto [it, fresh] = drift_rows_.try_emplace(object);
  store::DriftRow& row = it->second;
  row.object = object;
  row.what = plan::lines_of(action).front();
  row.reason = action.reason;
  row.count = fresh ? 1 : row.count + 1;
  row.at = moment.wall;
  row.repaired.reset();
  if (repaired) {
    const Duration took = moment.at - noticed_.value_or(last_pass_);
    row.repaired = std::chrono::duration_cast<std::chrono::milliseconds>(took);
  }
  row.fighting = drift_.is_fought_over(object);
  journal_.batch().drift.push_back(row);
  if (!fight_begins) return;
  log_.warn(fmt::format(
      "{} is changed back again and again ({}): something else on this host manages it, perhaps "
      "NetworkManager, systemd-networkd or a script. It is repaired with growing pauses, up to 5m",
      object, row.what));
  journal_.batch().history.push_back(
      {0, moment.wall, object, "fought over", "changed back more than 10 times in a minute"});
}

void ReconcileCore::end_fights(Instant at) {
  for (const std::string& object : drift_.settle(at)) {
    const auto it = drift_rows_.find(object);
    if (it == drift_rows_.end()) continue;
    it->second.fighting = false;
    journal_.batch().drift.push_back(it->second);
    journal_.batch().history.push_back(
        {0, clock_().wall, object, "left in peace", "nobody changes it back any more"});
    due_for_change(at);
  }
}

/// One result into log, history and the accounts of drift; gives the object's report.
store::AppliedObject ReconcileCore::note_result(const plan::Action& action,
                                                const Result<void>& result,
                                                const Moment& moment) {
  auto& batch = journal_.batch();
  const std::string object = plan::object_of(action);
  const bool ok = result.has_value();
  const bool drift = is_drift(action);
  std::string detail = ok ? "" : result.error().detail;
  const auto before = failing_.find(object);
  const std::uint32_t attempts = ok || before == failing_.end() ? 1 : before->second + 1;
  const std::string reason = (drift ? "drift: " : "") + action.reason;
  for (const std::string& line : plan::lines_of(action)) {
    if (ok) {
      log_.line(drift ? LogLevel::warn : LogLevel::info, drift ? "drift" : "",
                line + "  " + reason);
      batch.history.push_back({0, moment.wall, object, line, reason});
    } else {
      log_.line(LogLevel::warn, "apply " + object, line + ": " + detail);
      if (attempts == 1) {
        batch.history.push_back({0, moment.wall, object, line + ": failed", detail});
      }
    }
  }
  if (drift) {
    note_drift(action, ok, moment);
  } else if (const auto row = drift_rows_.find(object);
             ok && row != drift_rows_.end() && !row->second.repaired) {
    row->second.repaired =
        std::chrono::duration_cast<std::chrono::milliseconds>(moment.wall - row->second.at);
    batch.drift.push_back(row->second);
  }
  return {object, ok, std::move(detail), moment.wall, attempts};
}

void ReconcileCore::settle(const std::vector<plan::Action>& actions,
                           const Results& results,
                           bool complete) {
  begin_sessions(actions, results);
  const Moment moment = clock_();
  std::map<std::string, std::uint32_t> failing;
  std::vector<store::AppliedObject> objects;
  for (std::size_t i = 0; i < results.size(); ++i) {
    objects.push_back(note_result(actions[i], results[i], moment));
    if (!objects.back().ok) failing[objects.back().object] = objects.back().attempts;
  }
  // What failed before and needs no action any more came in order without us, or is not wanted now.
  for (const auto& [object, attempts] : failing_) {
    if (!complete || includes(objects, object)) continue;
    objects.push_back({object, true, {}, moment.wall, 1});
  }
  failing_ = std::move(failing);
  in_order_ = failing_.empty() && complete && !drift_.next_repair(moment.at);
  if (failing_.empty() && complete) {
    retry_.reset();
  } else {
    due_for_all(moment.at + retry_.next(rng_));
  }
  if (!leaving_.empty()) due_for_change(removal_due_);

  const bool reached = leaving_.empty() && reported_generation_ != journal_.generation();
  if (!objects.empty() || reached) {
    const auto generation = leaving_.empty() ? journal_.generation() : reported_generation_;
    journal_.batch().applied = store::AppliedChange{generation, moment.wall, std::move(objects)};
    if (journal_.write(table_)) reported_generation_ = generation;
  }
  notifier_.status(status_line());
}

/// Results of a change of the own address: nothing else was looked at, so what failed before is
/// as it was.
void ReconcileCore::settle_own(const std::vector<plan::Action>& actions, const Results& results) {
  const Moment moment = clock_();
  const auto before = std::exchange(expect_all_, true);  // ours, whatever the device shows
  std::vector<store::AppliedObject> objects;
  for (std::size_t i = 0; i < results.size(); ++i) {
    objects.push_back(note_result(actions[i], results[i], moment));
    const store::AppliedObject& object = objects.back();
    if (object.ok) {
      failing_.erase(object.object);
    } else {
      failing_[object.object] = object.attempts;
      due_for_all(moment.at + retry_.next(rng_));
    }
  }
  expect_all_ = before;
  in_order_ = in_order_ && failing_.empty();
  const bool reached = failing_.empty() && pending_.empty() && leaving_.empty();
  const auto generation = reached ? journal_.generation() : reported_generation_;
  journal_.batch().applied = store::AppliedChange{generation, moment.wall, std::move(objects)};
  if (journal_.write(table_)) reported_generation_ = generation;
  notifier_.status(status_line());
}

void ReconcileCore::note_hosts(const ObservedHosts& hosts) {
  const std::string problem = hosts.writable || !table_.own().hosts ? "" : hosts.why_not;
  if (problem == hosts_problem_) return;
  // Lines that could not be kept while it was so are no drift.
  if (!hosts_problem_.empty()) expect_all_ = true;
  hosts_problem_ = problem;
  if (!problem.empty()) log_.warn("names of members are off: " + problem);
}

void ReconcileCore::note_ready(const Observed& before,
                               const std::vector<plan::Action>& actions,
                               const Results& results) {
  bool up = before.link.up;
  const Prefix own = Prefix::host(table_.own().interface.overlay);  // of none, nothing is there
  bool addressed =
      std::find(before.addresses.begin(), before.addresses.end(), own) != before.addresses.end();
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) continue;
    up = up || std::holds_alternative<plan::SetLinkUp>(actions[i].what);
    addressed = addressed || std::holds_alternative<plan::AddAddress>(actions[i].what);
  }
  interface_ready_ = up && addressed;
  if (interface_ready_) notifier_.ready(status_line());
}

std::string ReconcileCore::status_line() const {
  const std::string& interface = table_.own().interface.name;
  if (!parts_.self.kept_out.empty()) return "NOT IN THE MESH: " + parts_.self.kept_out;
  if (!interface_ready_) {
    return fmt::format("{} is not ready: see the log, or 'wesher status'", interface);
  }
  const std::size_t peers = table_.desired().peers.size();
  const std::string company = peers == 0 ? "alone" : fmt::format("{} peers", peers);
  std::string sync = "in sync";
  if (!failing_.empty()) sync = fmt::format("{} objects failing", failing_.size());
  if (!journal_.problem().empty()) sync += "; state is not stored: " + journal_.problem();
  return fmt::format("{} {}, {}, {}", table_.own().name, table_.own().interface.overlay.text(),
                     company, sync);
}

}  // namespace wesher::daemon
