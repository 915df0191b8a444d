#include "mesh/overlay_choice.h"

#include <algorithm>
#include <map>
#include <set>

namespace wesher::mesh {

namespace {

/// The claim that decides over an address: a live one, else of who went last.
bool decides_before(const AddressClaim& a, const AddressClaim& b) {
  return a.away_for.value_or(Duration::min()) < b.away_for.value_or(Duration::min());
}

std::map<IpAddress, const AddressClaim*> by_address(std::span<const AddressClaim> claims) {
  std::map<IpAddress, const AddressClaim*> out;
  for (const AddressClaim& claim : claims) {
    const auto [place, added] = out.try_emplace(claim.address, &claim);
    if (!added && decides_before(claim, *place->second)) place->second = &claim;
  }
  return out;
}

}  // namespace

std::variant<IpAddress, PoolFull> choose_address(OverlayCandidates candidates,
                                                 std::span<const AddressClaim> claims,
                                                 std::span<const IpAddress> reserved) {
  const auto claimed = by_address(claims);
  const std::set<IpAddress> kept(reserved.begin(), reserved.end());
  const AddressClaim* longest_away = nullptr;
  PoolFull full;
  // Each candidate comes once, so that a pool with more of them than are claimed or reserved ends
  // this at a free one.
  while (const auto candidate = candidates.next()) {
    if (kept.contains(*candidate)) {
      full.holders.push_back({*candidate, {}});
      continue;
    }
    const auto claim = claimed.find(*candidate);
    if (claim == claimed.end()) return *candidate;
    const AddressClaim& holder = *claim->second;
    full.holders.push_back({*candidate, holder.member});
    if (!holder.away_for) continue;
    if (longest_away == nullptr || *holder.away_for > *longest_away->away_for) {
      longest_away = &holder;
    }
  }
  if (longest_away != nullptr) return longest_away->address;
  std::ranges::sort(full.holders, {}, &PoolFull::Holder::address);
  return full;
}

}  // namespace wesher::mesh
