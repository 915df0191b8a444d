// What the tests of the wire formats share: bytes from hex, the keys and nonce under which the
// recorded packets were made, and sealing as a peer would.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "base/bytes.h"
#include "wire/keyring.h"

namespace wesher::wire::test {

/// Nonce of all recorded packets: a0 a1 … ab.
inline constexpr std::array<std::uint8_t, kNonceBytes> kNonce = {
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab};

inline Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) throw std::invalid_argument("not hex: " + std::string(text));
  return *bytes;
}

/// The recorded key 00 01 02 …, of 16, 24 or 32 bytes.
inline Bytes recorded_key(std::size_t size = 32) {
  Bytes key;
  for (std::size_t i = 0; i < size; ++i)
    key.push_back(static_cast<std::uint8_t>(i));
  return key;
}

inline Keyring ring_of(ByteView key) {
  Keyring ring;
  if (!ring.add(key)) throw std::invalid_argument("not a key");
  return ring;
}

inline Keyring recorded_ring() {
  return ring_of(recorded_key());
}

inline Bytes joined(ByteView a, ByteView b) {
  Bytes out(a.begin(), a.end());
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

/// Encryption version 0 as a peer of protocol version 1 writes it: padded to blocks of 16. The
/// version byte is not authenticated, so it is version 1 of the padded bytes with another first
/// byte.
inline Bytes seal_version_0(const Keyring& ring, ByteView plain, ByteView additional = {}) {
  const std::size_t padding = 16 - plain.size() % 16;
  Bytes out = ring.seal_with_nonce(
      joined(plain, Bytes(padding, static_cast<std::uint8_t>(padding))), additional, kNonce);
  out.front() = 0;
  return out;
}

/// Version 1 under the recorded nonce.
inline Bytes seal_version_1(const Keyring& ring, ByteView plain, ByteView additional = {}) {
  return ring.seal_with_nonce(plain, additional, kNonce);
}

}  // namespace wesher::wire::test
