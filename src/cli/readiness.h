// What `wesher wait` waits for. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "cli/facts.h"

namespace wesher::cli {

struct WaitFor {
  std::size_t peers = 0;  ///< so many other members are alive and configured at least
  std::string node;       ///< this one is, if not empty
};

/// A clause about the first thing that is missing: a running daemon, desired state, the interface
/// with its address, all of it applied, the node, the peers. Empty when nothing is.
[[nodiscard]] std::string what_is_missing(const Snapshot& snapshot, const WaitFor& wanted);

}  // namespace wesher::cli
