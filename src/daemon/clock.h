// The one place of the daemon that reads clocks and the system's randomness.
#pragma once

#include <array>

#include "base/random.h"
#include "base/time.h"

namespace wesher::daemon {

/// Monotonic and wall clock now.
[[nodiscard]] Moment now();

/// An Rng seeded from the kernel.
[[nodiscard]] Rng system_rng();

}  // namespace wesher::daemon
