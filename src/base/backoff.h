// Capped exponential delay with jitter.
#pragma once

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace wesher {

/// Delays that double from `first` up to `max`, each shortened by up to a tenth at random so that
/// hosts that failed together don't retry together. `reset` after a success.
class Backoff {
 public:
  Backoff(Duration first, Duration max) : first_(first), max_(max), next_(first) {}

  [[nodiscard]] Duration next(Rng& rng) {
    const Duration delay = next_;
    next_ = std::min(next_ * 2, max_);
    return delay - rng.below(delay / 10);
  }

  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration max_;
  Duration next_;
};

}  // namespace wesher
