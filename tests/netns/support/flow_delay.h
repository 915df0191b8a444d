// Hosts that are far away: every frame on their cable takes its time, in both directions.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <sys/types.h>

#include "netns/support/host.h"

namespace wesher::netns {

struct DelayedCables {
  std::optional<pid_t> relay;  ///< the process that delays; none: netem does
};

/// Delays frames to and from these hosts by `one_way` each from now on, until the scenario ends:
/// with netem where the kernel has it, else by a relay of our own between the host's port and the
/// bridge. Call it from the namespace of the bridge.
DelayedCables delay_cables(const std::vector<Host*>& hosts, std::chrono::microseconds one_way);

}  // namespace wesher::netns
