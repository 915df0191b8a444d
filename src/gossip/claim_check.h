// What a claim about a member must be before anybody looks at its content: the bounds on names,
// addresses, ports, metadata, versions and incarnations. Whatever fails here is neither stored nor
// relayed, since Go nodes through v0.6.0 crash on some of it and stop merging on other. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/messages.h"

namespace wesher::gossip {

enum class ClaimFault : std::uint8_t {
  none,
  name,
  address,
  port,
  meta,
  versions,
  state,
  incarnation,
};

/// The fault as a clause for people.
[[nodiscard]] std::string_view fault_text(ClaimFault fault);

/// 1 to 253 bytes, no control characters.
[[nodiscard]] bool valid_name(std::string_view name);

/// Highest incarnation of an alive message, and our own highest: above it nobody could refute.
inline constexpr std::uint32_t kAliveIncarnationMax = 0xfffffffe;

/// `allow_loopback` is for tests on one machine. Incarnation 0 is refused: Go nodes start at 1.
[[nodiscard]] ClaimFault check(const wire::AliveView& claim, bool allow_loopback);
/// Accusations above limits::kIncarnationMax are refused: they could never be refuted.
[[nodiscard]] ClaimFault check(const wire::Suspect& claim);
[[nodiscard]] ClaimFault check(const wire::Dead& claim);

}  // namespace wesher::gossip
