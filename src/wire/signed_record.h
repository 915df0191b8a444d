// What a node says of itself under its identity's signature: a trailer behind the gob value of its
// metadata. Go nodes read the gob value, ignore what is behind it, and relay all of it. Pure.
//
// The trailer; all integers are big endian, offsets count from the end of the gob value:
//
//      off  size
//        0     2  magic, the letters "W2"
//        2     1  version, 1
//        3     1  flags (record_flag)
//        4    32  identity, an Ed25519 public key
//       36     8  epoch
//       44     6  claim time of the overlay address, ms since 1970
//       50     2  highest cluster key generation installed
//       52     2  cluster key generation used for sending
//       54     2  capabilities
//       56     8  instance number
//       64     n  extensions, one behind the other: type 1, length 1, value
//     64+n    64  signature, the last bytes of the metadata
//
// That is 128 bytes without extensions. The gob value before it has 106 to 175 (its three formats,
// IPv4 and IPv6), and metadata may have 512. What is signed, again big endian:
//
//     15  the letters "wesher-node-v1" and a zero byte
//      2  length of the name, then the name
//      1  length of the underlay address, then its bytes as the alive message's Addr has them: 4 or
//      16 2  gossip port 2  length of the gob value, then the gob value .  the trailer up to its
//      signature
//
// So a record says the same to readers of the gob value and of the trailer, and nobody can give it
// another name, address or port.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/identity.h"
#include "base/time.h"
#include "model/member.h"

namespace wesher::wire {

/// Bits of SignedRecord::flags. Others have no meaning, and are kept.
namespace record_flag {
inline constexpr std::uint8_t kLeaving = 1;
inline constexpr std::uint8_t kAddressFixed = 2;    ///< by its operator; information only
inline constexpr std::uint8_t kWantsPairPsk = 4;    ///< a pre-shared key per pair
inline constexpr std::uint8_t kClockUntrusted = 8;  ///< the epoch may be far from any wall clock
/// Beside kLeaving: name and overlay address are given back at once. Alone it means nothing.
inline constexpr std::uint8_t kForGood = 16;
}  // namespace record_flag

/// Types of extensions that are known: each at most once, with the length given here. Others may
/// come more than once and have any length.
namespace record_extension {
inline constexpr std::uint8_t kCertificate = 1;  ///< 81 to 99 bytes
inline constexpr std::uint8_t kNextKey = 2;      ///< the WireGuard key to come, 32 bytes
}  // namespace record_extension

struct RecordExtension {
  std::uint8_t type = 0;
  Bytes value;  ///< at most 255 bytes

  friend bool operator==(const RecordExtension&, const RecordExtension&) = default;
};

/// A record as it was sent, signature aside. Record and bytes are one to one: nothing is lost in
/// either direction, whatever a later version puts into flags, capabilities and extensions.
struct SignedRecord {
  std::uint8_t flags = 0;
  IdentityKey identity;
  std::uint64_t epoch = 0;         ///< rises with every record of an identity
  WallTime claim_time{};           ///< 1970 to the end of the year 9999
  std::uint16_t keys_through = 0;  ///< highest cluster key generation installed
  std::uint16_t sends_with = 0;    ///< cluster key generation used for sending
  std::uint16_t capabilities = 0;
  std::uint64_t instance = 0;  ///< drawn at each start: tells copies of a node apart
  std::vector<RecordExtension> extensions;

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }

  /// The value of the first extension of that type; nothing when there is none.
  [[nodiscard]] std::optional<ByteView> extension(std::uint8_t type) const;

  friend bool operator==(const SignedRecord&, const SignedRecord&) = default;
};

/// What a record is bound to besides its own bytes, from the same alive message or push/pull state.
struct RecordContext {
  std::string_view name;  ///< 1 to 253 bytes
  ByteView underlay;      ///< 4 or 16 bytes, exactly as received
  std::uint16_t gossip_port = 0;
};

/// The trailer without its signature. Errc::malformed for a time outside 1970 to 9999 or a known
/// extension that is doubled or of the wrong length, Errc::too_large for more than fits.
[[nodiscard]] Result<Bytes> encode_record(const SignedRecord& record);

/// The whole metadata of a node: gob value, record, signature. Besides the errors of encode_record:
/// Errc::malformed when `record.identity` is not the key's, the context is not one that `verify`
/// takes, or `meta` has an all-zero key; Errc::too_large when it is more than 512 bytes.
[[nodiscard]] Result<Bytes> encode_signed(const NodeMeta& meta,
                                          const SignedRecord& record,
                                          const RecordContext& context,
                                          const SigningKey& key);

/// The record in metadata whose gob value takes the first `gob_bytes` (RawNodeMeta), not verified.
/// Nothing when there is no trailer or one with another magic, which is a legacy node's either way.
/// Errc::unsupported for another version; Errc::malformed for anything that `encode_record` does
/// not make, a trailer cut anywhere included; Errc::too_large above 512 bytes.
[[nodiscard]] Result<std::optional<SignedRecord>> decode_trailer(ByteView meta,
                                                                 std::size_t gob_bytes);

/// Whether the metadata that `record` was decoded from bears its identity's signature for this
/// context. False for a name, an address or a `gob_bytes` that no record can have. Costs about
/// 0.1 ms: what is no news should not be asked.
[[nodiscard]] bool verify(const SignedRecord& record,
                          ByteView meta,
                          std::size_t gob_bytes,
                          const RecordContext& context);

}  // namespace wesher::wire
