// A host as a value: applies actions to an Observed the way the kernel and the hosts file would.
#pragma once

#include "model/state.h"
#include "plan/plan.h"

namespace wesher::plan::test {

/// Performs one action. The rules are those of Linux: an allowed IP has one owner, the last writer;
/// a new peer replaces nothing; a link that is created is down and empty.
void perform(Observed& host, const Action& action);

/// Performs a whole plan in order.
void perform(Observed& host, const Plan& plan);

}  // namespace wesher::plan::test
