// The overlay address that the Go program gives a name: network prefix, then the last bytes of
// FNV-1a-128(name) (wireguard.go, assignOverlayAddr). For prefix lengths that are no multiple of 8,
// which the Go program refuses, the remaining bits come from the same hash.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/ip.h"

namespace wesher::mesh {

/// The address of `name` in `net` (host bits of `net` are ignored). IPv4 /8 to /32, IPv6 /8 to
/// /128; a shorter prefix, or a network that has no room for this node (a /31 or /32 is allowed, it
/// holds the one address), is Errc::malformed with the reason.
[[nodiscard]] Result<IpAddress> overlay_address(std::string_view name, const Prefix& net);

}  // namespace wesher::mesh
