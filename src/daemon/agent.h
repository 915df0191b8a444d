// The daemon: every object of the process is made here, in order, and nowhere else.
#pragma once

#include <string>

#include "daemon/options.h"

namespace wesher::daemon {

/// Exit codes of the program (sysexits where they fit).
enum class Exit : int {
  ok = 0,
  failed = 1,
  usage = 2,
  no_wireguard = 69,
  busy = 75,
  not_permitted = 77,
  state_unusable = 78,
};

/// The exit code that an error of this kind ends the program with.
[[nodiscard]] Exit exit_for(Errc code);

/// Runs until a signal or `wesher leave` ends it. Errors before the daemon is up are one line on
/// stderr; the exit code says which kind.
[[nodiscard]] Exit run_agent(Options options);

}  // namespace wesher::daemon
