#include "mesh/epochs.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace wesher::mesh {

namespace {

const WallTime kNow = wall_from_ms(1780000000000);
constexpr std::uint64_t kNowEpoch = 1780000000000;
constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
const WallTime kFarAhead = wall_from_ms(std::numeric_limits<std::int64_t>::max());
const WallTime kFarBack = wall_from_ms(std::numeric_limits<std::int64_t>::min());

Epochs started(std::uint64_t used_below, WallTime now) {
  const std::uint64_t first = epoch_block_start(used_below, now);
  return {first, epoch_block_end(first)};
}

}  // namespace

TEST_CASE("epochs follow the clock and go up by one within a millisecond") {
  Epochs epochs = started(0, kNow);
  CHECK(epochs.end() == kNowEpoch + kEpochBlock);
  CHECK(epochs.take(kNow) == kNowEpoch);
  CHECK(epochs.take(kNow) == kNowEpoch + 1);
  CHECK(epochs.take(wall_from_ms(to_ms(kNow) + 500)) == kNowEpoch + 500);
  CHECK(epochs.take(kNow) == kNowEpoch + 501);
}

TEST_CASE("no epoch at or above the reserved end is given") {
  Epochs epochs(5, 8);
  CHECK(epochs.take(kFarBack) == 5U);
  CHECK_FALSE(epochs.take(kNow));
  CHECK(epochs.take(kFarBack) == 6U);
  CHECK(epochs.take_reserved() == 7U);
  CHECK_FALSE(epochs.take_reserved());
  CHECK_FALSE(epochs.take(kFarBack));
  epochs.extend(9);
  CHECK(epochs.take(kFarBack) == 8U);
  epochs.extend(3);
  CHECK_FALSE(epochs.take_reserved());
  CHECK_FALSE(Epochs(9, 4).take_reserved());
}

TEST_CASE("more is asked for once when the clock is past the block") {
  Epochs epochs = started(0, kNow);
  CHECK_FALSE(epochs.ask(kNow));
  const WallTime later = wall_from_ms(to_ms(kNow) + std::int64_t{kEpochBlock});
  CHECK_FALSE(epochs.take(later));
  const auto end = epochs.ask(later);
  CHECK(end == kNowEpoch + 2 * kEpochBlock);
  CHECK_FALSE(epochs.ask(later));  // under way
  epochs.forget_request();
  CHECK(epochs.ask(later) == end);  // it failed
  CHECK(epochs.take_reserved() == kNowEpoch);
  epochs.extend(end.value());
  CHECK_FALSE(epochs.ask(later));
  CHECK(epochs.take(later) == kNowEpoch + kEpochBlock);
}

TEST_CASE("the next block is asked for when this one is used up by number") {
  Epochs epochs(1, 3);
  CHECK(epochs.take(kFarBack) == 1U);
  CHECK_FALSE(epochs.ask(kFarBack));
  CHECK(epochs.take(kFarBack) == 2U);
  CHECK(epochs.ask(kFarBack) == 3 + kEpochBlock);
}

TEST_CASE("a restart begins where the last block ended or at the clock") {
  CHECK(started(0, kNow).take(kNow) == kNowEpoch);
  CHECK(started(kNowEpoch + 77, kNow).take(kNow) == kNowEpoch + 77);
  CHECK(started(77, kNow).take(kNow) == kNowEpoch);
  CHECK(started(0, kFarBack).take(kFarBack) == 1U);
}

TEST_CASE("a clock in 1970 and one far ahead leave room above and cost one jump") {
  constexpr std::uint64_t kLatest = 253402300799999;
  Epochs epochs = started(0, kFarAhead);
  CHECK(epochs.take(kFarAhead) == kLatest);
  CHECK(epochs.take(kFarAhead) == kLatest + 1);
  CHECK(epochs.take(kNow) == kLatest + 2);
  CHECK(epochs.take(kFarBack) == kLatest + 3);
  Epochs early = started(0, wall_from_ms(0));
  CHECK(early.take(wall_from_ms(0)) == 1U);
  CHECK(early.take(wall_from_ms(0)) == 2U);
}

TEST_CASE("at the top of all numbers epochs end instead of wrapping") {
  CHECK(epoch_block_end(kTop - 1) == kTop);
  Epochs epochs(kTop - 1, kTop);
  CHECK(epochs.take(kNow) == kTop - 1);
  CHECK_FALSE(epochs.take(kNow));
  CHECK_FALSE(epochs.ask(kNow));
  CHECK_FALSE(started(kTop, kNow).take_reserved());
}

TEST_CASE("epochs go up whatever clocks and crashes and saves do") {
  Rng rng = Rng::from_number(3);
  const std::array clocks = {kNow, kFarBack, kFarAhead, wall_from_ms(0), wall_from_ms(5)};
  std::uint64_t on_disk = 0;
  std::uint64_t last = 0;
  WallTime now = kNow;
  int given = 0;
  for (int run = 0; run < 200; ++run) {
    Epochs epochs = started(on_disk, now);
    on_disk = epochs.end();
    for (std::uint64_t step = rng.below(60); step > 0; --step) {
      if (rng.below(10) == 0) {
        now = clocks.at(rng.below(clocks.size()));
      } else if (now < kFarAhead - std::chrono::hours(1)) {
        now += std::chrono::milliseconds(rng.below(20000));
      }
      if (const auto end = epochs.ask(now)) {
        if (rng.below(4) != 0) {
          on_disk = *end;
          epochs.extend(*end);
        } else {
          epochs.forget_request();
        }
      }
      const auto epoch = rng.below(3) == 0 ? epochs.take_reserved() : epochs.take(now);
      if (!epoch) continue;
      REQUIRE(*epoch > last);
      REQUIRE(*epoch < on_disk);
      last = *epoch;
      ++given;
    }
  }
  CHECK(given > 1000);
  CHECK(last < (std::uint64_t{1} << 48U));
}

}  // namespace wesher::mesh
