#include "mesh/evidence.h"

#include <algorithm>

#include "mesh/words.h"
#include "wire/node_meta.h"
#include "wire/signed_record.h"

namespace wesher::mesh {

namespace {

Belief accept(std::string reason = {}) {
  return {true, false, std::move(reason)};
}

Belief refuse(std::string reason, bool ask = false) {
  return {false, ask, std::move(reason)};
}

bool same_place(const Member& member, const gossip::Claim& claim) {
  const auto address = IpAddress::from_bytes(claim.address);
  return address && *address == member.underlay && member.gossip_port == claim.port;
}

/// A record of the identity that holds the name: only a newer one replaces what is known.
Belief judge_same(const SignedClaim& known, const SignedClaim& claimed) {
  if (claimed.epoch < known.epoch) return refuse("its record is older than the one that is known");
  if (claimed.epoch == known.epoch && claimed != known)
    return refuse("it is signed twice under one epoch, with different content");
  return accept();
}

}  // namespace

SignatureCheck check_signature(const gossip::Claim& claim) {
  const auto meta = wire::decode_node_meta(claim.meta);
  if (!meta) return {};  // nothing that could be signed; the judge says what is wrong with it
  const auto record = wire::decode_trailer(claim.meta, meta->gob_bytes);
  if (!record) {
    // A later version's trailer is no reason to refuse what it is behind.
    if (record.error().code == Errc::unsupported) return {};
    return {std::nullopt, record.error().detail};
  }
  if (!*record) return {};
  const wire::SignedRecord& said = **record;
  if (!wire::verify(said, claim.meta, meta->gob_bytes, {claim.name, claim.address, claim.port}))
    return {std::nullopt, "its signature is wrong"};
  const bool for_good =
      said.has(wire::record_flag::kLeaving) && said.has(wire::record_flag::kForGood);
  return {SignedClaim{said.identity, said.epoch, said.claim_time, said.instance, for_good}, {}};
}

Belief judge_alive(const Holder& holder,
                   const gossip::Claim& claim,
                   const SignatureCheck& signature,
                   std::optional<Duration> takeover_after) {
  if (!signature.fault.empty()) return refuse("its record is not valid: " + signature.fault);
  if (holder.member == nullptr) return accept();
  const Member& member = *holder.member;
  const bool here = same_place(member, claim);
  if (signature.record && member.signed_claim &&
      signature.record->identity == member.signed_claim->identity) {
    return judge_same(*member.signed_claim, *signature.record);
  }
  if (member.state == MemberState::gone) return accept();
  if (member.state == MemberState::left && (!member.signed_claim || here)) return accept();
  if (member.state == MemberState::left && member.signed_claim->for_good) return accept();

  // From here on somebody else than the one who held the name.
  const bool pinned = member.signed_claim.has_value();
  if (!pinned && here) {
    // Whoever signs holds the name from then on, so that must not be somebody else's word.
    const bool asked = claim.proof == gossip::Proof::confirmed;
    if (!signature.record || !holder.live || asked) return accept();
    return refuse("the name belongs to a live member that signs nothing", true);
  }
  // Without an address there is nothing to sign; giving it up takes the member's own word.
  if (pinned && !signature.record && here && claim.meta.empty()) {
    if (claim.proof == gossip::Proof::confirmed) return accept();
    return refuse("it announces no address any more, and was not asked yet", true);
  }
  if (pinned && !signature.record) {
    return refuse("its record is not signed, and the name belongs to identity " +
                  member.signed_claim->identity.fingerprint());
  }
  const std::string changed = "the identity of the name changed";
  if (holder.live) {
    const bool confirmed = here && claim.proof == gossip::Proof::confirmed;
    return confirmed ? accept(changed) : refuse("the name belongs to a live member", here);
  }
  if (here) return accept(changed);
  if (!takeover_after) return refuse("the name belongs to a member that is silent");
  if (holder.since < *takeover_after) {
    return refuse("the name belongs to a member that is silent; it is free in " +
                  elapsed_text(*takeover_after - holder.since));
  }
  return accept(changed);
}

}  // namespace wesher::mesh
