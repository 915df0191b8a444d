#include "plan/drift.h"

#include <catch2/catch.hpp>

namespace wesher::plan::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kStart = Instant{} + seconds(1000);

TEST_CASE("ten repairs in a minute are none too many and the eleventh is a fight") {
  DriftBook book;
  Instant now = kStart;
  for (int i = 0; i < 10; ++i, now += seconds(5))
    CHECK_FALSE(book.repaired("link", now));
  CHECK(book.may_repair("link", now));
  CHECK(book.repaired("link", now));
  CHECK(book.is_fought_over("link"));
  CHECK_FALSE(book.may_repair("link", now));
  CHECK(book.may_repair("hosts", now));
  CHECK(book.next_repair(now) == now + kFightPauseFirst);
}

TEST_CASE("repairs that are further apart never make a fight") {
  DriftBook book;
  Instant now = kStart;
  for (int i = 0; i < 100; ++i, now += seconds(6))
    CHECK_FALSE(book.repaired("link", now));
}

TEST_CASE("the pauses of a fight double up to five minutes") {
  DriftBook book;
  Instant now = kStart;
  while (!book.repaired("link", now)) {
  }
  Duration pause = kFightPauseFirst;
  for (int i = 0; i < 12; ++i) {
    REQUIRE(book.next_repair(now) == now + pause);
    CHECK_FALSE(book.may_repair("link", now + pause - seconds(1)));
    now += pause;
    CHECK(book.may_repair("link", now));
    CHECK_FALSE(book.repaired("link", now));  // a fight begins once
    pause = std::min<Duration>(pause * 2, kFightPauseMax);
  }
  CHECK(pause == Duration(kFightPauseMax));
}

TEST_CASE("a fight is over when nobody changed the object for a minute after its pause") {
  DriftBook book;
  Instant now = kStart;
  while (!book.repaired("link", now)) {
  }
  now += kFightPauseFirst + kFightWindow;
  CHECK(book.settle(now - seconds(1)).empty());
  CHECK(book.settle(now) == std::vector<std::string>{"link"});
  CHECK_FALSE(book.any_fight());
  CHECK_FALSE(book.repaired("link", now));
}

TEST_CASE("strangers cannot make the book grow without a bound and the oldest go first") {
  DriftBook book;
  for (std::size_t i = 0; i < 3 * kDriftObjectsMax; ++i)
    (void)book.repaired("peer " + std::to_string(i), kStart + Duration(i));
  // A remembered object is one whose repairs add up.
  const auto add_up = [&](std::size_t i) {
    DriftBook copy = book;
    for (std::size_t n = 0; n < kFightRepairs - 1; ++n)
      (void)copy.repaired("peer " + std::to_string(i), kStart + seconds(1));
    return copy.repaired("peer " + std::to_string(i), kStart + seconds(1));
  };
  CHECK(add_up(3 * kDriftObjectsMax - 1));
  CHECK_FALSE(add_up(0));
  CHECK(book.settle(kStart + minutes(5)).empty());
}

}  // namespace
}  // namespace wesher::plan::test
