#include "base/compact.h"

#include <utility>

#include <catch2/catch.hpp>

namespace wesher {

TEST_CASE("bytes in place hold what fits and are told apart by length and content") {
  using Four = InlineBytes<4>;
  CHECK(Four{}.empty());
  CHECK(Four{1, 2} == Bytes{1, 2});
  CHECK_FALSE(Four{1, 2} == Bytes{1, 2, 0});
  CHECK_FALSE(Four{1, 2} == Four{1, 3});
  CHECK(Four(Bytes{1, 2, 3, 4, 5}) == Bytes{1, 2, 3, 4});
  Four changed{1, 2, 3};
  changed = Bytes{9};
  CHECK(changed == Bytes{9});
}

TEST_CASE("packed bytes are a pointer and hold from nothing to 65535") {
  CHECK(sizeof(PackedBytes) == sizeof(void*));
  CHECK(PackedBytes{}.empty());
  CHECK(PackedBytes{} == Bytes{});
  CHECK(PackedBytes(Bytes{}).begin() == PackedBytes{}.end());
  for (const std::size_t size : {1U, 255U, 256U, 65535U}) {
    const Bytes bytes(size, 7);
    CHECK(PackedBytes(bytes) == bytes);
  }
  CHECK(PackedBytes(Bytes(65536, 7)).size() == 65535);
}

TEST_CASE("packed bytes are shared by their copies, moved and assigned to themselves") {
  PackedBytes one{1, 2, 3};
  PackedBytes two = one;
  CHECK(two == one);
  CHECK(two.data() == one.data());
  two = PackedBytes{4};
  CHECK(two == Bytes{4});
  CHECK(one == Bytes{1, 2, 3});
  const PackedBytes& same = one;
  one = same;
  CHECK(one == Bytes{1, 2, 3});
  one = ByteView(one).subspan(1);
  CHECK(one == Bytes{2, 3});
  two = std::move(one);
  CHECK(two == Bytes{2, 3});
}

}  // namespace wesher
