// Time without a clock. Pure code never asks what time it is: it is told.
#pragma once

#include <chrono>
#include <cstdint>

namespace wesher {

/// The clock of the pure code. It has no `now()`: a function that needs the time takes an Instant.
/// The daemon maps the monotonic clock onto it, the simulator a counter.
struct CoreClock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};

using Instant = CoreClock::time_point;
using Duration = CoreClock::duration;

/// Wall-clock time for what is stored and shown: milliseconds since 1970-01-01T00:00:00Z.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

[[nodiscard]] constexpr std::int64_t to_ms(WallTime t) {
  return t.time_since_epoch().count();
}

[[nodiscard]] constexpr WallTime wall_from_ms(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}

/// The latest that is believed of anybody, in ms since 1970: the end of the year 9999.
inline constexpr std::int64_t kLatestMs = 253402300799999;

/// Both clocks at one point in time: `at` for timers, `wall` for what is stored and shown.
struct Moment {
  Instant at;
  WallTime wall;
};

}  // namespace wesher
