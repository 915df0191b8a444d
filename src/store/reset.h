// Starting one interface over, as --init does.
#pragma once

#include "base/error.h"
#include "store/paths.h"

namespace wesher::store {

/// Removes key file and database of the interface; copies of older databases (`.v<N>`) and those
/// that were moved aside stay. The caller holds the interface lock. Interrupted, it leaves either
/// the old key file or nothing that a later start would take for state.
[[nodiscard]] Result<void> reset_state(const Paths& paths);

}  // namespace wesher::store
