// Whose a name is: what is believed of others, who else has ours, who is forgotten.
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/words.h"

namespace wesher::mesh {

namespace {

/// How soon a node whose name is taken asks again whether it is free.
constexpr Duration kNamesakeRetry = std::chrono::seconds{30};

Endpoint place_of(const gossip::Claim& claim) {
  return {IpAddress::from_bytes(claim.address).value_or(IpAddress{}), claim.port};
}

}  // namespace

Belief Mesh::Impl::judge_claim(const gossip::Claim& claim,
                               const SignatureCheck& signature,
                               Instant now) const {
  const Member* member = roster_.find(claim.name);
  const bool live = roster_.is_live(claim.name) || roster_.is_unconfirmed(claim.name);
  return judge_alive({member, live, roster_.state_age(claim.name, now)}, claim, signature,
                     config_.takeover_after);
}

bool Mesh::Impl::believes(const gossip::Claim& claim, Instant now) {
  SignatureCheck signature = check_signature(claim);
  const Belief belief = judge_claim(claim, signature, now);
  if (!belief.accept) {
    refuse(claim, belief, now);
    return false;
  }
  checked_[std::string(claim.name)] = {Bytes(claim.meta.begin(), claim.meta.end()),
                                       std::move(signature.record)};
  if (!belief.reason.empty()) {
    herald_.say(Severity::lifecycle, "identity-changed",
                printable(claim.name) + " at " + place_of(claim).text() + ": " + belief.reason);
  }
  return true;
}

void Mesh::Impl::refuse(const gossip::Claim& claim, const Belief& belief, Instant now) {
  const Endpoint at = place_of(claim);
  if (belief.ask && ask_back_.size() < kAskBackMax) ask_back_.insert(at);
  if (!refusals_.pass(std::string(claim.name) + belief.reason + at.text(), now)) return;
  std::string line = "a record of " + printable(claim.name) + " at " + at.text() +
                     " was refused: " + belief.reason;
  const Member* holder = roster_.find(claim.name);
  if (holder != nullptr && !is_live_state(holder->state))
    line += ". To give the name up now: 'wesher forget " + printable(claim.name) + "'";
  herald_.say(Severity::info, "name-conflict", std::move(line));
}

/// Memberlist keeps a name at its address until it left. Ours may move under its own signature, and
/// whoever was silent for long enough makes way.
bool Mesh::Impl::may_move(const gossip::Claim& claim, const gossip::Record& known, Instant now) {
  const Member* member = roster_.find(claim.name);
  if (member == nullptr) return false;
  const SignatureCheck signature = check_signature(claim);
  const Belief belief = judge_claim(claim, signature, now);
  if (!belief.accept) return false;
  const bool same = signature.record && member->signed_claim &&
                    signature.record->identity == member->signed_claim->identity;
  if (same) return signature.record->epoch > member->signed_claim->epoch;
  return known.state == gossip::RecordState::dead;
}

/// What an event's record was found to be; a state that changes without new content keeps it.
std::optional<SignedClaim> Mesh::Impl::signature_of(const gossip::Record& record) const {
  const auto checked = checked_.find(record.name);
  if (checked != checked_.end() && checked->second.meta == record.meta)
    return checked->second.record;
  const Member* member = roster_.find(record.name);
  return member == nullptr ? std::nullopt : member->signed_claim;
}

/// Those of whom it was said that another identity has their name now, at their own address: only
/// what answers there tells.
void Mesh::Impl::ask_back(const Moment& now) {
  for (const Endpoint& at : std::exchange(ask_back_, {})) {
    if (phase_ == Phase::announced && contested_.pass("ask " + at.text(), now.at))
      contact(at, Call::urgent_join, now.at);
  }
}

void Mesh::Impl::own_name_heard(const gossip::Claim& claim, Instant now) {
  static_cast<void>(now);
  if (phase_ != Phase::probing && phase_ != Phase::waiting) return;
  const SignatureCheck signature = check_signature(claim);
  if (!signature.fault.empty()) return;
  const bool ours = signature.record && own_.identity() == signature.record->identity;
  if (ours) return;
  const Endpoint at = place_of(claim);
  const Judgement judged = judge_.metadata(claim.name, claim.meta, at.address);
  const bool gone =
      claim.state == gossip::RecordState::dead || claim.state == gossip::RecordState::left;
  if (gone || at == own_endpoint_) {
    // This host, or one before it, had the name under another identity, or without one: the name
    // keeps its address.
    if (judged.meta) inherited_ = judged.meta->overlay;
    return;
  }
  Namesake other{at, std::nullopt, judged.meta ? judged.meta->overlay.text() : std::string{}};
  if (signature.record) other.identity = signature.record->identity;
  namesake_ = std::move(other);
}

bool Mesh::Impl::name_is_taken(const Moment& now) {
  if (!namesake_ || !own_.is_signed()) return false;
  const std::string name = printable(config_.gossip.name);
  std::string who = namesake_->overlay;
  if (namesake_->identity) {
    if (!who.empty()) who += ", ";
    who += "identity " + namesake_->identity->fingerprint();
  }
  if (!who.empty()) who = " (" + who + ")";
  if (conflicts_.pass("own name " + namesake_->at.text(), now.at)) {
    std::string free = "not before 'wesher forget " + name + "' on the members";
    if (config_.takeover_after) {
      free = span_text(*config_.takeover_after) + " after its last sign of life, or now with " +
             "'wesher forget " + name + "' on the members";
    }
    herald_.say(Severity::lifecycle, "name-conflict",
                "the name " + name + " belongs to a live member at " + namesake_->at.text() + who +
                    ". This host stays out of the mesh. Remedy: start it with --node-name NAME, or "
                    "rename the host. If the other one is gone: its name is free " +
                    free + ". Trying again every " + span_text(kNamesakeRetry));
  }
  retry_later(kNamesakeRetry, now);
  return true;
}

Result<std::string> Mesh::Impl::forget(std::string_view name, const Moment& now) {
  const Member* member = roster_.find(name);
  const std::string shown = printable(name);
  if (member == nullptr) return fail(Errc::not_found, "no member is called " + shown);
  if (roster_.is_live(name)) {
    return fail(Errc::busy, shown + " is " + std::string(to_text(member->state)) +
                                ": only members that failed or left can be forgotten");
  }
  const std::string what = shown + " is forgotten; it was " + std::string(to_text(member->state)) +
                           " for " + elapsed_text(roster_.state_age(name, now.at));
  roster_.drop(std::string(name), "forgotten by request");
  collect(now);
  return what;
}

std::vector<std::string> Mesh::Impl::forget_failed_older(Duration age, const Moment& now) {
  std::vector<std::string> names;
  for (const Member& member : roster_.all()) {
    const bool old =
        member.state == MemberState::failed && roster_.state_age(member.name, now.at) >= age;
    if (old && forget(member.name, now)) names.push_back(member.name);
  }
  return names;
}

}  // namespace wesher::mesh
