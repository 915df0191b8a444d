// A rate limit: so many a second on average, and a number of them at once after a pause. One
// instant is all it holds. Pure.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/time.h"

namespace wesher {

class Budget {
 public:
  /// `per_second` is at least 1.
  explicit constexpr Budget(unsigned per_second)
      : each_(Duration{std::chrono::seconds{1}} / per_second) {}

  /// Takes one if there is one left of `at_once`, which is at least 1.
  [[nodiscard]] bool take(Instant now, std::size_t at_once) {
    const Instant next = std::max(paid_until_, now) + each_;
    if (next - now > each_ * static_cast<Duration::rep>(at_once)) return false;
    paid_until_ = next;
    return true;
  }

  /// The earliest time at which `take` gives one.
  [[nodiscard]] Instant next(std::size_t at_once) const {
    return paid_until_ - each_ * (static_cast<Duration::rep>(at_once) - 1);
  }

 private:
  Duration each_;
  Instant paid_until_{};
};

}  // namespace wesher
