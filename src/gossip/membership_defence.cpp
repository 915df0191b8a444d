// What keeps claims of whoever holds a key within bounds: room, jumps, rates, doubts. membership.h.
#include <algorithm>

#include "gossip/membership.h"
#include "wire/limits.h"

namespace wesher::gossip {

namespace {

/// A member is asked for its own record at most this often.
constexpr Duration kQuestionEvery = std::chrono::seconds{10};

}  // namespace

/// Whether there is room for a new name; one that weighs less may have to go for it.
bool Membership::make_room(std::string_view name, Standing standing, Instant now) {
  const bool hearsay = standing == Standing::hearsay;
  if (hearsay && !names_.take(now, limits::kNewNamesAtOnce)) {
    core_.refuse(name, "too many new names at a time");
    return false;
  }
  const bool full = core_.table.size() >= limits::kMembers;
  if (!full && (!hearsay || core_.table.hearsay() < limits::kMembersUnverified)) return true;
  Member* last = core_.table.evictable();
  if (last == nullptr || last->standing > standing) {
    core_.refuse(name, "the table of members is full");
    return false;
  }
  evict(*last);
  return true;
}

void Membership::evict(Member& member) {
  clear_suspicion(member);
  const std::string name = member.record.name;
  (void)doubts_.end(name);
  core_.table.remove(member);
  core_.outbox.event(Evicted{name});
}

bool Membership::jumps(const Member* known, std::uint32_t incarnation, Way way) {
  if (known == nullptr || way == Way::himself) return false;
  const std::uint32_t have = known->record.incarnation;
  if (incarnation <= have || incarnation - have <= limits::kIncarnationJump) return false;
  // About ourselves nobody can ask anybody better: what a member holds of us is to be answered.
  const bool self = known == &core_.table.self();
  if (self && way == Way::answer) return false;
  core_.refuse(known->record.name, "its incarnation is far ahead of what it was");
  return true;
}

bool Membership::starts_far_ahead(const wire::AliveView& claim, Way way) {
  if (way == Way::himself || claim.incarnation <= limits::kIncarnationNew) return false;
  core_.refuse(claim.node, "its incarnation is far ahead of what a new name has");
  return true;
}

void Membership::question(const wire::AliveView& claim, Instant now) {
  const auto address = IpAddress::from_bytes(claim.address);
  if (address && strangers_.take(now, limits::kStrangersAsked))
    core_.questions.push_back({*address, claim.port});
}

/// Asks for the true record: the member itself; about ourselves a few others, which are to be
/// answered if they believe the claim, and only then.
void Membership::question(Member& member, Instant now) {
  auto& asked = member.trouble().questioned;
  if (asked && now - *asked < kQuestionEvery) return;
  asked = now;
  if (&member != &core_.table.self()) {
    core_.questions.push_back(member.endpoint);
    return;
  }
  for (const Member* other : core_.table.choose_alive(core_.rng, core_.config.indirect_checks))
    core_.questions.push_back(other->endpoint);
}

bool Membership::may_accuse(const std::string& name,
                            const std::string& from,
                            Way way,
                            Instant now) {
  if (way == Way::answer || way == Way::himself) return true;
  // Who falls silent in a whole rack is told of by one neighbour at once.
  const std::size_t at_once = std::max<std::size_t>(limits::kAccusations, core_.table.size());
  Member* accuser = core_.table.find(from);
  const bool member = accuser != nullptr && accuser != &core_.table.self();
  if ((member ? accuser->trouble().accusations : accusations_).take(now, at_once)) return true;
  core_.refuse(name, "its accuser accuses too often");
  return false;
}

/// The hook wants a death to be taken as a suspicion: so it is, among us, until the accused was
/// asked.
void Membership::doubt(Member& member, const wire::Dead& claim, Instant now) {
  if (!doubts_.begin(member, claim, now))
    return core_.refuse(claim.node, "too many are said to be gone at a time");
  const bool anonymous = claim.from.empty() || claim.from == claim.node;
  const wire::Suspect suspicion{claim.incarnation, claim.node,
                                anonymous ? core_.config.name : claim.from};
  if (member.record.state == RecordState::alive) return apply(member, suspicion, false, now);
  core_.table.count(member, std::max(member.record.incarnation, claim.incarnation));
}

/// The member hears what is said about it, although we don't believe it: others may.
void Membership::tell(Member& member, std::uint32_t incarnation, Instant now) {
  if (&member == &core_.table.self()) return question(member, now);
  if (!core_.announced()) return;
  auto& told = member.trouble().accused;
  if (told && now - *told < kAccuseEvery) return;
  told = now;
  const Bytes accusation =
      wire::encode(wire::Suspect{incarnation, member.record.name, core_.config.name});
  core_.outbox.send(member.endpoint, {&accusation, 1});
}

}  // namespace wesher::gossip
