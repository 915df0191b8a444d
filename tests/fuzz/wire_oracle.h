// What the fuzz targets of the wire formats share: a fixed ring, and an independent look at
// plaintexts that are about to be sent: nothing that crashes or misleads a Go node may be in them.
#pragma once

#include <array>
#include <cstdlib>

#include "base/bytes.h"
#include "wire/keyring.h"
#include "wire/messages.h"

namespace wesher::wire::fuzz {

/// Stops the run; the fuzzer keeps the input.
inline void require(bool truth) {
  if (!truth) std::abort();
}

inline constexpr std::array<std::uint8_t, kNonceBytes> kNonce = {
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab};

/// The key of the recorded packets: 00 01 … 1f.
inline const Keyring& ring() {
  static const Keyring made = [] {
    Keyring keyring;
    Bytes key;
    for (std::uint8_t i = 0; i < 32; ++i)
      key.push_back(i);
    require(keyring.add(key).has_value());
    return keyring;
  }();
  return made;
}

/// Whether every version vector in a message of ours has 6 bytes and its minimum is at least 1.
inline bool harmless_versions(const Bytes& versions) {
  return versions.size() == 6 && versions[0] != 0 && versions[3] == 0;
}

inline bool harmless(const PacketMessage& message) {
  const auto* alive = std::get_if<Alive>(&message);
  return alive == nullptr || harmless_versions(alive->versions);
}

inline bool harmless(const StreamMessage& message) {
  const auto* table = std::get_if<PushPull>(&message);
  if (table == nullptr) return true;
  for (const PushPullEntry& entry : table->entries) {
    if (!harmless_versions(entry.versions)) return false;
  }
  return true;
}

/// Looks at the plaintext of a datagram as `pack` made it, byte by byte.
inline void require_sendable(ByteView plain) {
  require(!plain.empty());
  if (plain.front() != 7) {
    const auto message = decode(plain);
    require(message.has_value() && harmless(*message));
    return;
  }
  ByteReader reader(plain.subspan(1));
  const std::size_t parts = reader.u8();
  require(parts >= 2 && parts <= 127);
  ByteReader lengths(reader.take(parts * 2));
  for (std::size_t i = 0; i < parts; ++i) {
    const ByteView part = reader.take(lengths.u16());
    require(reader.ok() && !part.empty());
    const auto message = decode(part);
    require(message.has_value() && harmless(*message));
  }
  require(reader.left() == 0);
}

}  // namespace wesher::wire::fuzz
