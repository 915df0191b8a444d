// LZW against check sums recorded from Go's compress/lzw, and against damaged and hostile data.
#include "wire/lzw.h"

#include <catch2/catch.hpp>
#include <zlib.h>

#include "base/random.h"
#include "tests/wire/support/samples.h"
#include "wire/limits.h"

namespace wesher::wire {

namespace {

using test::hex;

std::uint32_t crc_of(ByteView bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

/// Byte i is the low 8 bits of i² + ⌊i/8⌋.
Bytes sample(std::size_t size) {
  Bytes out;
  for (std::size_t i = 0; i < size; ++i)
    out.push_back(static_cast<std::uint8_t>(i * i + i / 8));
  return out;
}

/// Packs codes of a fixed width, least significant bit first.
Bytes packed(const std::vector<unsigned>& codes, unsigned width = 9) {
  Bytes out;
  std::size_t bit = 0;
  for (const unsigned code : codes) {
    for (unsigned i = 0; i < width; ++i, ++bit) {
      if (bit % 8 == 0) out.push_back(0);
      out.back() = static_cast<std::uint8_t>(out.back() | (code >> i & 1U) << bit % 8);
    }
  }
  return out;
}

constexpr std::size_t kEnough = 1U << 20U;

Errc refusal(ByteView bytes, std::size_t limit = kEnough) {
  const auto plain = lzw_decompress(bytes, limit);
  REQUIRE_FALSE(plain);
  return plain.error().code;
}

}  // namespace

TEST_CASE("LZW output has the length and check sum of Go's writer") {
  struct Case {
    std::size_t size;
    std::uint32_t crc;
    std::size_t packed_size;
    std::uint32_t packed_crc;
  };

  const auto c = GENERATE(
      Case{300, 0x65e5c50c, 346, 0xc719cef2}, Case{1400, 0xe2ad511f, 1800, 0x3bd14d32},
      Case{20000, 0x394971a0, 19744, 0xff08cb86}, Case{200000, 0x5e156959, 192668, 0x5796d3f3});
  const Bytes plain = sample(c.size);
  REQUIRE(crc_of(plain) == c.crc);
  const Bytes out = lzw_compress(plain);
  CHECK(out.size() == c.packed_size);
  CHECK(crc_of(out) == c.packed_crc);
  CHECK(lzw_decompress(out, c.size).value() == plain);
}

TEST_CASE("LZW of a repeated word and of nothing is what Go writes") {
  CHECK(to_hex(lzw_compress(as_bytes("hello hello hello hello"))) ==
        "00d19461c3e60d0881040d222c787060c180");
  CHECK(to_hex(lzw_compress({})) == "000302");
  CHECK(lzw_decompress(hex("000302"), 0).value().empty());
}

TEST_CASE("LZW gives back what went in") {
  Rng rng = Rng::from_number(7);
  for (std::size_t size : {1U, 2U, 255U, 256U, 257U, 511U, 3838U, 3839U, 3840U, 70000U}) {
    for (const std::uint64_t values : {1U, 2U, 16U, 256U}) {
      Bytes plain(size);
      for (auto& byte : plain)
        byte = static_cast<std::uint8_t>(rng.below(values));
      INFO(size << " bytes of " << values << " values");
      CHECK(lzw_decompress(lzw_compress(plain), size).value() == plain);
    }
  }
}

TEST_CASE("LZW data without its end code is refused wherever it is cut") {
  const Bytes whole = lzw_compress(sample(300));
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    INFO(size);
    CHECK(refusal(ByteView(whole).first(size)) == Errc::malformed);
  }
}

TEST_CASE("bytes behind the end code of LZW are ignored") {
  const Bytes plain = sample(300);
  CHECK(lzw_decompress(test::joined(lzw_compress(plain), hex("ffff00")), 300).value() == plain);
}

TEST_CASE("an LZW stream may start without a clear code") {
  CHECK(lzw_decompress(packed({'a', 'b', 257}), kEnough).value() ==
        test::joined(hex("61"), hex("62")));
}

TEST_CASE("the first LZW code after a clear must be a literal") {
  CHECK(refusal(packed({256, 258, 257})) == Errc::malformed);
  CHECK(refusal(packed({256, 'a', 'b', 256, 258, 257})) == Errc::malformed);
}

TEST_CASE("an LZW code may be the next one to be assigned but none above it") {
  CHECK(as_text(lzw_decompress(packed({256, 'a', 258, 257}), kEnough).value()) == "aaa");
  CHECK(refusal(packed({256, 'a', 259, 257})) == Errc::malformed);
  CHECK(as_text(lzw_decompress(packed({256, 'a', 'b', 259, 257}), kEnough).value()) == "abbb");
  CHECK(refusal(packed({256, 'a', 'b', 260, 257})) == Errc::malformed);
}

TEST_CASE("LZW codes that go on after the table is full assign nothing and stay at 12 bits") {
  // 3838 literals fill the table up to code 4095; the widths grow on the way.
  Bytes out;
  std::size_t bit = 0;
  const auto put = [&](unsigned code, unsigned width) {
    for (unsigned i = 0; i < width; ++i, ++bit) {
      if (bit % 8 == 0) out.push_back(0);
      out.back() = static_cast<std::uint8_t>(out.back() | (code >> i & 1U) << bit % 8);
    }
  };
  unsigned written = 0;
  const auto width = [&] {
    return written < 255 ? 9U : written < 767 ? 10U : written < 1791 ? 11U : 12U;
  };
  put(256, 9);
  Bytes expected;
  for (; written < 5000; ++written) {
    put('a' + written % 26, width());
    expected.push_back(static_cast<std::uint8_t>('a' + written % 26));
  }
  put(4095, 12);  // assigned by the 3839th code: codes 3838 and 3839
  expected.push_back(static_cast<std::uint8_t>('a' + 3837 % 26));
  expected.push_back(static_cast<std::uint8_t>('a' + 3838 % 26));
  put(256, 12);
  put('z', 9);
  expected.push_back('z');
  put(257, 9);
  CHECK(lzw_decompress(out, kEnough).value() == expected);
}

TEST_CASE("LZW data may fill its limit but not pass it by one byte") {
  const Bytes plain = sample(5000);
  const Bytes out = lzw_compress(plain);
  CHECK(lzw_decompress(out, 5000).value() == plain);
  CHECK(refusal(out, 4999) == Errc::too_large);
}

TEST_CASE("an LZW bomb stops at the limit") {
  const Bytes bomb = lzw_compress(Bytes(92'000'000, 0));
  REQUIRE(bomb.size() < 70'000);
  CHECK(refusal(bomb, limits::kDatagramPlainBytes) == Errc::too_large);
  CHECK(refusal(bomb, limits::kFramePlainBytes) == Errc::too_large);
}

}  // namespace wesher::wire
