// Applying claims: membership.h. Sources of the rules are named in transition.h.
#include "gossip/membership.h"

#include <algorithm>
#include <utility>

#include "wire/limits.h"

namespace wesher::gossip {

namespace {

/// A name conflict is reported at most this often for each name: gossip repeats it many times.
constexpr Duration kConflictEvery = std::chrono::seconds{10};

constexpr std::string_view kNotAdmitted = "the admission rules refuse it";

wire::Versions versions_of(const wire::Alive& claim) {
  wire::Versions versions{};
  std::copy_n(claim.versions.begin(), std::min(claim.versions.size(), versions.size()),
              versions.begin());
  return versions;
}

wire::Alive alive_of(wire::PushPullEntry entry) {
  return {entry.incarnation,     std::move(entry.name), std::move(entry.address),
          entry.port,            std::move(entry.meta), entry.nil_meta,
          std::move(entry.versions)};
}

}  // namespace

void Membership::hear(wire::Alive claim, Way way, Instant now) {
  // Protocol version 1 left the port out; the receiver's own stands for it.
  if (claim.port == 0) claim.port = core_.config.port;
  Member* known = core_.table.find(claim.node);
  const Judgement judgement = judge(known == nullptr ? nullptr : &known->record, claim,
                                    core_.subject(claim.node), core_.config.allow_loopback);
  const bool counts = judgement.action == Action::alive || judgement.action == Action::refute;
  if (counts && jumps(known, claim.incarnation, way)) return question(*known, now);
  if (settled(judgement, claim.node, claim.incarnation, now)) return;
  if (known == nullptr) return apply(known, claim, way, now);
  if (way == Way::answer) core_.table.lift(*known, Standing::vouched);
  switch (judgement.action) {
    case Action::stale:
      if (way == Way::himself) core_.table.lift(*known, Standing::verified);
      return accuse(*known, now);
    case Action::conflict:
      return conflict(*known, claim, now);
    case Action::alive:
      return apply(known, claim, way, now);
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

void Membership::hear(const wire::Suspect& claim, Way way, Instant now) {
  Member* known = core_.table.find(claim.node);
  const Judgement judgement =
      judge(known == nullptr ? nullptr : &known->record, claim, core_.subject(claim.node));
  const bool counts = judgement.action != Action::refuse && judgement.action != Action::ignore;
  if (counts && jumps(known, claim.incarnation, way)) return tell(*known, claim.incarnation, now);
  if (settled(judgement, claim.node, claim.incarnation, now) || known == nullptr) return;
  if (!may_accuse(claim.node, claim.from, way, now) || !admits(claim, *known, now)) return;
  act(judgement, *known, claim, now);
}

void Membership::suspect(const std::string& name, std::uint32_t incarnation, Instant now) {
  const wire::Suspect claim{incarnation, name, core_.config.name};
  Member* known = core_.table.find(name);
  if (known == nullptr) return;
  const Judgement judgement = judge(&known->record, claim, core_.subject(name), true);
  if (judgement.action != Action::ignore && admits(claim, *known, now))
    act(judgement, *known, claim, now);
}

void Membership::act(const Judgement& judgement,
                     Member& member,
                     const wire::Suspect& claim,
                     Instant now) {
  switch (judgement.action) {
    case Action::confirm:
      return confirm(member, claim, now);
    case Action::raise:
      member.record.incarnation = claim.incarnation;
      return;
    case Action::suspect:
      return apply(member, claim, true, now);
    default:
      return;
  }
}

void Membership::hear(const wire::Dead& claim, Way way, Instant now) {
  Member* known = core_.table.find(claim.node);
  const Judgement judgement =
      judge(known == nullptr ? nullptr : &known->record, claim, core_.subject(claim.node));
  const bool counts = judgement.action != Action::refuse && judgement.action != Action::ignore;
  if (counts && jumps(known, claim.incarnation, way)) return tell(*known, claim.incarnation, now);
  if (settled(judgement, claim.node, claim.incarnation, now) || known == nullptr) return;
  if (!may_accuse(claim.node, claim.from, way, now)) return;
  const bool confirmed = way == Way::himself && claim.from == claim.node;
  act(judgement, *known, claim, confirmed ? Proof::confirmed : Proof::none, now);
}

void Membership::act(
    const Judgement& judgement, Member& member, const wire::Dead& claim, Proof proof, Instant now) {
  const Verdict verdict = ask(claim, member, proof, now);
  switch (judgement.action) {
    case Action::raise:
      if (verdict == Verdict::accept) member.record.incarnation = claim.incarnation;
      return;
    case Action::dead:
    case Action::left:
      if (verdict == Verdict::suspect_instead) return doubt(member, claim, now);
      if (verdict == Verdict::drop) return core_.refuse(claim.node, kNotAdmitted);
      return apply(member, claim, now);
    default:
      return;
  }
}

void Membership::hear(wire::PushPullEntry entry, Way way, Instant now) {
  switch (entry.state) {
    case static_cast<std::uint8_t>(wire::EntryState::alive):
      return hear(alive_of(std::move(entry)), way, now);
    case static_cast<std::uint8_t>(wire::EntryState::suspect):
    case static_cast<std::uint8_t>(wire::EntryState::dead):
      return hear(wire::Suspect{entry.incarnation, entry.name, core_.config.name}, way, now);
    case static_cast<std::uint8_t>(wire::EntryState::left):
      return hear(wire::Dead{entry.incarnation, entry.name, entry.name}, way, now);
    default:
      return core_.refuse(entry.name, fault_text(ClaimFault::state));
  }
}

void Membership::apply(Member* known, const wire::Alive& claim, Way way, Instant now) {
  const Claim question{claim.node, RecordState::alive, claim.incarnation, claim.address,
                       claim.port, claim.meta,         claim.node,        Proof::none};
  const Verdict verdict = ask(question, known, now);
  if (verdict == Verdict::drop) return core_.refuse(claim.node, kNotAdmitted);
  const bool quiet = verdict == Verdict::keep_quiet;
  if (known == nullptr) return create(claim, way, quiet, now);
  Record& record = known->record;
  const RecordState before = record.state;
  const bool moved = record.address != claim.address || record.port != claim.port;
  const wire::Versions versions = versions_of(claim);
  const bool changed = moved || record.meta != claim.meta || record.versions != versions;
  clear_suspicion(*known);
  (void)doubts_.end(claim.node);
  if (moved) core_.table.move(*known, claim.address, claim.port);
  if (way == Way::himself) core_.table.lift(*known, Standing::verified);
  record.incarnation = claim.incarnation;
  record.meta = claim.meta;
  record.versions = versions;
  known->quiet = quiet;
  if (before != RecordState::alive) core_.table.enter(*known, RecordState::alive, now, core_.rng);
  if (!quiet) core_.broadcast(record.name, wire::encode(claim));
  if (before == RecordState::dead || before == RecordState::left) {
    core_.outbox.event(Joined{record});
    return;
  }
  if (before == RecordState::suspect) core_.outbox.event(Suspicion{record});
  if (changed) core_.outbox.event(Updated{record});
}

void Membership::create(const wire::Alive& claim, Way way, bool quiet, Instant now) {
  Standing standing = Standing::vouched;
  if (way == Way::himself) standing = Standing::verified;
  if (way == Way::hearsay && (core_.admission == nullptr || !core_.admission->knows(claim.node)))
    standing = Standing::hearsay;
  if (!make_room(claim.node, standing, now)) return;
  Member& member = core_.table.add({claim.node, claim.address, claim.port, claim.meta,
                                    versions_of(claim), claim.incarnation, RecordState::alive, now},
                                   standing, core_.rng);
  member.quiet = quiet;
  if (!quiet) core_.broadcast(claim.node, wire::encode(claim));
  core_.outbox.event(Joined{member.record});
}

void Membership::apply(Member& member, const wire::Suspect& claim, bool tell, Instant now) {
  const auto bounds =
      suspicion_bounds(core_.config.suspicion_mult, core_.config.suspicion_max_timeout_mult,
                       core_.table.size(), core_.config.probe_interval);
  member.record.incarnation = claim.incarnation;
  core_.table.enter(member, RecordState::suspect, now, core_.rng);
  member.suspicion.emplace(claim.from, bounds, now);
  set_deadline(member, member.suspicion->deadline());
  if (tell) core_.broadcast(claim.node, wire::encode(claim));
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
  const auto successor = doubts_.end(claim.node);
  if (left && successor) hear(*successor, Way::hearsay, now);
}

void Membership::conflict(Member& member, const wire::Alive& claim, Instant now) {
  doubts_.follow(claim);
  if (member.conflict_told && now - *member.conflict_told < kConflictEvery) return;
  member.conflict_told = now;
  const Record& known = member.record;
  core_.outbox.event(
      NameConflict{known.name, known.address, known.port, claim.address, claim.port});
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
  for (const wire::Dead& claim : doubts_.timeout(now)) {
    if (Member* member = core_.table.find(claim.node)) {
      const Judgement judgement = judge(&member->record, claim, core_.subject(claim.node), true);
      act(judgement, *member, claim, Proof::silent, now);
    }
    (void)doubts_.end(claim.node);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now)
    suspicion_over(*deadlines_.begin()->second, now);
}

void Membership::suspicion_over(Member& member, Instant now) {
  const wire::Dead verdict{member.record.incarnation, member.record.name, core_.config.name};
  const Verdict admitted = ask(verdict, member, Proof::silent, now);
  if (admitted == Verdict::accept) return apply(member, verdict, now);
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

Verdict Membership::ask(const wire::Dead& claim,
                        const Member& known,
                        Proof proof,
                        Instant now) const {
  const RecordState state = claim.node == claim.from ? RecordState::left : RecordState::dead;
  const Claim question{claim.node, state, claim.incarnation, {}, 0, {}, claim.from, proof};
  return ask(question, &known, now);
}

bool Membership::admits(const wire::Suspect& claim, const Member& known, Instant now) {
  const Claim question{claim.node, RecordState::suspect, claim.incarnation, {}, 0,
                       {},         claim.from,           Proof::none};
  if (ask(question, &known, now) != Verdict::drop) return true;
  core_.refuse(claim.node, kNotAdmitted);
  return false;
}

}  // namespace wesher::gossip
