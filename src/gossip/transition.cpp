// The rules of transition.h in the order in which memberlist asks them; the order is observable.
#include "gossip/transition.h"

namespace wesher::gossip {

namespace {

bool down(RecordState state) {
  return state == RecordState::dead || state == RecordState::left;
}

bool same_content(const Record& known, const wire::AliveView& claim) {
  return same_bytes(known.meta, claim.meta) && same_bytes(known.versions, claim.versions);
}

/// Evidence about a record that is down already.
Judgement raise_or_ignore(const Record& known, std::uint32_t incarnation) {
  return {incarnation > known.incarnation ? Action::raise : Action::ignore};
}

}  // namespace

Judgement judge(const Record* known,
                const wire::AliveView& claim,
                Subject subject,
                bool allow_loopback) {
  if (subject == Subject::self_gone) return {Action::ignore};
  if (const ClaimFault fault = check(claim, allow_loopback); fault != ClaimFault::none)
    return {Action::refuse, fault};
  if (known == nullptr) return {Action::create};
  const bool moved = !same_bytes(known->address, claim.address) || known->port != claim.port;
  if (moved && known->state != RecordState::left) return {Action::conflict};
  if (subject == Subject::self) {
    if (claim.incarnation < known->incarnation) return {Action::ignore};
    if (claim.incarnation == known->incarnation && same_content(*known, claim))
      return {Action::ignore};
    return {Action::refute};
  }
  if (!moved && claim.incarnation == known->incarnation && !same_bytes(known->meta, claim.meta))
    return {Action::differs};
  if (!moved && claim.incarnation <= known->incarnation) return {Action::stale};
  return {Action::alive};
}

Judgement judge(const Record* known, const wire::Suspect& claim, Subject subject, bool trusted) {
  if (!trusted) {
    if (const ClaimFault fault = check(claim); fault != ClaimFault::none)
      return {Action::refuse, fault};
  }
  if (known == nullptr || claim.incarnation < known->incarnation) return {Action::ignore};
  if (subject == Subject::self_gone) return {Action::ignore};
  if (subject == Subject::self) return {Action::refute};
  if (known->state == RecordState::suspect) return {Action::confirm};
  if (down(known->state)) return raise_or_ignore(*known, claim.incarnation);
  return {Action::suspect};
}

Judgement judge(const Record* known, const wire::Dead& claim, Subject subject, bool trusted) {
  if (!trusted) {
    if (const ClaimFault fault = check(claim); fault != ClaimFault::none)
      return {Action::refuse, fault};
  }
  if (known == nullptr || claim.incarnation < known->incarnation) return {Action::ignore};
  if (subject == Subject::self_gone) return {Action::ignore};
  if (subject == Subject::self) return {Action::refute};
  if (down(known->state)) return raise_or_ignore(*known, claim.incarnation);
  return {claim.node == claim.from ? Action::left : Action::dead};
}

}  // namespace wesher::gossip
