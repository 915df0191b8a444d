// Which of two claims to one overlay address goes first. Only who owns a claim obeys this order, by
// moving away; everybody else keeps the incumbent (contest.h), so that nobody gains an address by
// saying that it is older. Pure.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/identity.h"
#include "base/ip.h"
#include "base/time.h"

namespace wesher::mesh {

/// A claim that bears a time this far ahead of ours and of the build is a lie, or of a clock that
/// is no measure for others: nobody dates a claim behind it. As long as a build may be in use.
inline constexpr std::chrono::hours kPlausibleAhead{24 * 365 * 20};

enum class ClaimClass : std::uint8_t {
  certified,  ///< bound to the address by a certificate
  legacy,     ///< a node without a signed record, on the one address that it can have
  recorded,   ///< from a signed record, also when an operator fixed the address
};

/// The place of a claim: smaller goes first, by class, then time, then identity. Legacy claims have
/// neither time nor identity and are all equal: such nodes cannot move anyway.
struct ClaimRank {
  ClaimClass kind = ClaimClass::recorded;
  WallTime time{};
  IdentityKey identity;

  friend auto operator<=>(const ClaimRank&, const ClaimRank&) = default;
};

/// The place of a claim without a signed record. Nothing, that is no claim to be obeyed, unless
/// `address` is the one that the Go program gives `name` in `net`; it accepts multiples of 8 bits
/// only, so in other networks no such node exists.
[[nodiscard]] std::optional<ClaimRank> legacy_rank(std::string_view name,
                                                   const IpAddress& address,
                                                   const Prefix& net);

}  // namespace wesher::mesh
