// The life of our own record as own_member.h describes it.
#include "gossip/own_member.h"

#include <algorithm>
#include <utility>

#include "wire/limits.h"

namespace wesher::gossip {

OwnMember::OwnMember(Core& core, Spreader& spreader)
    : core_(core),
      spreader_(spreader),
      numbers_(core.config.incarnation_first, core.config.incarnation_end) {
  core_.table.self().record.incarnation = numbers_.current();
}

Bytes OwnMember::alive_message() const {
  return wire::encode(alive_of(core_.table.self().record));
}

bool OwnMember::take_refuted() {
  return std::exchange(refuted_, false);
}

bool OwnMember::announce(Instant now) {
  if (over_ || core_.announced()) return false;
  core_.phase = Phase::member;
  core_.broadcast(core_.config.name, alive_message());
  spreader_.flood(alive_message(), now);
  return true;
}

Bytes OwnMember::goodbye_message() const {
  const Record& record = core_.table.self().record;
  return wire::encode(wire::Dead{record.incarnation, record.name, record.name});
}

void OwnMember::greet(const std::vector<Endpoint>& strangers, Instant now) {
  if (strangers.empty() || core_.phase != Phase::member) return;
  spreader_.tell(alive_message(), strangers, now);
}

void OwnMember::refute(std::uint32_t accused, Instant now) {
  if (unanswered_ || !refutations_.take(now, limits::kRefutations)) {
    unanswered_ = std::max(accused, unanswered_.value_or(0));
    return;
  }
  renew(accused + 1, true, now);
}

void OwnMember::timeout(Instant now) {
  if (!unanswered_ || !refutations_.take(now, limits::kRefutations)) return;
  const std::uint32_t accused = *std::exchange(unanswered_, std::nullopt);
  // Something else may have raised our number above it meanwhile.
  if (!over_ && accused >= core_.table.self().record.incarnation) renew(accused + 1, true, now);
}

std::optional<Wakeup> OwnMember::next() const {
  if (!unanswered_) return std::nullopt;
  return Wakeup{refutations_.next(limits::kRefutations), Timer::refutation};
}

void OwnMember::update_meta(Bytes meta, Instant now) {
  if (over_ || meta.size() > limits::kMetaBytes) return;
  next_meta_ = std::move(meta);
  if (core_.phase != Phase::moving) renew(0, false, now);
}

void OwnMember::move_to(Move move, Instant now) {
  if (over_) return;
  next_address_ = Address{std::move(move.address), move.port};
  if (move.meta) next_meta_ = std::move(move.meta);
  if (core_.phase == Phase::member && move.goodbye) say_goodbye(Phase::moving, now);
  settle(now);
}

void OwnMember::leave(Instant now) {
  if (over_) return;
  over_ = true;
  if (core_.announced()) say_goodbye(Phase::gone, now);
  settle(now);
}

void OwnMember::say_goodbye(Phase phase, Instant now) {
  Member& self = core_.table.self();
  core_.phase = phase;
  core_.table.enter(self, RecordState::left, now, core_.rng);
  const Bytes message = goodbye_message();
  core_.broadcast(self.record.name, message);
  told_ = spreader_.flood(message, now);
}

bool OwnMember::goodbye_spread() const {
  if (core_.table.live() == 0) return true;
  return !core_.queue.contains(core_.config.name) && !spreader_.flooding();
}

bool OwnMember::settle(Instant now) {
  if (over_) {
    if (spread_told_ || (core_.announced() && !goodbye_spread())) return false;
    spread_told_ = true;
    core_.outbox.event(LeaveSpread{told_});
    return false;
  }
  if (!next_address_ || (core_.phase == Phase::moving && !goodbye_spread())) return false;
  Member& self = core_.table.self();
  core_.table.move(self, std::move(next_address_->bytes), next_address_->port);
  next_address_.reset();
  if (core_.phase == Phase::moving) {
    core_.phase = Phase::member;
    core_.table.enter(self, RecordState::alive, now, core_.rng);
  }
  renew(0, false, now);
  return true;
}

void OwnMember::extend(std::uint32_t end, Instant now) {
  numbers_.extend(end);
  if (!held_ || over_ || core_.phase == Phase::moving) return;
  const Held held = *std::exchange(held_, std::nullopt);
  renew(held.at_least, held.refutation, now);
}

void OwnMember::ask(std::uint32_t at_least) {
  if (const auto end = numbers_.ask(at_least)) core_.outbox.event(NeedIncarnations{*end});
}

void OwnMember::renew(std::uint32_t at_least, bool refutation, Instant now) {
  if (held_) {
    at_least = std::max(at_least, held_->at_least);
    refutation = refutation || held_->refutation;
  }
  if (!numbers_.take(at_least)) {
    held_ = Held{at_least, refutation};
    ask(at_least);
    return;
  }
  held_.reset();
  Record& record = core_.table.self().record;
  record.incarnation = numbers_.current();
  if (next_meta_) record.meta = *std::exchange(next_meta_, std::nullopt);
  ask(0);
  if (!core_.announced()) return;
  core_.broadcast(record.name, alive_message());
  if (refutation) {
    refuted_ = true;
    core_.health.worsen(1);
    core_.outbox.event(Refuted{record.incarnation});
  } else {
    spreader_.flood(alive_message(), now);
  }
}

}  // namespace wesher::gossip
