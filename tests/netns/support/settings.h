// What one run of the scenarios works with, and the two ways a scenario gives up without a verdict
// of its own: skipping, and waiting in vain.
#pragma once

#include <string>

namespace wesher::netns {

/// CTest's SKIP_RETURN_CODE for these tests.
inline constexpr int kSkipCode = 77;

struct Settings {
  std::string wesher;            ///< the daemon's binary
  std::string backend = "auto";  ///< passed on as --backend: auto, kernel or userspace
  int patience = 1;  ///< $WESHER_PATIENCE: bounds of waiting times this, for slow machines
};

/// PATH inside the rig: where root finds its tools.
inline constexpr const char* kToolPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The settings of this process; set once by main().
[[nodiscard]] Settings& settings();

/// Whether this kernel makes WireGuard links, by making one in the current network namespace.
[[nodiscard]] bool kernel_has_wireguard();

/// Whether the daemons of this run use the kernel's WireGuard: asked for, or automatic and there.
[[nodiscard]] bool uses_kernel();

/// Ends the scenario with "skipped: <reason>" and kSkipCode. One scenario has one process, so
/// nothing else is lost.
[[noreturn]] void skip(const std::string& reason);

/// Skips unless a program of that name is on PATH.
void need_program(const std::string& name);

}  // namespace wesher::netns
