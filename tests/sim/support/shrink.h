// Makes a failing plan smaller: fewer kinds of faults, fewer steps, fewer hosts, as long as it
// still fails.
#pragma once

#include <functional>

#include "tests/sim/support/plan.h"

namespace wesher::sim {

/// `fails` runs a plan. At most `tries` runs; gives the smallest plan that failed, `plan` itself if
/// nothing smaller did.
[[nodiscard]] Plan shrink(Plan plan, const std::function<bool(const Plan&)>& fails, unsigned tries);

}  // namespace wesher::sim
