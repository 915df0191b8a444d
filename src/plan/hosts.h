// The hosts file's part of the plan. Pure.
#pragma once

#include <optional>

#include "model/state.h"
#include "plan/plan.h"
#include "plan/reason.h"

namespace wesher::plan {

/// The one action that brings our lines to what is wanted; nothing if they are so, or if the file
/// is not writable. Without `may_remove` lines stay whose name and address are not wanted
/// otherwise.
[[nodiscard]] std::optional<Action> diff_hosts(const Desired& desired,
                                               const ObservedHosts& observed,
                                               bool may_remove,
                                               const Reasons& reasons);

}  // namespace wesher::plan
