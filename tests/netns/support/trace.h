// What a daemon sends to the kernel and to wireguard-go, counted from outside by strace.
#pragma once

#include <string>
#include <vector>

namespace wesher::netns {

/// strace's options for a trace that the functions below read. It follows threads and children.
[[nodiscard]] std::vector<std::string> strace_command(const std::string& output);

/// Changing messages in such a trace, each as its line.
struct Changes {
  std::vector<std::string> wireguard;  ///< WG_CMD_SET_DEVICE, or set=1 of the userspace protocol
  std::vector<std::string> routes;     ///< RTM_NEWROUTE, RTM_DELROUTE
  std::vector<std::string> others;     ///< links, addresses, rules, …

  [[nodiscard]] std::vector<std::string> all() const;
  /// All lines as one text.
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Changes changes_sent(const std::string& trace);

}  // namespace wesher::netns
