// Our own overlay address, as address_rules.h decides: what is asked to be stored, announced and
// said. An address is announced only when it is on disk (OwnClaim, claim_stored).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/words.h"
#include "wire/user_state.h"

namespace wesher::mesh {

namespace {

/// How soon a node without an address looks again whether one is free.
constexpr Duration kPoolRetry = std::chrono::seconds{15};
constexpr std::size_t kHoldersShown = 16;

std::string age_text(WallTime since, WallTime now) {
  return elapsed_text(std::max(Duration(now - since), Duration::zero()));
}

}  // namespace

AddressRules::Holding Mesh::Impl::holding() const {
  return {own_.meta().overlay, own_.claimed(), own_endpoint_.address};
}

/// Those who come can't know who was here: they are told what not to take while there is another.
Bytes Mesh::Impl::user_state(bool newcomer) const {
  wire::UserState state{{}, statements_.all()};
  if (newcomer) state.reservations = rules_.away();
  return wire::encode_user_state(state);
}

void Mesh::Impl::user_state_heard(ByteView state) {
  const auto told = wire::decode_user_state(state);
  if (!told) return;
  hear_statements(told->statements);
  if (phase_ == Phase::announced) return;
  for (const wire::Reservation& each : told->reservations)
    rules_.told(each);
}

/// Called before we announce ourselves. Afterwards either we have an address and nothing is being
/// stored, or `pending_` is, or we wait.
void Mesh::Impl::prepare_address(const Moment& now) {
  if (!own_.is_signed()) return;
  if (auto claim = rules_.before_announcing(holding(), now)) store_claim(std::move(*claim));
}

void Mesh::Impl::store_claim(OwnClaim claim) {
  pending_ = claim;
  facts_.push(std::move(claim));
}

void Mesh::Impl::claim_stored(const std::optional<IpAddress>& overlay, const Moment& now) {
  if (!pending_ || pending_->overlay != overlay) return;
  const OwnClaim stored = *std::exchange(pending_, std::nullopt);
  const IpAddress before = own_.meta().overlay;
  own_.set_address(overlay, stored.claimed);
  judge_.set_own_overlay(own_.meta().overlay);
  const IpAddress& after = own_.meta().overlay;
  if (before != after) {
    rejudge(before);
    rejudge(after);
  }
  collect(now);
  renew_record(now);
  if (phase_ == Phase::waiting) return announce(now);
  // Whoever was heard to have it while it was being stored.
  for (const std::string& name : roster_.claimants(after))
    contest(*roster_.find(name), now);
}

/// Those that announce an address which is not ours any more, or is now.
void Mesh::Impl::rejudge(const IpAddress& address) {
  for (const std::string& name : roster_.claimants(address)) {
    const Member* member = roster_.find(name);
    roster_.rejudge(name, judge_.values(name, *member->meta, member->underlay,
                                        member->signed_claim.has_value()));
  }
}

void Mesh::Impl::contest(const Member& other, const Moment& now) {
  if (pending_ || phase_ != Phase::announced) return;
  switch (rules_.against(other, holding(), now.at)) {
    case AddressRules::Stance::none:
      return;
    case AddressRules::Stance::remind:
      if (contested_.pass("claim " + other.name, now.at))
        push_pull(other.name, Call::urgent_join, now.at);
      return;
    case AddressRules::Stance::move:
      return move_away(other, now);
    case AddressRules::Stance::stay:
      break;
  }
  if (!conflicts_.pass("stay " + other.name, now.at)) return;
  herald_.say(Severity::warning, "address-conflict",
              printable(other.name) + " (" + other.underlay.text() + ") claims our address " +
                  own_.meta().overlay.text() + ", as before; we moved " +
                  std::to_string(MoveBudget::kMoves) +
                  " times for it within a day and stay now. Remedy: find out what that host is");
}

void Mesh::Impl::move_away(const Member& holder, const Moment& now) {
  const IpAddress before = own_.meta().overlay;
  OwnClaim next = rules_.make_way(holder, holding(), now);
  const std::string who = printable(holder.name) + " (" + holder.underlay.text() + ")";
  std::string claims = who + " has it as the Go program gives it, and can't move";
  if (holder.signed_claim) {
    claims = who + " has held " + before.text() + " for " +
             age_text(holder.signed_claim->claimed, now.wall) + ", we for " +
             age_text(own_.claimed(), now.wall);
  }
  herald_.say(Severity::lifecycle, "address-moved",
              "address moved: " + before.text() + " -> " +
                  (next.overlay ? next.overlay->text() : std::string("none is free")) + ". " +
                  claims + ". Connections on " + before.text() +
                  " break; fixed addresses: --overlay-ip");
  store_claim(std::move(next));
}

/// Whoever has no address, or not the one of `--overlay-ip`, looks from time to time whether it can
/// have it.
void Mesh::Impl::try_address(const Moment& now) {
  const bool wants_fixed = rules_.wants_another(holding());
  if (!own_.is_signed() || pending_ || (own_.has_address() && !wants_fixed)) return;
  if (!contested_.pass("address", now.at)) return;
  if (auto claim = rules_.look_again(holding(), now)) return store_claim(std::move(*claim));
  const Member* holder = wants_fixed ? rules_.holder_of(*config_.fixed_overlay) : nullptr;
  if (holder == nullptr || !conflicts_.pass("fixed " + holder->name, now.at)) return;
  herald_.say(Severity::warning, "address-conflict",
              "--overlay-ip " + config_.fixed_overlay->text() + " is held by " +
                  printable(holder->name) + " (" + std::string(to_text(holder->state)) +
                  "); this host takes it when it is free");
}

/// The pool is full: says who holds what, once per state of things, and looks again.
void Mesh::Impl::wait_for_address(const Moment& now) {
  retry_later(kPoolRetry, now);
  if (config_.fixed_overlay) return try_address(now);
  const auto choice = rules_.choose(holding(), now);
  const auto* full = std::get_if<PoolFull>(&choice);
  if (full == nullptr) return;
  std::vector<std::string> holders;
  std::string silent;
  for (const PoolFull::Holder& holder : full->holders) {
    std::string text = holder.member.empty() ? "this host" : holder.member;
    const Member* member = roster_.find(holder.member);
    if (member != nullptr && !is_live_state(member->state)) {
      text += " (" + std::string(to_text(member->state)) + " for " +
              elapsed_text(roster_.state_age(member->name, now.at)) + ")";
      if (silent.empty()) silent = printable(member->name);
    }
    holders.push_back(std::move(text));
  }
  const std::string list = list_text(holders, kHoldersShown);
  if (!conflicts_.pass("full " + list, now.at)) return;
  const std::string remedy =
      silent.empty() ? std::string() : "'wesher forget " + silent + "' on the members, or ";
  herald_.say(Severity::lifecycle, "pool-full",
              "overlay network " + config_.overlay_net.text() + " is full: " +
                  std::to_string(full->holders.size()) + " usable addresses, in use by " + list +
                  ". This host stays out of the mesh and takes the first that becomes free. " +
                  "Remedy: " + remedy + "a larger --overlay-net on all hosts");
}

void Mesh::Impl::retry_later(Duration pause, const Moment& now) {
  phase_ = Phase::waiting;
  retry_due_ = now.at + pause;
  if (!confirm_deadline_) confirm_deadline_ = now.at + kConfirmWithin;
}

void Mesh::Impl::renew_record(const Moment& now) {
  auto meta = own_.renew();
  want_epochs(now);
  record_pending_ = !meta;
  if (meta) node_.update_meta(std::move(*meta), now.at);
}

void Mesh::Impl::want_epochs(const Moment& now) {
  if (const auto end = own_.take_wanted(now.wall)) facts_.push(ReserveEpochs{*end});
}

void Mesh::Impl::epochs_reserved(std::uint64_t end, const Moment& now) {
  own_.epochs_reserved(end);
  if (record_pending_) renew_record(now);
}

bool Mesh::Impl::any_legacy_live() const {
  return roster_.any_live([](const Member& member) { return !member.signed_claim; });
}

/// Go nodes replace all their peers at each change of a member: they are spared the extra one.
void Mesh::Impl::say_for_good(const Moment& now) {
  if (!own_.is_signed() || any_legacy_live()) return;
  own_.set_leaving_for_good();
  renew_record(now);
}

void Mesh::Impl::set_underlay(Bytes underlay, const Moment& now) {
  const auto address = IpAddress::from_bytes(underlay);
  if (!address || *address == own_endpoint_.address) return;
  const Endpoint before = own_endpoint_;
  own_endpoint_.address = *address;
  own_.set_underlay(underlay);
  judge_.set_own_underlay(*address);
  gossip::Move move{std::move(underlay), own_endpoint_.port, own_.renew(),
                    !own_.is_signed() || any_legacy_live()};
  want_epochs(now);
  record_pending_ = !move.meta;
  herald_.say(Severity::lifecycle, "own-address",
              "this host is at " + own_endpoint_.address.text() + " now, it was at " +
                  before.address.text() + "; announced again");
  node_.move_to(std::move(move), now.at);
}

}  // namespace wesher::mesh
