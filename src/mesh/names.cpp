// Whose a name is: what is believed of others, who else has ours.
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
  watch_for_copies(claim, signature, now);
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

/// What an event's record was found to be; a state that changes without new content keeps it, and
/// so does a record without content: the name belongs to whom it belonged.
std::optional<SignedClaim> Mesh::Impl::signature_of(const gossip::Record& record) const {
  const auto checked = checked_.find(record.name);
  if (checked != checked_.end() && checked->second.meta == record.meta && !record.meta.empty())
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
  const SignatureCheck signature = check_signature(claim);
  if (!signature.fault.empty()) return;
  watch_for_copies(claim, signature, now);
  if (phase_ != Phase::probing && phase_ != Phase::waiting) return;
  const Endpoint at = place_of(claim);
  if (at == own_endpoint_ && claim.state != gossip::RecordState::left) {
    known_form_.reset();
    if (!same_bytes(claim.address, config_.gossip.address))
      known_form_ = Bytes(claim.address.begin(), claim.address.end());
  }
  const bool ours = signature.record && own_.identity() == signature.record->identity;
  if (ours) return;
  const Judgement judged =
      judge_.metadata(claim.name, claim.meta, at.address, signature.record.has_value());
  const bool gone =
      claim.state == gossip::RecordState::dead || claim.state == gossip::RecordState::left;
  if (gone || at == own_endpoint_) {
    // This host, or one before it, had the name under another identity, or without one: the name
    // keeps its address.
    if (judged.meta) rules_.inherit(judged.meta->overlay);
    const bool silent = claim.state == gossip::RecordState::dead && at != own_endpoint_;
    if (silent && signature.record) predecessor_ = at;
    return;
  }
  Namesake other{at, std::nullopt, judged.meta ? judged.meta->overlay.text() : std::string{}};
  if (signature.record) other.identity = signature.record->identity;
  namesake_ = std::move(other);
}

/// The members take us for its heir only when it has been silent for long enough.
void Mesh::Impl::tell_of_predecessor() {
  if (!predecessor_ || !own_.is_signed()) return;
  const std::string name = printable(config_.gossip.name);
  const std::string after = config_.takeover_after
                                ? "once that one has been silent for " +
                                      span_text(*config_.takeover_after) + ", or after "
                                : "only after ";
  herald_.say(Severity::lifecycle, "name-conflict",
              "the name " + name + " was another machine's at " + predecessor_->text() +
                  ", which is silent: members take this host in " + after + "'wesher forget " +
                  name + "' on one of them");
  predecessor_.reset();
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

/// Memberlist compares addresses byte by byte, and takes 4 and 16 bytes of one for two hosts: what
/// the members have of us, from the Go program on this host or an earlier life, stays.
void Mesh::Impl::keep_form(const Moment& now) {
  if (!known_form_) return;
  const Bytes form = *std::exchange(known_form_, std::nullopt);
  own_.set_underlay(form);
  auto meta = own_.renew();
  want_epochs(now);
  if (meta) {
    node_.move_to({form, own_endpoint_.port, std::move(meta), false}, now.at);
  } else {  // nothing that could be signed is left
    own_.set_underlay(config_.gossip.address);
  }
}

}  // namespace wesher::mesh
