// Passes of the reconcile loop: a single change that follows from one fact, and the comparison of
// everything with everything.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/reconcile_core.h"
#include "plan/diff.h"
#include "plan/hosts.h"

namespace wesher::daemon {

namespace {

bool ends_start(const plan::Action& action) {
  return std::holds_alternative<plan::CreateLink>(action.what) ||
         std::holds_alternative<plan::ConfigureDevice>(action.what) ||
         std::holds_alternative<plan::SetLinkUp>(action.what) ||
         std::holds_alternative<plan::AddAddress>(action.what);
}

/// Whether the old row's peer or route is none of the new row.
bool leaves_something(const plan::RowChange& change) {
  return change.before && (!change.after || change.after->key != change.before->key ||
                           change.after->overlay != change.before->overlay);
}

/// Peers that stay and were announced elsewhere before, by the same member or by another one that had
/// their key.
std::map<PublicKey, Endpoint> moved_peers(const plan::RowChanges& changes,
                                          const std::vector<DesiredPeer>& leaving) {
  std::map<PublicKey, Endpoint> before;
  for (const DesiredPeer& row : leaving)
    before.insert_or_assign(row.key, row.endpoint);
  for (const auto& [name, change] : changes) {
    if (change.before) before.insert_or_assign(change.before->key, change.before->endpoint);
  }
  std::map<PublicKey, Endpoint> moved;
  for (const auto& [name, change] : changes) {
    if (!change.after) continue;
    const auto was = before.find(change.after->key);
    if (was != before.end() && was->second != change.after->endpoint) moved.insert(*was);
  }
  return moved;
}

}  // namespace

Result<void> ReconcileCore::first_pass() {
  auto members = journal_.repository().members();
  if (!members) return tl::unexpected(members.error());
  for (const Member& member : *members) {
    note_legacy(member, member);
    table_.put(member);
  }
  loaded_ = true;
  auto& batch = journal_.batch();
  if (auto rows = journal_.repository().drift()) {
    for (store::DriftRow& row : *rows) {
      if (std::exchange(row.fighting, false)) batch.drift.push_back(row);  // fights end with a run
      drift_rows_.insert_or_assign(row.object, row);
    }
  }
  if (auto applied = journal_.repository().applied()) {
    for (const store::AppliedObject& object : applied->failed)
      failing_[object.object] = object.attempts;
  }
  batch.forget_health = true;
  batch.self = parts_.self;
  batch.history.push_back({0, parts_.self.started, "daemon", "started", parts_.self.version});
  store_changes();
  // None where there is no link yet.
  if (const auto peers = parts_.data_plane->observe_peers()) first_sessions_.start(*peers);
  return full_pass();
}

/// A database that was deleted or replaced under us is made anew, from what is known here; until
/// the mesh has confirmed it, nothing that exists is removed.
void ReconcileCore::check_database() {
  if (!journal_.replace_vanished(parts_.self)) return;
  parts_.adopting = true;
  adopt_until_ = clock_().at + parts_.adopt_for;
  data_version_ = -1;
  reported_generation_ = 0;
}

/// Facts and the desired state that follows from them, in one transaction. The loop goes on without
/// it: what is stored late is stored with the next change.
void ReconcileCore::store_changes() {
  change_due_.reset();
  check_database();
  for (const plan::Loser& loser : table_.take_losers()) {
    log_.line(LogLevel::warn, "loser " + loser.name, printable(loser.name) + ": " + loser.reason);
  }
  const plan::RowChanges rows = table_.take_changes();
  journal_.rows_changed(rows, table_.desired());
  plan::merge(pending_, rows);
  if (journal_.write(table_)) {
    store_retry_.reset();
  } else {
    due_for_change(clock_().at + store_retry_.next(rng_));
  }
}

/// Rows that lost something wait for others of their kind; true when those that wait are to go now.
bool ReconcileCore::start_removals(Instant at) {
  const bool waiting = !leaving_.empty();
  for (const auto& [name, change] : pending_) {
    if (leaves_something(change)) leaving_.push_back(*change.before);
  }
  if (!waiting) removal_due_ = at + kRemovalDelay;
  return !leaving_.empty() && at >= removal_due_;
}

void ReconcileCore::change_pass() {
  if (pending_.empty() && leaving_.empty()) return;
  const Instant at = clock_().at;
  const bool has_additions = std::any_of(pending_.begin(), pending_.end(),
                                         [](const auto& row) { return row.second.after; });
  const bool removing = !leaving_.empty() && at >= removal_due_;
  if (!has_additions && !removing) {
    (void)start_removals(at);
    pending_.clear();
    due_for_change(removal_due_);
    return;
  }
  const auto actions = single_change(removing);
  if (!actions) {
    (void)full_pass();
    return;
  }
  touched_ = plan::Touched(pending_);
  if (removing) {
    for (const DesiredPeer& row : leaving_)
      touched_.add(row);
    leaving_.clear();
  }
  (void)start_removals(at);
  pending_.clear();
  last_pass_ = at;
  note_lost_link(*actions);
  const auto results =
      parts_.data_plane->apply_all(*actions, parts_.identity.keys.wireguard_private);
  settle(*actions, results, true);
}

/// The actions for the one row that is to be added, changed or removed; nothing when everything
/// must be compared: several changes at once, an endpoint that WireGuard may know better, a device
/// that was not in order or may have been changed.
std::optional<std::vector<plan::Action>> ReconcileCore::single_change(bool removing) {
  const std::size_t rows = pending_.size() + (removing ? leaving_.size() : 0);
  if (rows != 1 || !in_order_ || noticed_ || parts_.adopting || !failing_.empty()) return {};
  const WallTime wall = clock_().wall;
  std::optional<std::vector<plan::Action>> actions{std::in_place};
  if (!pending_.empty()) actions = plan::additions(table_, pending_.begin()->second, wall);
  if (!actions) return {};
  std::vector<Member> one;
  const std::string& name = pending_.empty() ? leaving_.front().name : pending_.begin()->first;
  const auto member = table_.members().find(name);
  if (member != table_.members().end()) one.push_back(member->second);
  const ObservedHosts hosts = parts_.data_plane->observe_hosts();
  note_hosts(hosts);
  const plan::Reasons reasons(table_.desired(), one, wall);
  if (auto lines = plan::diff_hosts(table_.desired(), hosts, removing, reasons)) {
    actions->push_back(std::move(*lines));
  }
  if (removing) {
    auto last = plan::removals(table_, leaving_.front(), wall);
    std::move(last.begin(), last.end(), std::back_inserter(*actions));
  }
  return actions;
}

Result<void> ReconcileCore::full_pass() {
  const Moment moment = clock_();
  last_pass_ = moment.at;
  full_due_ = moment.at + kFullPassEvery;
  in_order_ = false;
  auto observed = parts_.data_plane->observe();
  if (!observed) {
    log_.line(LogLevel::error, "observe", observed.error().detail);
    due_for_all(moment.at + retry_.next(rng_));
    return tl::unexpected(observed.error());
  }
  if (observed->link.kind == LinkKind::other) return name_taken(*observed);
  touched_ = plan::Touched(pending_);
  for (const DesiredPeer& row : leaving_)
    touched_.add(row);
  const bool removing = start_removals(moment.at) || leaving_.empty();
  auto moved = moved_peers(pending_, leaving_);
  pending_.clear();
  std::vector<Member> members;
  members.reserve(table_.members().size());
  for (const auto& [name, member] : table_.members())
    members.push_back(member);
  plan::Plan plan =
      plan::diff(table_.desired(), *observed,
                 {moment.wall, removing && !parts_.adopting, members, parts_.take_routes_in,
                  std::move(moved)});
  note_hosts(observed->hosts);
  note_lost_link(plan.actions);
  hold_back_fights(plan.actions, moment.at);
  const auto results =
      parts_.data_plane->apply_all(plan.actions, parts_.identity.keys.wireguard_private);
  note_ready(*observed, plan.actions, results);
  if (removing) leaving_.clear();
  settle(plan.actions, results, observed->complete);
  noticed_.reset();
  expect_all_ = !observed->complete;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] && ends_start(plan.actions[i])) return tl::unexpected(results[i].error());
  }
  return {};
}

/// Somebody made a link of another kind under our name while there was none: it is not ours to
/// touch, so nothing can be done but to say so until it is gone.
Result<void> ReconcileCore::name_taken(const Observed& observed) {
  const Moment moment = clock_();
  const auto judged = plan::judge_interface(table_.own().interface.name, observed, {});
  const std::string why = judged ? "its name is taken" : judged.error().detail;
  const std::uint32_t attempts = ++failing_["link"];
  log_.line(LogLevel::error, "apply link", why);
  auto& batch = journal_.batch();
  if (attempts == 1) batch.history.push_back({0, moment.wall, "link", "name taken", why});
  batch.applied = store::AppliedChange{
      reported_generation_, moment.wall, {{"link", false, why, moment.wall, attempts}}};
  (void)journal_.write(table_);
  interface_ready_ = false;
  notifier_.status(status_line());
  due_for_all(moment.at + retry_.next(rng_));
  return fail(Errc::exists, why);
}

void ReconcileCore::tear_down() {
  for (const Error& refused :
       system::take_down(*parts_.data_plane, parts_.identity.keys.wireguard_private)) {
    log_.error(refused.detail);
  }
}

}  // namespace wesher::daemon
