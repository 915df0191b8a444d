// The overlay address that the Go program gives a name: network prefix, then the last bytes of
// FNV-1a-128(name) (wireguard.go, assignOverlayAddr). For prefix lengths that are no multiple of 8,
// which the Go program refuses, the host bits come from the same hash bytes: the byte at the
// boundary is combined under the mask. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/ip.h"

namespace wesher::mesh {

/// The address of `name` in `net` (host bits of `net` are ignored). IPv4 /8 to /32, IPv6 /8 to
/// /128; another length is Errc::malformed with the reason. A /32 or /128 is the one address
/// itself, a /31 or /127 has two (RFC 3021, RFC 6164).
///
/// Where the length is a multiple of 8 this is exactly the Go program's result, the network and the
/// broadcast address included, because hosts that run it have it already. Elsewhere these two give
/// way to the network's first host.
[[nodiscard]] Result<IpAddress> overlay_address(std::string_view name, const Prefix& net);

/// FNV-1a with 128 bits of `text`, most significant byte first, as it is printed.
[[nodiscard]] std::array<std::uint8_t, 16> fnv1a_128(std::string_view text);

/// Whether `address` is the one with all host bits zero of a `net` that has at least four
/// addresses: the IPv4 network address, the IPv6 subnet-router anycast address (RFC 4291 2.6.1).
[[nodiscard]] bool is_network_address(const IpAddress& address, const Prefix& net);

/// Whether a host can have `address` in `net`: it lies in it and is neither its network address
/// nor, for IPv4 networks of at least four addresses, its broadcast address.
[[nodiscard]] bool is_usable_address(const IpAddress& address, const Prefix& net);

}  // namespace wesher::mesh
