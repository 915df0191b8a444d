// Our own overlay address: a claim that we keep until somebody has a better one. Rules:
//
// - Before we announce ourselves, an address that a live member holds is given up: nothing runs
//   over it yet. Afterwards the smaller claim stays (claim_rank.h), the other one moves.
// - An address is announced only when it is on disk (OwnClaim, claim_stored).
// - An address that a member claims is not taken while there is another: neither that of one that
//   failed, nor that of one that left without giving it up.
// - No more than a few moves a day because of one accuser (move_budget.h).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mesh/impl.h"
#include "mesh/overlay_address.h"
#include "mesh/words.h"
#include "wire/reservations.h"

namespace wesher::mesh {

namespace {

/// How soon a node without an address looks again whether one is free.
constexpr Duration kPoolRetry = std::chrono::seconds{15};
constexpr std::size_t kHoldersShown = 16;

std::optional<IpAddress> address_of(const std::variant<IpAddress, PoolFull>& choice) {
  const auto* address = std::get_if<IpAddress>(&choice);
  return address == nullptr ? std::nullopt : std::optional(*address);
}

std::string age_text(WallTime since, WallTime now) {
  return elapsed_text(std::max(Duration(now - since), Duration::zero()));
}

}  // namespace

/// Nothing: a claim that nobody has to make way for.
std::optional<ClaimRank> Mesh::Impl::rank_of(const Member& member) const {
  if (!member.signed_claim)
    return legacy_rank(member.name, member.meta->overlay, config_.overlay_net);
  return ClaimRank{ClaimClass::recorded, member.signed_claim->claimed,
                   member.signed_claim->identity};
}

/// Not one that gave its address back, and not ourselves under an earlier name.
bool Mesh::Impl::holds_address(const Member& member) const {
  return !member.signed_claim ||
         (!member.signed_claim->for_good && own_.identity() != member.signed_claim->identity);
}

/// The member that claims an address, a live one first.
const Member* Mesh::Impl::holder_of(const IpAddress& address) const {
  const Member* holder = nullptr;
  for (const std::string& name : roster_.claimants(address)) {
    const Member* member = roster_.find(name);
    if (!holds_address(*member)) continue;
    if (holder == nullptr || (!roster_.is_live(holder->name) && roster_.is_live(name)))
      holder = member;
  }
  return holder;
}

/// Those who come can't know who was here: they are told what not to take while there is another.
Bytes Mesh::Impl::user_state() const {
  std::vector<wire::Reservation> silent;
  roster_.each_absent([&](const Member& member) {
    if (member.meta && holds_address(member)) silent.push_back({member.name, member.meta->overlay});
  });
  return wire::encode_reservations(silent);
}

void Mesh::Impl::user_state_heard(ByteView state) {
  if (phase_ == Phase::announced) return;
  const auto told = wire::decode_reservations(state);
  if (!told) return;
  for (const wire::Reservation& each : *told) {
    if (each.name == config_.gossip.name) {
      inherited_ = each.overlay;
    } else {
      reserved_.insert(each.overlay);
    }
  }
}

/// Behind all that are known, so that nobody who claims an address now drives another one off.
WallTime Mesh::Impl::fresh_claim_time(const Moment& now) const {
  const WallTime ours = std::max(now.wall, config_.claimed);
  return std::max(ours,
                  roster_.newest_claim(ours + kPlausibleAhead) + std::chrono::milliseconds{1});
}

std::variant<IpAddress, PoolFull> Mesh::Impl::choose_overlay(const Moment& now) const {
  std::vector<IpAddress> reserved = config_.host_addresses;
  reserved.push_back(own_endpoint_.address);
  std::vector<AddressClaim> claims;
  roster_.each([&](const Member& member) {
    reserved.push_back(member.underlay);
    if (!member.meta || !holds_address(member)) return;
    AddressClaim claim{member.meta->overlay, member.name, std::nullopt};
    if (!roster_.is_live(member.name) && !roster_.is_unconfirmed(member.name))
      claim.away_for = roster_.state_age(member.name, now.at);
    claims.push_back(std::move(claim));
  });
  for (const IpAddress& address : reserved_)
    claims.push_back({address, {}, Duration::zero()});
  const auto choose = [&](const Prefix& pool) {
    return choose_address(OverlayCandidates::of(config_.gossip.name, pool).value(), claims,
                          reserved);
  };
  if (config_.fixed_overlay) return choose(Prefix::host(*config_.fixed_overlay));
  // Somebody else said so: it counts only where we could have chosen it.
  if (inherited_ && config_.overlay_net.contains(*inherited_) &&
      is_usable_address(*inherited_, config_.overlay_net) && holder_of(*inherited_) == nullptr &&
      std::find(reserved.begin(), reserved.end(), *inherited_) == reserved.end()) {
    return *inherited_;
  }
  return choose(config_.overlay_net);
}

/// Called before we announce ourselves. Afterwards either we have an address and nothing is being
/// stored, or `pending_` is, or we wait.
void Mesh::Impl::prepare_address(const Moment& now) {
  if (!own_.is_signed()) return;
  const IpAddress overlay = own_.meta().overlay;
  const Member* holder = own_.has_address() ? holder_of(overlay) : nullptr;
  // What we never had is not taken from one that is away.
  const bool held = holder != nullptr && (claim_is_new_ || roster_.is_live(holder->name));
  const bool kept = claim_is_new_ && reserved_.contains(overlay);
  const bool other_wanted = inherited_ && claim_is_new_ && *inherited_ != overlay;
  const bool unwanted = config_.fixed_overlay && overlay != *config_.fixed_overlay;
  if (own_.has_address() && !held && !kept && !other_wanted && !unwanted) {
    if (claim_is_new_) claim(overlay, "claimed", now);
    return;
  }
  const auto chosen = address_of(choose_overlay(now));
  // None is free, or the fixed one is not: we keep what we have, if anything, unless it is
  // another's.
  if (!chosen && !held && !kept) return;
  std::string why = "chosen";
  if (other_wanted) why = "our name had it";
  if (unwanted) why = "--overlay-ip";
  if (kept) why = overlay.text() + " is kept for a member that is away";
  if (held) why = overlay.text() + " is held by " + printable(holder->name);
  claim(chosen, std::move(why), now);
}

void Mesh::Impl::claim(const std::optional<IpAddress>& overlay,
                       std::string why,
                       const Moment& now) {
  claim_is_new_ = false;
  pending_ = OwnClaim{overlay, fresh_claim_time(now), std::move(why)};
  facts_.emplace_back(*pending_);
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
    roster_.rejudge(name, judge_.values(name, *member->meta, member->underlay));
  }
}

void Mesh::Impl::contest(const Member& other, const Moment& now) {
  if (!own_.is_signed() || !own_.has_address() || pending_ || phase_ != Phase::announced) return;
  if (!other.meta || other.meta->overlay != own_.meta().overlay || !roster_.is_live(other.name) ||
      !holds_address(other)) {
    return;
  }
  const auto theirs = rank_of(other);
  if (!theirs || own_.rank() < *theirs) {
    // It moves when it hears of us.
    if (contested_.pass("claim " + other.name, now.at))
      push_pull(other.name, Call::urgent_join, now.at);
    return;
  }
  const std::string accuser = other.signed_claim ? other.signed_claim->identity.text() : "legacy";
  if (moves_.take(accuser, now.at)) return move_away(other, now);
  if (!conflicts_.pass("stay " + other.name, now.at)) return;
  herald_.say(Severity::warning, "address-conflict",
              printable(other.name) + " (" + other.underlay.text() + ") claims our address " +
                  own_.meta().overlay.text() + ", as before; we moved " +
                  std::to_string(MoveBudget::kMoves) +
                  " times for it within a day and stay now. Remedy: find out what that host is");
}

void Mesh::Impl::move_away(const Member& holder, const Moment& now) {
  const IpAddress before = own_.meta().overlay;
  const auto chosen = address_of(choose_overlay(now));
  const std::string who = printable(holder.name) + " (" + holder.underlay.text() + ")";
  std::string claims = who + " has it as the Go program gives it, and can't move";
  if (holder.signed_claim) {
    claims = who + " has held " + before.text() + " for " +
             age_text(holder.signed_claim->claimed, now.wall) + ", we for " +
             age_text(own_.claimed(), now.wall);
  }
  herald_.say(Severity::lifecycle, "address-moved",
              "address moved: " + before.text() + " -> " +
                  (chosen ? chosen->text() : std::string("none is free")) + ". " + claims +
                  ". Connections on " + before.text() + " break; fixed addresses: --overlay-ip");
  claim(chosen, "conflict with " + printable(holder.name) + ", which keeps it", now);
}

/// Whoever has no address, or not the one of `--overlay-ip`, looks from time to time whether it can
/// have it.
void Mesh::Impl::try_address(const Moment& now) {
  const bool wants_fixed = config_.fixed_overlay && own_.meta().overlay != *config_.fixed_overlay;
  if (!own_.is_signed() || pending_ || (own_.has_address() && !wants_fixed)) return;
  if (!contested_.pass("address", now.at)) return;
  if (const auto chosen = address_of(choose_overlay(now)))
    return claim(chosen, wants_fixed ? "--overlay-ip is free now" : "free now", now);
  const Member* holder = wants_fixed ? holder_of(*config_.fixed_overlay) : nullptr;
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
  const auto choice = choose_overlay(now);
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
}

void Mesh::Impl::renew_record(const Moment& now) {
  auto meta = own_.renew();
  want_epochs(now);
  record_pending_ = !meta;
  if (meta) node_.update_meta(std::move(*meta), now.at);
}

void Mesh::Impl::want_epochs(const Moment& now) {
  if (const auto end = own_.take_wanted(now.wall)) facts_.emplace_back(ReserveEpochs{*end});
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
