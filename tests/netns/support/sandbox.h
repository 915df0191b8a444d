// One scenario's world: PID, mount, network, UTS and IPC namespaces of its own, a tmpfs on /run.
// Everything started in it ends with it, however it ends, daemonised programs included.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

namespace wesher::netns {

/// Forks, and runs `scenario` in a fresh sandbox, stdout and stderr in `output_path` (empty: as
/// they are). Returns the pid of the keeper: its exit code is what `scenario` returned, and killing
/// it takes the sandbox down. Call from a single-threaded process only.
[[nodiscard]] pid_t start_sandbox(const std::string& output_path,
                                  const std::function<int()>& scenario);

}  // namespace wesher::netns
