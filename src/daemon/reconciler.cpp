// The reconcile loop: its wake-ups and what it takes in. One pass is in reconciler_pass.cpp.
#include "daemon/reconciler.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <poll.h>

#include "base/text.h"
#include "daemon/clock.h"

namespace wesher::daemon {

Reconciler::Reconciler(ReconcilerParts parts, Log& log, Notifier& notifier)
    : parts_(std::move(parts)),
      log_(log),
      notifier_(notifier),
      repository_(parts_.database),
      rng_(system_rng()),
      next_save_(now().at + kSaveTimeEvery),
      ready_at_latest_(now().at + kReadyAfter) {}

Reconciler::~Reconciler() {
  if (thread_.joinable()) stop(StopKind::keep, 0);
}

void Reconciler::run(ReconcilerCallbacks callbacks) {
  callbacks_ = std::move(callbacks);
  thread_ = std::thread([this] { loop(); });
}

void Reconciler::freeze() {
  inbox_.push(Input{Freeze{}, now().wall});
}

void Reconciler::stop(StopKind kind, std::size_t told) {
  inbox_.push(Input{Stop{kind, told}, now().wall});
  if (thread_.joinable()) thread_.join();
}

void Reconciler::loop() {
  check_requests();
  while (!stop_) {
    wait();
    take_input();
    check_requests();
    housekeeping();
    if (stop_ || !pass_due_ || now().at < *pass_due_) continue;
    write_batch();
    derive_desired();
    (void)pass();
  }
  finish(*stop_);
}

int Reconciler::wait_ms() const {
  Duration left = kRequestPoll;
  if (pass_due_) left = std::min(left, *pass_due_ - now().at);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left);
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(ms.count(), 0));
}

void Reconciler::wait() {
  std::array<pollfd, 2> fds{{{inbox_.fd(), POLLIN, 0}, {parts_.data_plane->watch_fd(), POLLIN, 0}}};
  (void)::poll(fds.data(), fds.size(), wait_ms());
  if ((fds[1].revents & POLLIN) != 0 && parts_.data_plane->drain_watch()) {
    // Our own writes come back as notices too: the pass that follows finds nothing to do.
    const Instant soonest = std::max(now().at, last_pass_ + kBurstWindow);
    pass_due_ = pass_due_ ? std::min(*pass_due_, soonest) : soonest;
  }
}

void Reconciler::take_input() {
  for (Input& input : inbox_.take_all()) {
    if (const auto* fact = std::get_if<mesh::Fact>(&input.what)) {
      take_fact(*fact, input.at);
    } else if (std::holds_alternative<Freeze>(input.what)) {
      frozen_ = true;
    } else if (const auto* underlay = std::get_if<Underlay>(&input.what)) {
      parts_.self.underlay = underlay->address;
      batch_.self = parts_.self;
    } else {
      stop_ = std::get<Stop>(input.what);
    }
  }
  if (batch_.empty()) return;
  // The first of a burst at once, what follows in windows.
  const Instant soonest = std::max(now().at, last_pass_ + kBurstWindow);
  pass_due_ = pass_due_ ? std::min(*pass_due_, soonest) : soonest;
}

void Reconciler::take_fact(const mesh::Fact& fact, WallTime at) {
  if (const auto* changed = std::get_if<mesh::MemberChanged>(&fact)) {
    if (frozen_) return;
    const Member& member = changed->member;
    const auto known = members_.find(member.name);
    if (!changed->why.empty()) {
      const std::string_view before =
          known == members_.end() ? "new" : to_text(known->second.state);
      std::string what = before == to_text(member.state)
                             ? std::string(before)
                             : fmt::format("{} -> {}", before, to_text(member.state));
      batch_.history.push_back({0, at, "member " + member.name, std::move(what), changed->why});
    }
    batch_.members.push_back(member);
    members_.insert_or_assign(member.name, member);
  } else if (const auto* forgotten = std::get_if<mesh::MemberForgotten>(&fact)) {
    if (frozen_) return;
    batch_.history.push_back({0, at, "member " + forgotten->name, "forgotten", forgotten->why});
    batch_.forgotten.push_back(forgotten->name);
    members_.erase(forgotten->name);
  } else if (const auto* seed = std::get_if<mesh::SeedHealth>(&fact)) {
    batch_.health.push_back({store::HealthKind::seed, seed->seed.text(), seed->ok, seed->detail,
                             seed->tries, seed->since});
  } else if (const auto* foreign = std::get_if<mesh::ForeignPackets>(&fact)) {
    batch_.health.push_back({store::HealthKind::foreign_packets, foreign->source.text(), false,
                             "cannot be decrypted: another cluster's key, or junk", foreign->count,
                             at});
  } else if (std::holds_alternative<mesh::Synced>(fact)) {
    if (parts_.adopting && !adopt_until_) adopt_until_ = now().at + parts_.adopt_for;
  } else if (const auto* reserve = std::get_if<mesh::ReserveIncarnations>(&fact)) {
    auto& keys = parts_.identity.keys;
    keys.incarnation_end = std::max(keys.incarnation_end, reserve->end);
    if (const auto saved = store::save_key_file(parts_.paths.key_file(), keys); !saved) {
      log_.line(LogLevel::error, "key file", saved.error().detail);
    } else {
      callbacks_.incarnations_reserved(reserve->end);
    }
  }
}

void Reconciler::check_requests() {
  const std::int64_t version = parts_.database.data_version();
  if (version == data_version_) return;
  data_version_ = version;
  auto requests = repository_.take_requests(now().wall);
  if (!requests) return;  // busy or damaged: the next look finds it again
  for (const store::Request& request : *requests) {
    if (request.kind != "leave") {
      (void)repository_.finish_request(request.id, "refused",
                                       "this daemon does not know that request");
    } else if (!leave_request_) {
      leave_request_ = request.id;
      callbacks_.leave_requested();
    }
  }
}

void Reconciler::housekeeping() {
  const Moment moment = now();
  if (moment.at >= last_pass_ + kFullPassEvery && !pass_due_) pass_due_ = moment.at;
  if (adopt_until_ && moment.at >= *adopt_until_) {
    adopt_until_.reset();
    parts_.adopting = false;
    (void)repository_.set_adopting(false);
    pass_due_ = moment.at;
    log_.info("what nobody claims any more is removed from here on (adopt mode is over)");
  }
  if (ready_at_latest_ && moment.at >= *ready_at_latest_) {
    ready_at_latest_.reset();
    notifier_.ready(status_line());
  }
  if (moment.at >= next_save_) {
    next_save_ = moment.at + kSaveTimeEvery;
    auto& keys = parts_.identity.keys;
    keys.highest_time = std::max(keys.highest_time, moment.wall);
    if (const auto saved = store::save_key_file(parts_.paths.key_file(), keys); !saved) {
      log_.line(LogLevel::error, "key file", saved.error().detail);
    }
  }
}

void Reconciler::finish(const Stop& stop) {
  const Moment moment = now();
  auto& keys = parts_.identity.keys;
  if (stop.kind != StopKind::keep) tear_down();
  if (stop.kind == StopKind::resign) {
    keys.overlay.reset();
    keys.overlay_net.reset();
    keys.claim_time = {};
  }
  keys.highest_time = std::max(keys.highest_time, moment.wall);
  if (const auto saved = store::save_key_file(parts_.paths.key_file(), keys); !saved) {
    log_.error(saved.error().detail);
  }
  parts_.self.stopped = moment.wall;
  parts_.self.stop_kind = stop.kind == StopKind::keep    ? "keep"
                          : stop.kind == StopKind::leave ? "leave"
                                                         : "resign";
  batch_.self = parts_.self;
  batch_.history.push_back({0, moment.wall, "daemon", "stopped", parts_.self.stop_kind});
  write_batch();
  if (leave_request_) {
    (void)repository_.finish_request(*leave_request_, "done", std::to_string(stop.told));
  }
}

}  // namespace wesher::daemon
