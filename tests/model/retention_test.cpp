#include <limits>

#include <catch2/catch.hpp>

#include "model/member.h"

using namespace wesher;
using namespace std::chrono_literals;

namespace {

Duration kept(std::chrono::milliseconds lived, Duration longest = 72h) {
  const WallTime first = wall_from_ms(1'790'000'000'000);
  return retention_by_lifetime(first, first + lived, longest);
}

}  // namespace

TEST_CASE("A member is kept ten times as long as it lived from ten minutes up to the longest") {
  CHECK(kept(0ms) == 10min);
  CHECK(kept(1min) == 10min);
  CHECK(kept(2min) == 20min);
  CHECK(kept(7h) == 70h);
  CHECK(kept(8h) == 72h);
  CHECK(kept(24h * 365) == 72h);
  CHECK(kept(7h, 1h) == 1h);
  CHECK(kept(1s, 1min) == 1min);
}

TEST_CASE("Clocks that went wild give a bounded retention") {
  CHECK(kept(-48h) == 10min);
  const WallTime low = wall_from_ms(std::numeric_limits<std::int64_t>::min());
  const WallTime high = wall_from_ms(std::numeric_limits<std::int64_t>::max());
  CHECK(retention_by_lifetime(low, high, 72h) == 72h);
  CHECK(retention_by_lifetime(high, low, 72h) == 10min);
}
