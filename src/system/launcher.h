// Starts a userspace WireGuard program so that it outlives us and holds nothing of ours. Blocking.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wesher::system {

/// $WG_QUICK_USERSPACE_IMPLEMENTATION (as wg-quick has it), else "wireguard-go".
[[nodiscard]] std::string userspace_program();

/// Where `program` is, as execvp would find it; empty if nowhere.
[[nodiscard]] std::string find_program(const std::string& program);

/// Which of our environment the program gets: PATH, HOME, LANG, TZ, and what steers such programs
/// (WG_*, GO*); nothing else, so no secret, no NOTIFY_SOCKET, and no LOG_LEVEL, with which
/// wireguard-go would go on writing to our output.
[[nodiscard]] std::vector<std::string> clean_environment(char** environment);

/// What was asked of `launch`.
struct Launch {
  std::string path;  ///< from find_program
  std::string interface;
  std::string watch_directory;               ///< something changes here when it may be ready
  std::function<bool()> ready;               ///< asked after each such change
  std::chrono::milliseconds timeout{10000};  ///< at most
};

/// Runs `path interface` in a session of its own, child of init, working directory /, all
/// descriptors closed but null input and a bounded output of its start-up messages, default
/// signals; then waits until `ready`. One that ends and makes no interface is run once more: a
/// program whose interface was just removed takes the socket of its successor away when it ends
/// ("Failed to listen on uapi socket"). The error has what the program said, or why it could not be
/// executed.
[[nodiscard]] Result<void> launch(const Launch& what);

}  // namespace wesher::system
