// Applying claims: membership.h. Sources of the rules are named in transition.h.
#include "gossip/membership.h"

#include <algorithm>

#include "wire/limits.h"

namespace wesher::gossip {

namespace {

/// A member gets our accusation directly at most this often: a refutation takes one round trip.
constexpr Duration kAccuseEvery = std::chrono::seconds{1};
/// A name conflict is reported at most this often for each name: gossip repeats it many times.
constexpr Duration kConflictEvery = std::chrono::seconds{10};

constexpr std::string_view kNotAdmitted = "the admission rules refuse it";

wire::Versions versions_of(const wire::Alive& claim) {
  wire::Versions versions{};
  std::copy_n(claim.versions.begin(), std::min(claim.versions.size(), versions.size()),
              versions.begin());
  return versions;
}

wire::Alive alive_of(const wire::PushPullEntry& entry) {
  return {entry.incarnation, entry.name,     entry.address, entry.port,
          entry.meta,        entry.nil_meta, entry.versions};
}

}  // namespace

void Membership::hear(wire::Alive claim, Instant now) {
  // Protocol version 1 left the port out; the receiver's own stands for it.
  if (claim.port == 0) claim.port = core_.config.port;
  Member* known = core_.table.find(claim.node);
  const Judgement judgement = judge(known == nullptr ? nullptr : &known->record, claim,
                                    core_.subject(claim.node), core_.config.allow_loopback);
  if (settled(judgement, claim.node, claim.incarnation, now)) return;
  if (known == nullptr) return apply(known, claim, now);
  switch (judgement.action) {
    case Action::stale:
      return accuse(*known, now);
    case Action::conflict:
      return conflict(*known, claim, now);
    case Action::alive:
      return apply(known, claim, now);
    default:
      return;
  }
}

bool Membership::settled(const Judgement& judgement,
                         const std::string& name,
                         std::uint32_t incarnation,
                         Instant now) {
  switch (judgement.action) {
    case Action::ignore:
      return true;
    case Action::refuse:
      core_.refuse(name, fault_text(judgement.fault));
      return true;
    case Action::refute:
      own_.refute(incarnation, now);
      return true;
    default:
      return false;
  }
}

void Membership::hear(const wire::Suspect& claim, Instant now) {
  judge_suspect(claim, false, true, now);
}

void Membership::suspect(const std::string& name, std::uint32_t incarnation, Instant now) {
  judge_suspect({incarnation, name, core_.config.name}, true, true, now);
}

void Membership::judge_suspect(const wire::Suspect& claim, bool trusted, bool ask, Instant now) {
  Member* known = core_.table.find(claim.node);
  const Judgement judgement =
      judge(known == nullptr ? nullptr : &known->record, claim, core_.subject(claim.node), trusted);
  if (settled(judgement, claim.node, claim.incarnation, now) || known == nullptr) return;
  switch (judgement.action) {
    case Action::confirm:
      if (!ask || admits(claim, *known, now)) confirm(*known, claim, now);
      return;
    case Action::raise:
      if (!ask || admits(claim, *known, now)) known->record.incarnation = claim.incarnation;
      return;
    case Action::suspect:
      if (!ask || admits(claim, *known, now)) apply(*known, claim, now);
      return;
    default:
      return;
  }
}

void Membership::hear(const wire::Dead& claim, Instant now) {
  Member* known = core_.table.find(claim.node);
  const Judgement judgement =
      judge(known == nullptr ? nullptr : &known->record, claim, core_.subject(claim.node));
  if (settled(judgement, claim.node, claim.incarnation, now) || known == nullptr) return;
  switch (judgement.action) {
    case Action::raise:
      if (ask(claim, *known, now) == Verdict::accept) known->record.incarnation = claim.incarnation;
      return;
    case Action::dead:
    case Action::left:
      switch (ask(claim, *known, now)) {
        case Verdict::accept:
          return apply(*known, claim, now);
        case Verdict::suspect_instead:
          return doubt(claim, now);
        case Verdict::drop:
          return core_.refuse(claim.node, kNotAdmitted);
      }
      return;
    default:
      return;
  }
}

void Membership::hear(const wire::PushPullEntry& entry, Instant now) {
  switch (entry.state) {
    case static_cast<std::uint8_t>(wire::EntryState::alive):
      return hear(alive_of(entry), now);
    case static_cast<std::uint8_t>(wire::EntryState::suspect):
    case static_cast<std::uint8_t>(wire::EntryState::dead):
      return hear(wire::Suspect{entry.incarnation, entry.name, core_.config.name}, now);
    case static_cast<std::uint8_t>(wire::EntryState::left):
      return hear(wire::Dead{entry.incarnation, entry.name, entry.name}, now);
    default:
      return core_.refuse(entry.name, fault_text(ClaimFault::state));
  }
}

void Membership::apply(Member* known, const wire::Alive& claim, Instant now) {
  const Claim question{claim.node, RecordState::alive, claim.incarnation, claim.address,
                       claim.port, claim.meta,         claim.node};
  if (ask(question, known, now) == Verdict::drop) return core_.refuse(claim.node, kNotAdmitted);
  if (known == nullptr) return create(claim, now);
  Record& record = known->record;
  const RecordState before = record.state;
  const bool moved = record.address != claim.address || record.port != claim.port;
  const wire::Versions versions = versions_of(claim);
  const bool changed = moved || record.meta != claim.meta || record.versions != versions;
  clear_suspicion(*known);
  if (moved) core_.table.move(*known, claim.address, claim.port);
  record.incarnation = claim.incarnation;
  record.meta = claim.meta;
  record.versions = versions;
  if (before != RecordState::alive) core_.table.enter(*known, RecordState::alive, now, core_.rng);
  core_.broadcast(record.name, wire::encode(claim));
  if (before == RecordState::dead || before == RecordState::left) {
    core_.outbox.event(Joined{record});
    return;
  }
  if (before == RecordState::suspect) core_.outbox.event(Suspicion{record});
  if (changed) core_.outbox.event(Updated{record});
}

void Membership::create(const wire::Alive& claim, Instant now) {
  if (core_.table.size() >= limits::kMembers)
    return core_.refuse(claim.node, "the table of members is full");
  if (core_.table.unverified() >= limits::kMembersUnverified)
    return core_.refuse(claim.node, "too many members that never answered");
  const Member& member =
      core_.table.add({claim.node, claim.address, claim.port, claim.meta, versions_of(claim),
                       claim.incarnation, RecordState::alive, now},
                      core_.rng);
  core_.broadcast(claim.node, wire::encode(claim));
  core_.outbox.event(Joined{member.record});
}

void Membership::apply(Member& member, const wire::Suspect& claim, Instant now) {
  const auto bounds =
      suspicion_bounds(core_.config.suspicion_mult, core_.config.suspicion_max_timeout_mult,
                       core_.table.size(), core_.config.probe_interval);
  member.record.incarnation = claim.incarnation;
  core_.table.enter(member, RecordState::suspect, now, core_.rng);
  member.suspicion.emplace(claim.from, bounds, now);
  set_deadline(member, member.suspicion->deadline());
  core_.broadcast(claim.node, wire::encode(claim));
  core_.outbox.event(Suspicion{member.record});
}

void Membership::confirm(Member& member, const wire::Suspect& claim, Instant now) {
  member.record.incarnation = std::max(member.record.incarnation, claim.incarnation);
  if (!member.suspicion || !member.suspicion->confirm(claim.from)) return;
  core_.broadcast(claim.node, wire::encode(claim));
  set_deadline(member, member.suspicion->deadline());
  timeout(now);
}

void Membership::apply(Member& member, const wire::Dead& claim, Instant now) {
  const bool left = claim.node == claim.from;
  clear_suspicion(member);
  member.record.incarnation = claim.incarnation;
  core_.table.enter(member, left ? RecordState::left : RecordState::dead, now, core_.rng);
  core_.broadcast(claim.node, wire::encode(claim));
  if (left) {
    core_.outbox.event(Left{member.record});
  } else {
    core_.outbox.event(Failed{member.record, claim.from.empty()});
  }
}

void Membership::conflict(Member& member, const wire::Alive& claim, Instant now) {
  if (member.conflict_told && now - *member.conflict_told < kConflictEvery) return;
  member.conflict_told = now;
  const Record& known = member.record;
  core_.outbox.event(
      NameConflict{known.name, known.address, known.port, claim.address, claim.port});
}

/// The hook wants a death to be taken as a suspicion: so it is, and the accused hears of it.
void Membership::doubt(const wire::Dead& claim, Instant now) {
  const bool anonymous = claim.from.empty() || claim.from == claim.node;
  const std::string& accuser = anonymous ? core_.config.name : claim.from;
  judge_suspect({claim.incarnation, claim.node, accuser}, true, false, now);
  accuse(*core_.table.find(claim.node), now);
}

void Membership::accuse(Member& member, Instant now) {
  if (!core_.announced() || &member == &core_.table.self()) return;
  if (member.accused && now - *member.accused < kAccuseEvery) return;
  const Bytes accusation = accusation_of(member.record, core_.config.name);
  if (accusation.empty()) return;
  member.accused = now;
  core_.outbox.send(member.endpoint, {&accusation, 1});
}

void Membership::reap(Instant now) {
  for (std::string& name : core_.table.reap(now, core_.config.gossip_to_the_dead))
    core_.outbox.event(Reaped{std::move(name)});
}

void Membership::timeout(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now)
    suspicion_over(*deadlines_.begin()->second, now);
}

void Membership::suspicion_over(Member& member, Instant now) {
  const wire::Dead verdict{member.record.incarnation, member.record.name, core_.config.name};
  if (ask(verdict, member, now) == Verdict::accept) return apply(member, verdict, now);
  // The hook keeps it: it stays suspect for another round.
  const auto bounds =
      suspicion_bounds(core_.config.suspicion_mult, core_.config.suspicion_max_timeout_mult,
                       core_.table.size(), core_.config.probe_interval);
  member.suspicion.emplace(core_.config.name, bounds, now);
  set_deadline(member, member.suspicion->deadline());
}

void Membership::set_deadline(Member& member, Instant at) {
  deadlines_.erase({member.suspicion_end, member.id});
  member.suspicion_end = at;
  deadlines_[{at, member.id}] = &member;
}

void Membership::clear_suspicion(Member& member) {
  deadlines_.erase({member.suspicion_end, member.id});
  member.suspicion.reset();
}

std::optional<Wakeup> Membership::next() const {
  if (deadlines_.empty()) return std::nullopt;
  return Wakeup{deadlines_.begin()->first.first, Timer::suspicion};
}

Verdict Membership::ask(const Claim& claim, const Member* known, Instant now) const {
  if (core_.admission == nullptr) return Verdict::accept;
  return core_.admission->admit(claim, known == nullptr ? nullptr : &known->record, now);
}

Verdict Membership::ask(const wire::Dead& claim, const Member& known, Instant now) const {
  const RecordState state = claim.node == claim.from ? RecordState::left : RecordState::dead;
  return ask(Claim{claim.node, state, claim.incarnation, {}, 0, {}, claim.from}, &known, now);
}

bool Membership::admits(const wire::Suspect& claim, const Member& known, Instant now) {
  const Claim question{claim.node, RecordState::suspect, claim.incarnation, {}, 0, {}, claim.from};
  if (ask(question, &known, now) != Verdict::drop) return true;
  core_.refuse(claim.node, kNotAdmitted);
  return false;
}

}  // namespace wesher::gossip
