// The compression layer (type 9) as packets and streams share it: msgpack{Algo, Buf} around LZW.
// Format: memberlist util.go `compress`, all versions. Pure.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

namespace wesher::wire {

/// Body of a compress message (without its type byte) → what was compressed, never empty.
/// Errc::unsupported: another algorithm than LZW; Errc::too_large: more than `limit` bytes;
/// Errc::malformed else.
[[nodiscard]] Result<Bytes> decompress_body(ByteView body, std::size_t limit);

}  // namespace wesher::wire
