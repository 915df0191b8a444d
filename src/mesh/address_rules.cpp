#include "mesh/address_rules.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "mesh/overlay_address.h"

namespace wesher::mesh {

namespace {

/// How many times we must be told that a member is away until that counts more than what we heard
/// of it before. Who has just started does not know yet who is there.
constexpr unsigned kToldEnough = 5;
/// What we were told is forgotten when so many questions brought nothing of it: Go nodes never say.
constexpr unsigned kToldFor = 8;

}  // namespace

void AddressRules::questions_begin() {
  for (auto& [name, told] : told_)
    ++told.silence;
  std::erase_if(told_, [](const auto& each) { return each.second.silence > kToldFor; });
}

void AddressRules::told(const wire::Reservation& reservation) {
  if (reservation.name == settings_.name) {
    inherited_ = reservation.overlay;
    return;
  }
  Told& told = told_[reservation.name];
  told = {reservation.overlay, told.times + 1, 0};
}

/// Nothing: a claim that nobody has to make way for.
std::optional<ClaimRank> AddressRules::rank_of(const Member& member) const {
  if (!member.signed_claim) return legacy_rank(member.name, member.meta->overlay, settings_.net);
  return ClaimRank{ClaimClass::recorded, member.signed_claim->claimed,
                   member.signed_claim->identity};
}

/// Not one that gave its address back, and not ourselves under an earlier name.
bool AddressRules::holds(const Member& member) const {
  if (member.state == MemberState::gone) return false;
  return !member.signed_claim ||
         (!member.signed_claim->for_good && settings_.identity != member.signed_claim->identity);
}

/// Until we are announced ourselves we do not see who goes: then it counts what we are told.
bool AddressRules::is_away(const Member& member) const {
  if (!roster_.is_live(member.name) && !roster_.is_unconfirmed(member.name)) return true;
  if (announced_) return false;
  const auto told = told_.find(member.name);
  return told != told_.end() && told->second.times >= kToldEnough;
}

bool AddressRules::is_reserved(const IpAddress& overlay) const {
  return std::any_of(told_.begin(), told_.end(),
                     [&](const auto& each) { return each.second.overlay == overlay; });
}

const Member* AddressRules::holder_of(const IpAddress& address) const {
  const Member* holder = nullptr;
  for (const std::string& name : roster_.claimants(address)) {
    const Member* member = roster_.find(name);
    if (!holds(*member)) continue;
    if (holder == nullptr || (!is_live(*holder) && is_live(*member))) holder = member;
  }
  return holder;
}

std::vector<wire::Reservation> AddressRules::away() const {
  std::vector<wire::Reservation> all;
  roster_.each_absent([&](const Member& member) {
    if (member.meta && holds(member)) all.push_back({member.name, member.meta->overlay});
  });
  return all;
}

/// Behind all that are known, so that nobody who claims an address now drives another one off.
WallTime AddressRules::fresh_time(const Moment& now) const {
  const WallTime ours = std::max(now.wall, settings_.not_before);
  return std::max(ours,
                  roster_.newest_claim(ours + kPlausibleAhead) + std::chrono::milliseconds{1});
}

std::variant<IpAddress, PoolFull> AddressRules::choose(const Holding& own,
                                                       const Moment& now) const {
  std::vector<IpAddress> reserved = settings_.host_addresses;
  reserved.push_back(own.underlay);
  std::vector<AddressClaim> claims;
  roster_.each([&](const Member& member) {
    reserved.push_back(member.underlay);
    if (!member.meta || !holds(member)) return;
    AddressClaim claim{member.meta->overlay, member.name, std::nullopt};
    if (is_away(member)) claim.away_for = roster_.state_age(member.name, now.at);
    claims.push_back(std::move(claim));
  });
  for (const auto& [name, told] : told_)
    claims.push_back({told.overlay, name, Duration::zero()});
  const auto choose = [&](const Prefix& pool) {
    return choose_address(OverlayCandidates::of(settings_.name, pool).value(), claims, reserved);
  };
  if (settings_.fixed) return choose(Prefix::host(*settings_.fixed));
  // Somebody else said so: it counts only where we could have chosen it.
  if (inherited_ && settings_.net.contains(*inherited_) &&
      is_usable_address(*inherited_, settings_.net) && holder_of(*inherited_) == nullptr &&
      std::find(reserved.begin(), reserved.end(), *inherited_) == reserved.end()) {
    return *inherited_;
  }
  return choose(settings_.net);
}

std::optional<IpAddress> AddressRules::free_one(const Holding& own, const Moment& now) const {
  const auto choice = choose(own, now);
  const auto* address = std::get_if<IpAddress>(&choice);
  return address == nullptr ? std::nullopt : std::optional(*address);
}

std::optional<OwnClaim> AddressRules::before_announcing(const Holding& own, const Moment& now) {
  const Member* holder = own.has_address() ? holder_of(own.overlay) : nullptr;
  const bool is_new = settings_.claim_is_new;
  // What we never had is not taken from one that is away.
  const bool held = holder != nullptr && (is_new || is_live(*holder));
  const bool kept = is_new && is_reserved(own.overlay);
  const bool other_wanted = inherited_ && is_new && *inherited_ != own.overlay;
  const bool unwanted = wants_another(own);
  if (own.has_address() && !held && !kept && !other_wanted && !unwanted) {
    if (!is_new) return std::nullopt;
    return claim(own.overlay, "claimed", now);
  }
  const auto chosen = free_one(own, now);
  // None is free, or the fixed one is not: we keep what we have, if anything, unless it is
  // another's.
  if (!chosen && !held && !kept) return std::nullopt;
  std::string why = "chosen";
  if (other_wanted) why = "our name had it";
  if (unwanted) why = "--overlay-ip";
  if (kept) why = own.overlay.text() + " is kept for a member that is away";
  if (held) why = own.overlay.text() + " is held by " + printable(holder->name);
  return claim(chosen, std::move(why), now);
}

OwnClaim AddressRules::claim(const std::optional<IpAddress>& overlay,
                             std::string why,
                             const Moment& now) {
  settings_.claim_is_new = false;
  return {overlay, fresh_time(now), std::move(why)};
}

AddressRules::Stance AddressRules::against(const Member& other, const Holding& own, Instant now) {
  if (!settings_.identity || !own.has_address() || !other.meta ||
      other.meta->overlay != own.overlay || !roster_.is_live(other.name) || !holds(other)) {
    return Stance::none;
  }
  const ClaimRank ours{ClaimClass::recorded, own.claimed, *settings_.identity};
  const auto theirs = rank_of(other);
  if (!theirs || ours < *theirs) return Stance::remind;
  const std::string accuser = other.signed_claim ? other.signed_claim->identity.text() : "legacy";
  return moves_.take(accuser, now) ? Stance::move : Stance::stay;
}

OwnClaim AddressRules::make_way(const Member& holder, const Holding& own, const Moment& now) {
  return claim(free_one(own, now), "conflict with " + printable(holder.name) + ", which keeps it",
               now);
}

std::optional<OwnClaim> AddressRules::look_again(const Holding& own, const Moment& now) {
  const auto chosen = free_one(own, now);
  if (!chosen) return std::nullopt;
  return claim(chosen, wants_another(own) ? "--overlay-ip is free now" : "free now", now);
}

}  // namespace wesher::mesh
