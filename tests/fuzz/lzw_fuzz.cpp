// LZW: the input as compressed data under several limits, and as data to compress.
#include <algorithm>

#include "wire/lzw.h"
#include "wire_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  using namespace wesher::wire;
  const ByteView input(data, size);
  constexpr std::size_t kLimit = 65536;
  const auto plain = lzw_decompress(input, kLimit);
  if (plain) {
    fuzz::require(plain->size() <= kLimit);
    fuzz::require(lzw_decompress(input, plain->size()).has_value());
    if (!plain->empty()) {
      const auto under = lzw_decompress(input, plain->size() - 1);
      fuzz::require(!under && under.error().code == Errc::too_large);
    }
    fuzz::require(lzw_decompress(lzw_compress(*plain), plain->size()) == *plain);
  }
  const auto back = lzw_decompress(lzw_compress(input), size);
  fuzz::require(back.has_value() && std::equal(back->begin(), back->end(), data, data + size));
  return 0;
}
