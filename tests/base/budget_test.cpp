#include "base/budget.h"

#include <catch2/catch.hpp>

namespace wesher {

using namespace std::chrono_literals;

namespace {

unsigned taken(Budget& budget, Instant now, std::size_t at_once, unsigned tries) {
  unsigned count = 0;
  for (unsigned i = 0; i < tries; ++i)
    count += budget.take(now, at_once) ? 1U : 0U;
  return count;
}

}  // namespace

TEST_CASE("a budget gives its burst at once and then its rate") {
  Budget budget(20);
  Instant now{1h};
  CHECK(taken(budget, now, 20, 1000) == 20);
  unsigned later = 0;
  for (int i = 0; i < 1000; ++i) {
    now += 1ms;
    later += taken(budget, now, 20, 3);
  }
  CHECK(later == 20);
  CHECK(taken(budget, now + 1h, 20, 1000) == 20);
}

TEST_CASE("a spent budget tells when it gives one again") {
  Budget budget(10);
  const Instant now{1h};
  CHECK(budget.next(5) <= now);
  REQUIRE(taken(budget, now, 5, 100) == 5);
  const Instant next = budget.next(5);
  CHECK(next == now + 100ms);
  CHECK_FALSE(budget.take(next - 1us, 5));
  CHECK(budget.take(next, 5));
}

}  // namespace wesher
