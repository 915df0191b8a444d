// FNV-1a with 128 bits (draft-eastlake-fnv: offset basis and prime of that size) and the Go
// program's way from the hash to an address. Pure. Limbs of 32 bits, because not every target has a
// 128-bit integer.
#include "mesh/overlay_address.h"

#include <algorithm>
#include <array>

namespace wesher::mesh {

namespace {

constexpr unsigned kShortestPrefix = 8;

/// Least significant limb first.
using Limbs = std::array<std::uint32_t, 4>;

constexpr Limbs kOffsetBasis = {0x6295c58d, 0x62b82175, 0x07bb0142, 0x6c62272e};

/// times the prime 2^88 + 0x13b, modulo 2^128.
Limbs times_prime(const Limbs& h) {
  constexpr std::uint64_t kLow = 0x13b;
  Limbs out{};
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    carry += h[i] * kLow;
    if (i == 2) carry += h[0] << 24U;
    if (i == 3) carry += (h[0] >> 8U) | (h[1] << 24U);
    out[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32U;
  }
  return out;
}

/// The bits of byte `index` that belong to a network of that length.
std::uint8_t mask_byte(unsigned length, std::size_t index) {
  const std::size_t first_bit = index * 8;
  if (first_bit >= length) return 0;
  const std::size_t bits = std::min<std::size_t>(8, length - first_bit);
  return static_cast<std::uint8_t>(0xffU << (8 - bits));
}

/// Whether all host bits of `address` have the value `bit`.
bool host_bits_are(ByteView address, unsigned length, bool bit) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto host = static_cast<std::uint8_t>(~mask_byte(length, i));
    if ((address[i] & host) != (bit ? host : 0)) return false;
  }
  return true;
}

}  // namespace

std::array<std::uint8_t, 16> fnv1a_128(std::string_view text) {
  Limbs h = kOffsetBasis;
  for (const std::uint8_t byte : as_bytes(text)) {
    h[0] ^= byte;
    h = times_prime(h);
  }
  std::array<std::uint8_t, 16> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[15 - i] = static_cast<std::uint8_t>(h[i / 4] >> (8 * (i % 4)));
  }
  return out;
}

Result<IpAddress> overlay_address(std::string_view name, const Prefix& net) {
  const Prefix masked = net.masked();
  const unsigned bits = net.address.bits();
  if (net.length < kShortestPrefix || net.length > bits) {
    return fail(Errc::malformed, "the overlay network " + masked.text() + " is not usable: /" +
                                     std::to_string(kShortestPrefix) + " to /" +
                                     std::to_string(bits) + " are");
  }
  Bytes address(masked.address.bytes().begin(), masked.address.bytes().end());
  const auto hash = fnv1a_128(name);
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto host = static_cast<std::uint8_t>(~mask_byte(net.length, i));
    const std::uint8_t from_hash = hash[hash.size() - address.size() + i];
    address[i] = static_cast<std::uint8_t>(address[i] | (host & from_hash));
  }
  const bool as_go = net.length % 8 == 0;
  const bool has_reserved = bits - net.length >= 2;
  const bool is_network = host_bits_are(address, net.length, false);
  const bool is_broadcast = net.address.is_v4() && host_bits_are(address, net.length, true);
  if (!as_go && has_reserved && (is_network || is_broadcast)) {
    std::copy(masked.address.bytes().begin(), masked.address.bytes().end(), address.begin());
    address.back() |= 1;
  }
  return IpAddress::from_bytes(address);
}

bool is_network_address(const IpAddress& address, const Prefix& net) {
  return net.contains(address) && net.address.bits() - net.length >= 2 &&
         host_bits_are(address.bytes(), net.length, false);
}

bool is_usable_address(const IpAddress& address, const Prefix& net) {
  if (!net.contains(address) || is_network_address(address, net)) return false;
  const bool has_broadcast = address.is_v4() && net.address.bits() - net.length >= 2;
  return !has_broadcast || !host_bits_are(address.bytes(), net.length, true);
}

}  // namespace wesher::mesh
