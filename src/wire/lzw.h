// LZW as Go's compress/lzw does it: least significant bit first, 8-bit literals, codes of 9 to 12
// bits. Pure.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

namespace wesher::wire {

/// Compresses; the same bytes as Go's writer.
[[nodiscard]] Bytes lzw_compress(ByteView plain);

/// Decompresses up to the end code. Errc::malformed: a bad code or no end code; Errc::too_large:
/// more than `limit` bytes would come out (nothing beyond the limit is ever held).
[[nodiscard]] Result<Bytes> lzw_decompress(ByteView packed, std::size_t limit);

}  // namespace wesher::wire
