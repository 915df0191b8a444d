// The formulas of SWIM with Lifeguard as memberlist computes them (util.go, suspicion.go,
// awareness.go, queue.go; unchanged from v0.1.0 to v0.6.0). Only arithmetic: no state but the
// health score. `n` is everywhere the number of records of any state, ourselves included.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace wesher::gossip {

/// Bounds of a suspicion and the number of confirmations that bring it from `max` to `min`.
struct SuspicionBounds {
  Duration min{};
  Duration max{};
  unsigned confirmations = 0;  ///< k; 0 = `min` from the start
};

/// min = mult · max(1, log10 n) · probe_interval, the factor cut to three decimals;
/// max = max_mult · min; k = mult − 2, or 0 where fewer than k others could confirm.
[[nodiscard]] SuspicionBounds suspicion_bounds(unsigned mult,
                                               unsigned max_mult,
                                               std::size_t n,
                                               Duration probe_interval);

/// How long a suspicion lasts from its start after `confirmed` confirmations:
/// max − (max − min) · ln(c+1) / ln(k+1), cut to milliseconds, at least min.
[[nodiscard]] Duration suspicion_timeout(const SuspicionBounds& bounds, unsigned confirmed);

/// How often a broadcast is sent: mult · ⌈log10(n+1)⌉.
[[nodiscard]] unsigned retransmit_limit(unsigned mult, std::size_t n);

/// Time between two periodic push/pulls: `interval` up to 32 records, then × (⌈log2 n − 5⌉ + 1).
[[nodiscard]] Duration push_pull_period(Duration interval, std::size_t n);

/// Lifeguard's local health: 0 is best; each point lengthens the probe interval by one interval.
class Awareness {
 public:
  /// Scores 0 to `multiplier` − 1.
  explicit Awareness(unsigned multiplier) : worst_(multiplier == 0 ? 0 : multiplier - 1) {}

  [[nodiscard]] unsigned score() const { return score_; }

  /// A probe succeeded.
  void improve() { score_ -= score_ > 0 ? 1 : 0; }

  /// A probe failed or somebody doubted us.
  void worsen(unsigned points) { score_ = points > worst_ - score_ ? worst_ : score_ + points; }

  [[nodiscard]] Duration scale(Duration interval) const { return interval * (score_ + 1); }

 private:
  unsigned worst_;
  unsigned score_ = 0;
};

}  // namespace wesher::gossip
