// One pass of the reconcile loop: facts into the database, desired state out of them, the kernel
// and the hosts file observed, the difference applied and reported.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/clock.h"
#include "daemon/reconciler.h"
#include "plan/diff.h"

namespace wesher::daemon {

namespace {

/// History that waits for a database that can't be written is bounded.
constexpr std::size_t kHistoryWaitingMax = 1000;

bool ends_start(const plan::Action& action) {
  return std::holds_alternative<plan::CreateLink>(action.what) ||
         std::holds_alternative<plan::ConfigureDevice>(action.what) ||
         std::holds_alternative<plan::SetLinkUp>(action.what) ||
         std::holds_alternative<plan::AddAddress>(action.what);
}

}  // namespace

Result<void> Reconciler::first_pass() {
  auto members = repository_.members();
  if (!members) return tl::unexpected(members.error());
  for (Member& member : *members)
    members_.insert_or_assign(member.name, std::move(member));
  batch_.forget_health = true;
  batch_.self = parts_.self;
  batch_.history.push_back({0, parts_.self.started, "daemon", "started", parts_.self.version});
  write_batch();
  derive_desired();
  return pass();
}

/// A database that was deleted or replaced under us is made anew, from what is known here; until
/// the mesh has confirmed it, nothing that exists is removed.
void Reconciler::check_database() {
  if (parts_.database.still_there()) return;
  log_.lifecycle(fmt::format("{} vanished: making a new one", parts_.paths.database()));
  auto opened = store::Database::open_for_daemon(parts_.paths.database(), parts_.identity.keys.id);
  if (!opened) {
    log_.line(LogLevel::error, "database", opened.error().detail);
    return;
  }
  parts_.database = std::move(opened->database);
  parts_.adopting = true;
  (void)repository_.set_adopting(true);
  data_version_ = -1;
  batch_.self = parts_.self;
  batch_.members.clear();
  for (const auto& [name, member] : members_)
    batch_.members.push_back(member);
  adopt_until_ = now().at + parts_.adopt_for;
}

void Reconciler::write_batch() {
  check_database();
  if (batch_.empty()) return;
  if (const auto written = repository_.write(batch_); !written) {
    log_.line(LogLevel::error, "database", "database: " + written.error().detail);
    batch_.members.clear();
    for (const auto& [name, member] : members_)
      batch_.members.push_back(member);
    if (batch_.history.size() > kHistoryWaitingMax) {
      batch_.history.erase(batch_.history.begin(), batch_.history.end() - kHistoryWaitingMax);
    }
    return;
  }
  batch_ = {};
}

void Reconciler::derive_desired() {
  member_list_.clear();
  for (const auto& [name, member] : members_)
    member_list_.push_back(member);
  plan::DesiredResult derived = plan::derive(parts_.own, member_list_);
  for (const plan::Loser& loser : derived.losers) {
    log_.line(LogLevel::warn, "loser " + loser.name, printable(loser.name) + ": " + loser.reason);
  }
  derived.desired.generation = desired_.generation;
  if (derived.desired == desired_) return;
  desired_ = std::move(derived.desired);
  if (const auto generation = repository_.put_desired(desired_)) {
    desired_.generation = *generation;
  } else {
    log_.line(LogLevel::error, "database", "database: " + generation.error().detail);
  }
}

Result<void> Reconciler::pass() {
  last_pass_ = now().at;
  pass_due_.reset();
  auto observed = parts_.data_plane->observe();
  if (!observed) {
    log_.line(LogLevel::error, "observe", observed.error().detail);
    pass_due_ = last_pass_ + retry_.next(rng_);
    return tl::unexpected(observed.error());
  }
  const plan::Plan plan =
      plan::diff(desired_, *observed, {now().wall, !parts_.adopting, member_list_});
  const auto results =
      parts_.data_plane->apply_all(plan.actions, parts_.identity.keys.wireguard_private);
  report(plan, results);
  note_hosts(observed->hosts);
  note_ready(*observed, plan, results);
  if (failing_.empty()) {
    retry_.reset();
  } else {
    pass_due_ = last_pass_ + retry_.next(rng_);
  }
  notifier_.status(status_line());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] && ends_start(plan.actions[i])) return tl::unexpected(results[i].error());
  }
  return {};
}

void Reconciler::report(const plan::Plan& plan, const std::vector<Result<void>>& results) {
  const WallTime wall = now().wall;
  std::map<std::string, std::uint32_t> failing;
  std::vector<store::AppliedObject> objects;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const plan::Action& action = plan.actions[i];
    const std::string object = plan::object_of(action);
    const bool ok = results[i].has_value();
    std::string detail = ok ? "" : results[i].error().detail;
    const auto before = failing_.find(object);
    const std::uint32_t attempts = ok ? 1 : (before == failing_.end() ? 1 : before->second + 1);
    if (!ok) failing[object] = attempts;
    for (const std::string& line : plan::lines_of(action)) {
      if (ok) {
        log_.line(LogLevel::info, "", line + "  " + action.reason);
        batch_.history.push_back({0, wall, object, line, action.reason});
      } else {
        log_.line(LogLevel::warn, "apply " + object, line + ": " + detail);
        if (attempts == 1) batch_.history.push_back({0, wall, object, line + ": failed", detail});
      }
    }
    objects.push_back({object, ok, std::move(detail), wall, attempts});
  }
  const bool changed = !objects.empty() || reported_generation_ != desired_.generation;
  failing_ = std::move(failing);
  if (!changed) return;
  if (const auto put = repository_.put_applied(desired_.generation, objects, wall); !put) {
    log_.line(LogLevel::error, "database", "database: " + put.error().detail);
  } else {
    reported_generation_ = desired_.generation;
  }
  write_batch();
}

void Reconciler::note_hosts(const ObservedHosts& hosts) {
  const std::string problem = hosts.writable || !parts_.own.hosts ? "" : hosts.why_not;
  if (problem == hosts_problem_) return;
  hosts_problem_ = problem;
  if (!problem.empty()) log_.warn("names of members are off: " + problem);
}

void Reconciler::note_ready(const Observed& before,
                            const plan::Plan& plan,
                            const std::vector<Result<void>>& results) {
  bool up = before.link.up;
  const Prefix own = Prefix::host(parts_.own.interface.overlay);
  bool addressed =
      std::find(before.addresses.begin(), before.addresses.end(), own) != before.addresses.end();
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) continue;
    up = up || std::holds_alternative<plan::SetLinkUp>(plan.actions[i].what);
    addressed = addressed || std::holds_alternative<plan::AddAddress>(plan.actions[i].what);
  }
  interface_ready_ = up && addressed;
  if (interface_ready_) notifier_.ready(status_line());
}

void Reconciler::tear_down() {
  auto observed = parts_.data_plane->observe();
  if (!observed) {
    log_.error(observed.error().detail);
  } else {
    const plan::Plan plan = plan::teardown(*observed);
    const auto results =
        parts_.data_plane->apply_all(plan.actions, parts_.identity.keys.wireguard_private);
    for (const auto& result : results) {
      if (!result) log_.error(result.error().detail);
    }
  }
  if (const auto removed = parts_.data_plane->remove_link(); !removed) {
    log_.error(removed.error().detail);
  }
}

std::string Reconciler::status_line() const {
  const std::size_t peers = desired_.peers.size();
  const std::string company = peers == 0 ? "alone" : fmt::format("{} peers", peers);
  const std::string sync =
      failing_.empty() ? "in sync" : fmt::format("{} objects failing", failing_.size());
  if (!interface_ready_) {
    return fmt::format("{} is not ready: see the log, or 'wesher status'",
                       parts_.own.interface.name);
  }
  return fmt::format("{} {}, {}, {}", parts_.own.name, parts_.own.interface.overlay.text(), company,
                     sync);
}

}  // namespace wesher::daemon
