#include "tests/sim/support/claims_node.h"

#include <utility>

#include "tests/sim/support/claims_watch.h"
#include "wire/limits.h"

namespace wesher::sim::claims {

using namespace std::chrono_literals;
using mesh::AddressRules;

namespace {

/// As in src/mesh.
constexpr Duration kPoolRetry = 15s;
constexpr Duration kNamesakeRetry = 30s;
constexpr Duration kConfirmWithin = 30s;

NodeMeta own_meta(const Disk& disk) {
  return {disk.overlay, disk.key, MetaFormat::f2};
}

}  // namespace

Node::Node(const Setup& setup, Disk& disk, Watch& watch, const Moment& now)
    : setup_(setup),
      disk_(disk),
      watch_(watch),
      judge_(own_meta(disk), {setup.net}, underlay_of(setup.place)),
      roster_({kRetention, std::chrono::days{30}, limits::kMembers}),
      rules_({setup.name, disk.identity, setup.net, setup.fixed, setup.host_addresses, disk.claimed,
              disk.claim_is_new},
             roster_),
      was_new_(disk.claim_is_new) {
  restore(now);
}

void Node::restore(const Moment& now) {
  for (const bool configured : {true, false}) {
    for (const auto& [name, member] : disk_.rows) {
      if ((member.standing == Standing::configured) != configured || name == setup_.name) continue;
      const mesh::Judgement judgement =
          member.meta
              ? judge_.values(name, *member.meta, member.underlay, member.signed_claim.has_value())
              : mesh::Judgement{std::nullopt, member.standing, member.reason};
      roster_.restore(member, judgement, now);
    }
  }
  disk_.rows.erase(setup_.name);
  collect({}, true);
}

void Node::own_name_heard(const Member& row) {
  if (row.signed_claim && row.signed_claim->identity == disk_.identity) return;
  const bool gone = row.state == MemberState::failed || is_departed(row.state);
  if (!gone && row.underlay != underlay_of(setup_.place)) {
    namesake_ = true;
  } else if (row.meta) {
    inherited_ = row.meta->overlay;
    rules_.inherit(*inherited_);
  }
}

void Node::reserved(const wire::Reservation& reservation) {
  rules_.told(reservation);
  if (reservation.name == setup_.name) {
    inherited_ = reservation.overlay;
  } else {
    kept_[reservation.name] = reservation.overlay;
  }
}

void Node::answered(const Moment& now) {
  if (phase_ == Phase::probing) announce(now);
}

void Node::announce(const Moment& now) {
  phase_ = Phase::waiting;
  if (pending_) return;
  if (namesake_) return retry_later(kNamesakeRetry, now);
  if (auto claim = rules_.before_announcing(holding(), now)) {
    watch_.claims(*this, *claim, Watch::Cause::start, was_new_, now);
    was_new_ = false;
    return store_later(std::move(*claim));
  }
  if (!holding().has_address()) {
    watch_.waits(*this);
    return retry_later(kPoolRetry, now);
  }
  watch_.keeps(*this);
  phase_ = Phase::announced;
  rules_.announced();
  inherited_.reset();
  confirm_due_ = now.at + kConfirmWithin;
  renew();
}

void Node::retry_later(Duration pause, const Moment& now) {
  retry_due_ = now.at + pause;
  if (!confirm_due_) confirm_due_ = now.at + kConfirmWithin;
}

void Node::store_later(mesh::OwnClaim claim) {
  pending_ = std::move(claim);
}

void Node::store(const Moment& now) {
  if (!pending_) return;
  const mesh::OwnClaim stored = *std::exchange(pending_, std::nullopt);
  const IpAddress before = disk_.overlay;
  disk_.overlay = stored.overlay.value_or(IpAddress{});
  disk_.claimed = stored.claimed;
  disk_.claim_is_new = false;
  judge_.set_own_overlay(disk_.overlay);
  if (before != disk_.overlay) {
    rejudge(before);
    rejudge(disk_.overlay);
  }
  collect({}, true);
  if (phase_ == Phase::waiting) return announce(now);
  renew();
  for (const std::string& name : roster_.claimants(disk_.overlay))
    contest(*roster_.find(name), now);
}

void Node::rejudge(const IpAddress& overlay) {
  for (const std::string& name : roster_.claimants(overlay)) {
    const Member* member = roster_.find(name);
    roster_.rejudge(name, judge_.values(name, *member->meta, member->underlay,
                                        member->signed_claim.has_value()));
  }
}

void Node::renew() {
  ++disk_.epoch;
  news_ = true;
}

Said Node::record() const {
  Said said{setup_.name, setup_.place, 0, own_meta(disk_), std::nullopt};
  if (said.has_address())
    said.claim = SignedClaim{disk_.identity, disk_.epoch, disk_.claimed, 1, for_good_};
  return said;
}

void Node::contest(const Member& other, const Moment& now) {
  if (pending_ || phase_ != Phase::announced) return;
  switch (rules_.against(other, holding(), now.at)) {
    case AddressRules::Stance::none:
      return;
    case AddressRules::Stance::remind:
      reminders_.push_back(other.name);
      return;
    case AddressRules::Stance::move: {
      watch_.moves(*this, other, now);
      mesh::OwnClaim claim = rules_.make_way(other, holding(), now);
      watch_.claims(*this, claim, Watch::Cause::conflict, false, now);
      return store_later(std::move(claim));
    }
    case AddressRules::Stance::stay:
      watch_.stays(*this, other);
      return;
  }
}

bool Node::hear(const Said& said, gossip::Proof proof, const Moment& now) {
  if (said.name == setup_.name) return false;
  const Member* row = roster_.find(said.name);
  const bool live = roster_.is_live(said.name);
  const bool answers = proof == gossip::Proof::confirmed;
  if (row != nullptr && said.incarnation <= row->incarnation && (live || !answers)) return false;
  const IpAddress underlay = underlay_of(said.place);
  gossip::Claim claim;
  claim.name = said.name;
  claim.incarnation = said.incarnation;
  claim.address = underlay.bytes();
  claim.port = 7946;
  static constexpr std::uint8_t kSomething[] = {1};
  if (said.has_address()) claim.meta = kSomething;
  claim.proof = proof;
  const mesh::Holder holder{row, live || roster_.is_unconfirmed(said.name),
                            roster_.state_age(said.name, now.at)};
  const mesh::Belief belief = mesh::judge_alive(holder, claim, {said.claim, {}}, kTakeover);
  if (!belief.accept) return belief.ask;
  const Watch::Before before = watch_.before(*this, said);
  mesh::Sighting sighting;
  sighting.name = said.name;
  sighting.underlay_bytes.assign(claim.address.begin(), claim.address.end());
  sighting.gossip_port = claim.port;
  sighting.incarnation = said.incarnation;
  // As Mesh does: whoever has no address signs nothing, and keeps its name.
  sighting.signed_claim = said.has_address() || row == nullptr ? said.claim : row->signed_claim;
  const bool is_signed = sighting.signed_claim.has_value();
  sighting.judgement = said.has_address() ? judge_.values(said.name, said.meta, underlay, is_signed)
                                          : judge_.metadata(said.name, {}, underlay, is_signed);
  roster_.see(sighting, {}, now);
  disk_.in_contact = now.wall;
  collect(said.name);
  watch_.heard(*this, before, said, proof);
  contest(*roster_.find(said.name), now);
  return false;
}

void Node::acked(const std::string& name, const Moment& now) {
  const Member* member = roster_.find(name);
  if (member != nullptr && roster_.is_live(name)) contest(*member, now);
}

/// A member is failed or left now, with what is known of it.
void Node::see(const std::string& name, MemberState state, const Moment& now) {
  const Member* member = roster_.find(name);
  if (member == nullptr || member->state == state) return;
  mesh::Sighting sighting;
  sighting.name = name;
  sighting.underlay_bytes = member->underlay_bytes;
  sighting.gossip_port = member->gossip_port;
  sighting.incarnation = member->incarnation;
  sighting.state = state;
  sighting.signed_claim = member->signed_claim;
  const bool is_signed = member->signed_claim.has_value();
  sighting.judgement = member->meta
                           ? judge_.values(name, *member->meta, member->underlay, is_signed)
                           : judge_.metadata(name, {}, member->underlay, is_signed);
  roster_.see(sighting, {}, now);
  collect(name);
}

void Node::lost(const std::string& name, const Moment& now) {
  see(name, MemberState::failed, now);
}

void Node::goodbye(const std::string& name, const Moment& now) {
  see(name, MemberState::left, now);
}

void Node::tick(const Moment& now) {
  if (retry_due_ && *retry_due_ <= now.at && phase_ == Phase::waiting && !pending_) {
    retry_due_.reset();
    phase_ = Phase::probing;
    asks_again_ = true;
    namesake_ = false;
    rules_.questions_begin();
  }
  if (confirm_due_ && *confirm_due_ <= now.at) {
    confirm_due_.reset();
    roster_.fail_unconfirmed({}, now);
  }
  if (phase_ != Phase::announced) return collect({});
  roster_.expire(now);
  collect({});
  if (pending_ || (holding().has_address() && !rules_.wants_another(holding()))) return;
  if (auto claim = rules_.look_again(holding(), now)) {
    watch_.claims(*this, *claim, Watch::Cause::look, false, now);
    store_later(std::move(*claim));
  } else if (!holding().has_address()) {
    watch_.waits(*this);
  }
}

/// The database follows. `ours_changed`: not what a member said, but our own address.
void Node::collect(const std::string& subject, bool ours_changed) {
  for (mesh::Fact& fact : roster_.take()) {
    ++changes_;
    if (auto* changed = std::get_if<mesh::MemberChanged>(&fact)) {
      Member& member = changed->member;
      const auto [row, is_new] = disk_.rows.try_emplace(member.name);
      if (!is_new && !ours_changed && member.name != subject)
        watch_.changed(*this, row->second, member, subject);
      row->second = std::move(member);
    } else if (const auto* forgotten = std::get_if<mesh::MemberForgotten>(&fact)) {
      watch_.forgotten(*this, disk_.rows[forgotten->name]);
      disk_.rows.erase(forgotten->name);
    }
  }
}

}  // namespace wesher::sim::claims
