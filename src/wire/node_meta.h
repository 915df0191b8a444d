// The metadata that a wesher node announces: one Go gob value `nodeMeta` in one of three formats,
// and whatever is behind it. Pure.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "model/member.h"

namespace wesher::wire {

/// A metadata value as it was sent, before anybody judged it.
struct RawNodeMeta {
  MetaFormat format = MetaFormat::f2;
  Bytes address;           ///< OverlayAddr: 4 or 16 bytes, or whatever was sent; empty = missing
  Bytes mask;              ///< F2 only; empty when missing
  std::string public_key;  ///< PubKey text; empty = missing
  std::size_t gob_bytes =
      0;  ///< how much of the metadata the gob value takes; the rest is a trailer
};

/// Encodes exactly as the Go program of that generation does (first user type id 65). Empty for an
/// all-zero key: Go nodes tear down their interface over a key that can't be used, while empty
/// metadata is what every one of them starts with.
[[nodiscard]] Bytes encode_node_meta(const NodeMeta& meta);

/// Reads a gob stream up to its first value, by the sender's own type descriptions. Bounded:
/// 512 bytes, 32 type definitions, 64 fields, nesting 8. Errors name what was found.
[[nodiscard]] Result<RawNodeMeta> decode_node_meta(ByteView bytes);

/// Raw → valid: 32-byte key that is not zero, 4- or 16-byte address, full host mask in F2.
/// The network it must lie in is judged by mesh/.
[[nodiscard]] Result<NodeMeta> validate_node_meta(const RawNodeMeta& raw);

}  // namespace wesher::wire
