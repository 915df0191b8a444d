// Which overlay address a node takes, given what it knows of the others. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "mesh/overlay_candidates.h"

namespace wesher::mesh {

/// What somebody else claims.
struct AddressClaim {
  IpAddress address;
  std::string member;
  /// Since when the claimant is failed, or away after a leave that keeps its address; nothing while
  /// it is live.
  std::optional<Duration> away_for;
};

/// The proof that there is no address: who holds each of the candidates.
struct PoolFull {
  struct Holder {
    IpAddress address;
    std::string member;  ///< empty: reserved by this host

    friend bool operator==(const Holder&, const Holder&) = default;
  };

  std::vector<Holder> holders;  ///< all candidates, by address

  friend bool operator==(const PoolFull&, const PoolFull&) = default;
};

/// The first candidate that nobody claims; if there is none, the one whose claimants have been away
/// longest, the first of equals. `reserved` is never taken: addresses, gateways and resolvers of
/// this host, underlay addresses of members. Several may claim one address; it is live if one of
/// them is, else it counts from the one that went last. Looks at no more candidates than there are
/// claims and reserved addresses, and one more, however large the pool.
[[nodiscard]] std::variant<IpAddress, PoolFull> choose_address(OverlayCandidates candidates,
                                                               std::span<const AddressClaim> claims,
                                                               std::span<const IpAddress> reserved);

}  // namespace wesher::mesh
