// `wesher plan`: what the daemon would change. Pure.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/facts.h"
#include "plan/plan.h"

namespace wesher::cli {

/// What the daemon would do, from desired and observed. Errc::not_found: nothing is desired yet.
/// Errc::exists, Errc::busy: what plan::judge_interface says of a foreign interface. The live side
/// of the snapshot must be there.
[[nodiscard]] Result<plan::Plan> make_plan(const Snapshot& snapshot);

/// The plan, with the notes that an operator needs to read it.
[[nodiscard]] std::string plan_text(const plan::Plan& plan, const Snapshot& snapshot);
/// Schema wesher.plan/1.
[[nodiscard]] std::string plan_json(const plan::Plan& plan, const Snapshot& snapshot);

}  // namespace wesher::cli
