// Applying claims: membership.h. Sources of the rules are named in transition.h.
#include "gossip/membership.h"

#include <algorithm>
#include <utility>

#include "wire/limits.h"

namespace wesher::gossip {

namespace {

/// A name conflict is reported at most this often for each name: gossip repeats it many times.
constexpr Duration kConflictEvery = std::chrono::seconds{10};

constexpr auto kAlive = static_cast<std::uint8_t>(wire::EntryState::alive);
constexpr auto kLeft = static_cast<std::uint8_t>(wire::EntryState::left);

constexpr std::string_view kNotAdmitted = "the admission rules refuse it";

wire::Versions versions_of(const wire::AliveView& claim) {
  wire::Versions versions{};
  std::copy_n(claim.versions.begin(), std::min(claim.versions.size(), versions.size()),
              versions.begin());
  return versions;
}

Claim claim_of(const wire::AliveView& claim, Way way, RecordState state = RecordState::alive) {
  const Proof proof = way == Way::himself ? Proof::confirmed : Proof::none;
  return {claim.node, state,      claim.incarnation, claim.address,
          claim.port, claim.meta, claim.node,        proof};
}

bool asked_for(Way way) {
  return way == Way::answer || way == Way::himself;
}

}  // namespace

void Membership::hear(wire::AliveView claim, Way way, Instant now) {
  // Protocol version 1 left the port out; the receiver's own stands for it.
  if (claim.port == 0) claim.port = core_.config.port;
  Member* known = core_.table.find(claim.node);
  Judgement judgement = judge(known == nullptr ? nullptr : &known->record, claim,
                              core_.subject(claim.node), core_.config.allow_loopback);
  if (core_.admission != nullptr) ask_about(claim, known, way, judgement, now);
  const bool counts = judgement.action == Action::alive || judgement.action == Action::refute;
  if (counts && jumps(known, claim.incarnation, way)) return question(*known, now);
  if (settled(judgement, claim.node, claim.incarnation, now)) return;
  if (known == nullptr) {
    if (starts_far_ahead(claim, way)) return question(claim, now);
    return apply(known, claim, way, now);
  }
  if (way == Way::answer) core_.table.lift(*known, Standing::vouched);
  switch (judgement.action) {
    case Action::differs:  // its next number overrules both
      return tell(*known, claim.incarnation, now);
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

void Membership::ask_about(
    const wire::AliveView& claim, const Member* known, Way way, Judgement& judgement, Instant now) {
  if (judgement.action == Action::refuse) return;
  if (claim.node == core_.config.name) {
    if (asked_for(way)) core_.admission->own_name_heard(claim_of(claim, way), now);
    return;
  }
  if (judgement.action == Action::conflict &&
      core_.admission->may_move(claim_of(claim, way), known->record, now)) {
    judgement.action = Action::alive;
  }
}

bool Membership::settled(const Judgement& judgement,
                         std::string_view name,
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
      return core_.table.count(member, claim.incarnation);
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
      if (verdict == Verdict::accept) core_.table.count(member, claim.incarnation);
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

void Membership::hear(const wire::EntryView& entry, Way way, Instant now) {
  const wire::AliveView& member = entry.member;
  const std::string name(entry.state == kAlive ? std::string_view{} : member.node);
  const bool ours = name == core_.config.name && entry.state <= kLeft;
  if (ours && asked_for(way) && core_.admission != nullptr) {
    const auto state = static_cast<RecordState>(entry.state);
    core_.admission->own_name_heard(claim_of(member, way, state), now);
  }
  switch (entry.state) {
    case kAlive:
      return hear(member, way, now);
    case static_cast<std::uint8_t>(wire::EntryState::suspect):
    case static_cast<std::uint8_t>(wire::EntryState::dead):
      return hear(wire::Suspect{member.incarnation, name, core_.config.name}, way, now);
    case kLeft:
      return hear(wire::Dead{member.incarnation, name, name}, way, now);
    default:
      return core_.refuse(name, fault_text(ClaimFault::state));
  }
}

void Membership::apply(Member* known, const wire::AliveView& claim, Way way, Instant now) {
  const Verdict verdict = ask(claim_of(claim, way), known, now);
  if (verdict == Verdict::ask && known == nullptr) return question(claim, now);
  if (verdict == Verdict::drop) return core_.refuse(claim.node, kNotAdmitted);
  const bool quiet = verdict == Verdict::keep_quiet;
  if (known == nullptr) return create(claim, way, quiet, now);
  Record& record = known->record;
  const RecordState before = record.state;
  const bool moved = !same_bytes(record.address, claim.address) || record.port != claim.port;
  const wire::Versions versions = versions_of(claim);
  const bool changed = moved || !same_bytes(record.meta, claim.meta) || record.versions != versions;
  clear_suspicion(*known);
  (void)doubts_.end(claim.node);
  if (moved) core_.table.move(*known, claim.address, claim.port);
  if (way == Way::himself) core_.table.lift(*known, Standing::verified);
  record.incarnation = claim.incarnation;
  record.meta = claim.meta;
  record.versions = versions;
  known->quiet = quiet;
  core_.table.touch(*known);
  if (before != RecordState::alive) core_.table.enter(*known, RecordState::alive, now, core_.rng);
  if (!quiet) core_.broadcast(record.name, wire::encode(claim));
  if (before == RecordState::dead || before == RecordState::left) {
    core_.outbox.event(Joined{record});
    core_.news = true;
    return;
  }
  if (before == RecordState::suspect) core_.outbox.event(Suspicion{record});
  if (changed) core_.outbox.event(Updated{record});
}

void Membership::create(const wire::AliveView& claim, Way way, bool quiet, Instant now) {
  Standing standing = Standing::vouched;
  if (way == Way::himself) standing = Standing::verified;
  if (way == Way::hearsay && (core_.admission == nullptr || !core_.admission->knows(claim.node)))
    standing = Standing::hearsay;
  if (!make_room(claim.node, standing, now)) return;
  Member& member = core_.table.add({std::string(claim.node), claim.address, claim.port, claim.meta,
                                    versions_of(claim), claim.incarnation, RecordState::alive, now},
                                   standing, core_.rng);
  member.quiet = quiet;
  if (way == Way::answer) core_.strangers.push_back(member.endpoint);
  if (!quiet) core_.broadcast(claim.node, wire::encode(claim));
  core_.outbox.event(Joined{member.record});
  core_.news = true;
}

void Membership::apply(Member& member, const wire::Suspect& claim, bool tell, Instant now) {
  const auto bounds =
      suspicion_bounds(core_.config.suspicion_mult, core_.config.suspicion_max_timeout_mult,
                       core_.table.size(), core_.config.probe_interval);
  core_.table.count(member, claim.incarnation);
  core_.table.enter(member, RecordState::suspect, now, core_.rng);
  suspicion_of(member, SuspicionTimer(claim.from, bounds, now));
  if (tell) core_.broadcast(claim.node, wire::encode(claim));
  core_.outbox.event(Suspicion{member.record});
}

void Membership::confirm(Member& member, const wire::Suspect& claim, Instant now) {
  core_.table.count(member, std::max(member.record.incarnation, claim.incarnation));
  SuspicionTimer* timer = member.suspicion();
  if (timer == nullptr || !timer->confirm(claim.from)) return;
  core_.broadcast(claim.node, wire::encode(claim));
  set_deadline(member, timer->deadline());
  timeout(now);
}

void Membership::apply(Member& member, const wire::Dead& claim, Instant now) {
  const bool left = claim.node == claim.from;
  clear_suspicion(member);
  core_.table.count(member, claim.incarnation);
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

void Membership::conflict(Member& member, const wire::AliveView& claim, Instant now) {
  doubts_.follow(claim);
  auto& told = member.trouble().conflict_told;
  if (told && now - *told < kConflictEvery) return;
  told = now;
  const Record& known = member.record;
  core_.outbox.event(
      NameConflict{known.name, known.address, known.port, claim.address, claim.port});
}

void Membership::accuse(Member& member, Instant now) {
  if (member.record.state == RecordState::alive) return;
  if (!core_.announced() || &member == &core_.table.self()) return;
  auto& told = member.trouble().accused;
  if (told && now - *told < kAccuseEvery) return;
  told = now;
  const Bytes accusation = accusation_of(member.record, core_.config.name);
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
  suspicion_of(member, SuspicionTimer(core_.config.name, bounds, now));
}

void Membership::suspicion_of(Member& member, SuspicionTimer timer) {
  set_deadline(member, timer.deadline());
  member.trouble().suspicion = std::move(timer);
}

void Membership::set_deadline(Member& member, Instant at) {
  Instant& end = member.trouble().suspicion_end;
  deadlines_.erase({end, member.id});
  end = at;
  deadlines_[{at, member.id}] = &member;
}

void Membership::clear_suspicion(Member& member) {
  if (member.suspicion() == nullptr) return;
  deadlines_.erase({member.trouble().suspicion_end, member.id});
  member.trouble().suspicion.reset();
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
