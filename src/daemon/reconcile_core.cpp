// Reconciling: what comes in, and what is due when. Passes are in reconcile_pass.cpp, their results
// in reconcile_report.cpp, what concerns the own address in reconcile_own.cpp.
#include "daemon/reconcile_core.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "mesh/claim_rank.h"

namespace wesher::daemon {

ReconcileCore::ReconcileCore(
    ReconcilerParts parts, Log& log, Notifier& notifier, Clock clock, Rng rng)
    : parts_(std::move(parts)),
      log_(log),
      notifier_(notifier),
      clock_(std::move(clock)),
      rng_(std::move(rng)),
      journal_(
          std::move(parts_.database), parts_.paths, parts_.identity.keys.id, parts_.options, log),
      table_(parts_.own) {
  const Instant start = clock_().at;
  full_due_ = start;
  next_request_look_ = start;
  next_save_ = start + kSaveTimeEvery;
  ready_at_latest_ = start + kReadyAfter;
}

void ReconcileCore::due_for_change(Instant soonest) {
  // The first of a burst at once, what follows in windows.
  const Instant at = std::max(soonest, last_pass_ + kBurstWindow);
  change_due_ = change_due_ ? std::min(*change_due_, at) : at;
}

void ReconcileCore::due_for_all(Instant at) {
  full_due_ = std::min(full_due_, at);
}

void ReconcileCore::take(const mesh::Fact& fact, WallTime at) {
  auto& batch = journal_.batch();
  if (const auto* changed = std::get_if<mesh::MemberChanged>(&fact)) {
    take_member(*changed, at);
  } else if (const auto* forgotten = std::get_if<mesh::MemberForgotten>(&fact)) {
    if (frozen_) return;
    batch.history.push_back(
        {0, at, "member " + printable(forgotten->name), "forgotten", forgotten->why});
    std::erase_if(batch.members, [&](const Member& m) { return m.name == forgotten->name; });
    batch.forgotten.push_back(forgotten->name);
    table_.remove(forgotten->name);
    forget_legacy(forgotten->name);
  } else if (const auto* seed = std::get_if<mesh::SeedHealth>(&fact)) {
    batch.health.push_back({store::HealthKind::seed, seed->seed.text(), seed->ok, seed->detail,
                            seed->tries, seed->since});
  } else if (const auto* foreign = std::get_if<mesh::ForeignPackets>(&fact)) {
    batch.health.push_back({store::HealthKind::foreign_packets, foreign->source.text(), false,
                            "cannot be decrypted: another cluster's key, or junk", foreign->count,
                            at});
  } else if (std::holds_alternative<mesh::Synced>(fact)) {
    if (parts_.adopting && !adopt_until_) adopt_until_ = clock_().at + parts_.adopt_for;
    disturb_legacy();  // they heard of us
  } else if (const auto* reserve = std::get_if<mesh::ReserveIncarnations>(&fact)) {
    reserve_incarnations(reserve->end);
  } else if (const auto* epochs = std::get_if<mesh::ReserveEpochs>(&fact)) {
    reserve_epochs(epochs->end);
  } else if (const auto* claim = std::get_if<mesh::OwnClaim>(&fact)) {
    take_claim(*claim);
  } else if (const auto* format = std::get_if<mesh::SpeakFormat>(&fact)) {
    take_format(*format);
  }
  if (!batch.empty()) due_for_change(clock_().at);
}

void ReconcileCore::take_member(const mesh::MemberChanged& changed, WallTime at) {
  if (frozen_) return;
  auto& batch = journal_.batch();
  const Member& member = changed.member;
  const auto known = table_.members().find(member.name);
  std::optional<Member> former;
  if (known != table_.members().end()) former = known->second;
  note_legacy(member, former);
  if (!changed.why.empty()) {
    const std::string_view before = former ? to_text(former->state) : "new";
    std::string what = before == to_text(member.state)
                           ? std::string(before)
                           : fmt::format("{} -> {}", before, to_text(member.state));
    batch.history.push_back(
        {0, at, "member " + printable(member.name), std::move(what), changed.why});
  }
  if (member.signed_claim && member.signed_claim->claimed <= at + mesh::kPlausibleAhead) {
    auto& newest = parts_.identity.keys.newest_claim;
    newest = std::max(newest, member.signed_claim->claimed);
  }
  std::erase(batch.forgotten, member.name);
  batch.members.push_back(member);
  table_.put(member);
}

bool ReconcileCore::save_keys() {
  const auto saved = store::save_key_file(parts_.paths.key_file(), parts_.identity.keys);
  if (!saved) log_.line(LogLevel::error, "key file", saved.error().detail);
  return saved.has_value();
}

void ReconcileCore::announcing(std::string underlay) {
  parts_.self.underlay = std::move(underlay);
  journal_.batch().self = parts_.self;
  due_for_change(clock_().at);
}

void ReconcileCore::noticed() {
  const Instant at = clock_().at;
  if (!noticed_) noticed_ = at;
  // Our own writes come back as notices too: the pass that follows finds nothing to do. Something
  // that keeps fighting us must not keep us busy.
  const Duration window = drift_.any_fight() ? Duration(kFightWindow) : Duration(kBurstWindow);
  due_for_all(std::max(at, last_pass_ + window));
}

void ReconcileCore::check_requests() {
  const std::int64_t version = journal_.database().data_version();
  if (version == data_version_) return;
  data_version_ = version;
  auto requests = journal_.repository().take_requests(clock_().wall);
  if (!requests) return;  // busy or damaged: the next look finds it again
  for (const store::Request& request : *requests) {
    if (request.kind == "forget" && callbacks_.forget_requested) {
      callbacks_.forget_requested(request.id, request.arguments);
    } else if (request.kind != "leave") {
      (void)journal_.repository().finish_request(request.id, "refused",
                                                 "this daemon does not know that request");
    } else if (leave_request_) {
      (void)journal_.repository().finish_request(request.id, "refused",
                                                 "this host is leaving already");
    } else {
      leave_request_ = request.id;
      if (callbacks_.leave_requested) callbacks_.leave_requested();
    }
  }
}

void ReconcileCore::housekeeping(const Moment& moment) {
  if (adopt_until_ && moment.at >= *adopt_until_ && !journal_.repository().set_adopting(false)) {
    adopt_until_ = moment.at + kFullPassEvery;  // what holds must be what the next start finds
  } else if (adopt_until_ && moment.at >= *adopt_until_) {
    adopt_until_.reset();
    parts_.adopting = false;
    expect_all_ = true;
    due_for_all(moment.at);
    log_.info("what nobody claims any more is removed from here on (adopt mode is over)");
  }
  if (ready_at_latest_ && moment.at >= *ready_at_latest_) {
    ready_at_latest_.reset();
    notifier_.ready(status_line());
  }
  end_fights(moment.at);
  check_clock(moment);
  save_what_waits();
  if (moment.at >= next_save_) {
    next_save_ = moment.at + kSaveTimeEvery;
    (void)save_keys();
  }
}

/// WireGuard's handshakes bear the wall clock, and peers take only later ones than they have seen:
/// a clock that was set back shuts us out for the size of the step, unless we are somebody new.
void ReconcileCore::check_clock(const Moment& moment) {
  auto& keys = parts_.identity.keys;
  if (moment.wall + kClockStepTolerated >= keys.highest_time) {
    keys.highest_time = std::max(keys.highest_time, moment.wall);
    return;
  }
  SecretKey before = std::move(keys.wireguard_private);
  const WallTime highest = keys.highest_time;
  keys.wireguard_private = store::make_key_file(std::nullopt, moment.wall).wireguard_private.copy();
  keys.highest_time = moment.wall;
  if (!save_keys()) {
    keys.wireguard_private = std::move(before);
    keys.highest_time = highest;
    return;
  }
  log_.lifecycle(fmt::format(
      "the clock went back from {} to {}: a new WireGuard key is made, peers would refuse the old "
      "one",
      rfc3339(highest), rfc3339(moment.wall)));
  parts_.self.key = x25519_public(keys.wireguard_private);
  plan::OwnNode own = table_.own();
  own.interface.key = parts_.self.key;
  table_.set_own(std::move(own));
  auto& batch = journal_.batch();
  batch.self = parts_.self;
  batch.history.push_back({0, moment.wall, "device", "new key", "the clock went back"});
  journal_.desired_unknown();
  expect_all_ = true;
  due_for_all(moment.at);
  if (callbacks_.key_changed) callbacks_.key_changed(parts_.self.key);
}

void ReconcileCore::advance() {
  Moment moment = clock_();
  if (moment.at >= next_request_look_) {
    next_request_look_ = moment.at + kRequestPoll;
    check_requests();
  }
  housekeeping(moment);
  if (revival_.next() && moment.at >= *revival_.next()) revive();
  if (first_sessions_.next() && moment.at >= *first_sessions_.next()) begin_late_sessions();
  if (moment.at >= full_due_) {
    store_changes();
    (void)full_pass();
  } else if (change_due_ && moment.at >= *change_due_) {
    store_changes();
    change_pass();
  }
}

Instant ReconcileCore::next_due() const {
  Instant next = std::min(full_due_, next_request_look_);
  if (change_due_) next = std::min(next, *change_due_);
  if (adopt_until_) next = std::min(next, *adopt_until_);
  if (ready_at_latest_) next = std::min(next, *ready_at_latest_);
  if (revival_.next()) next = std::min(next, *revival_.next());
  if (first_sessions_.next()) next = std::min(next, *first_sessions_.next());
  return next;
}

void ReconcileCore::finish(StopKind kind, std::size_t told) {
  const Moment moment = clock_();
  auto& keys = parts_.identity.keys;
  if (kind != StopKind::keep) tear_down();
  if (kind == StopKind::resign) {
    keys.overlay.reset();
    keys.overlay_net.reset();
    keys.claim_time = {};
    parts_.self.claimed.reset();
  }
  keys.highest_time = std::max(keys.highest_time, moment.wall);
  (void)save_keys();
  parts_.self.stopped = moment.wall;
  parts_.self.stop_kind = kind == StopKind::keep    ? "keep"
                          : kind == StopKind::leave ? "leave"
                                                    : "resign";
  auto& batch = journal_.batch();
  batch.self = parts_.self;
  batch.history.push_back({0, moment.wall, "daemon", "stopped", parts_.self.stop_kind});
  journal_.rows_changed(table_.take_changes(), table_.desired());
  (void)journal_.write(table_);
  if (leave_request_) {
    (void)journal_.repository().finish_request(*leave_request_, "done", std::to_string(told));
  }
}

}  // namespace wesher::daemon
