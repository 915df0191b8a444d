// A host that runs on a copy of another one's state: an image that was started more than once, a
// restored disk, a clone under another hostname. It has that one's identity, keys and address, and
// neither machine id nor name nor clock prove which is which. What proves it is an answer: whoever
// signs under our identity with another instance (drawn at each start), when asked at its own
// address, is a second host. If we have not announced ourselves yet, we are the one to become
// somebody else; if both are in the mesh, the one with the larger instance. Nothing is said of the
// old name: it is the other's.
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"

namespace wesher::mesh {

namespace {

/// How long the start waits for whoever is said to have our identity.
constexpr Duration kCopyWait = std::chrono::seconds{2};
constexpr std::size_t kCopiesMax = 8;

}  // namespace

void Mesh::Impl::watch_for_copies(const gossip::Claim& claim,
                                  const SignatureCheck& signature,
                                  Instant now) {
  if (!signature.record || claim.state != gossip::RecordState::alive) return;
  const Endpoint at{IpAddress::from_bytes(claim.address).value_or(IpAddress{}), claim.port};
  if (!is_copy(*signature.record, at)) return;
  if (claim.proof == gossip::Proof::confirmed) {
    copy_found(claim.name, at, signature.record->instance);
  } else if (copies_.size() < kCopiesMax && contested_.pass("copy " + at.text(), now)) {
    copies_.insert(at);
  }
}

bool Mesh::Impl::is_copy(const SignedClaim& record, const Endpoint& at) const {
  return own_.identity() == record.identity && record.instance != config_.instance &&
         at != own_endpoint_;
}

void Mesh::Impl::copy_found(std::string_view name, const Endpoint& at, std::uint64_t instance) {
  const bool starting = phase_ == Phase::probing || phase_ == Phase::waiting;
  // It hears of us, and gives way.
  if (copy_found_ || (!starting && config_.instance < instance)) return;
  copy_found_ = true;
  facts_.push(CopyFound{printable(name), at});
}

void Mesh::Impl::ask_copies(const Moment& now) {
  const Call how = phase_ == Phase::announced ? Call::urgent_join : Call::probe;
  for (const Endpoint& at : std::exchange(copies_, {})) {
    contact(at, how, now.at);
    if (contacts_.contains(at)) copies_asked_.insert(at);
  }
}

/// Somebody answered there: if it is the only member of that place, it is who was asked.
void Mesh::Impl::copy_answered(const Endpoint& at) {
  const Member* member = roster_.find(roster_.sole_live_at(at));
  if (member != nullptr && member->signed_claim && is_copy(*member->signed_claim, at))
    copy_found(member->name, at, member->signed_claim->instance);
}

/// Whether the announcement is to wait for an answer of somebody who is said to have our identity.
bool Mesh::Impl::waits_for_copies(const Moment& now) {
  if (copy_found_) {
    phase_ = Phase::waiting;
    probe_deadline_.reset();
    return true;
  }
  ask_copies(now);
  if (copies_asked_.empty()) return false;
  if (!copies_due_) copies_due_ = now.at + kCopyWait;
  if (*copies_due_ <= now.at) return false;
  probe_deadline_ = copies_due_;
  return true;
}

}  // namespace wesher::mesh
