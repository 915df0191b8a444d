// The formulas of lifeguard.h. Logarithms that decide about whole numbers are counted, not
// computed, so that powers of ten and two fall on the same side on every machine.
#include "gossip/lifeguard.h"

#include <algorithm>
#include <cmath>

namespace wesher::gossip {

SuspicionBounds suspicion_bounds(unsigned mult,
                                 unsigned max_mult,
                                 std::size_t n,
                                 Duration probe_interval) {
  const double scale = std::max(1.0, std::log10(std::max(1.0, static_cast<double>(n))));
  SuspicionBounds bounds;
  bounds.min = probe_interval * mult * static_cast<Duration::rep>(scale * 1000.0) / 1000;
  bounds.max = bounds.min * max_mult;
  const unsigned k = mult < 2 ? 0 : mult - 2;
  bounds.confirmations = n < k + std::size_t{2} ? 0 : k;
  return bounds;
}

Duration suspicion_timeout(const SuspicionBounds& bounds, unsigned confirmed) {
  if (bounds.confirmations == 0) return bounds.min;
  using Seconds = std::chrono::duration<double>;
  const double fraction = std::log(confirmed + 1.0) / std::log(bounds.confirmations + 1.0);
  const double max = Seconds(bounds.max).count();
  const double min = Seconds(bounds.min).count();
  const double raw = max - fraction * (max - min);
  const auto cut = std::chrono::milliseconds(static_cast<std::int64_t>(std::floor(raw * 1000.0)));
  return std::max(bounds.min, Duration(cut));
}

unsigned retransmit_limit(unsigned mult, std::size_t n) {
  unsigned digits = 0;
  for (std::size_t reach = 1; reach < n + 1; reach *= 10)
    ++digits;
  return mult * digits;
}

Duration push_pull_period(Duration interval, std::size_t n) {
  constexpr std::size_t kUnscaled = 32;  // pushPullScaleThreshold
  Duration::rep factor = 1;
  for (std::size_t reach = kUnscaled; reach < n; reach *= 2)
    ++factor;
  return interval * factor;
}

}  // namespace wesher::gossip
