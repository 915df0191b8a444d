// Which process holds a port, from the tables of /proc/net and the descriptors of /proc/*/fd.
// Thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wesher::system {

/// Inodes of the sockets that hold a local port, from the text of /proc/net/udp, udp6, tcp or tcp6
/// (proc(5)). With `listening_only`, of those in state LISTEN (0A): others share a TCP port.
[[nodiscard]] std::vector<std::uint64_t> inodes_on_port(std::string_view table,
                                                        std::uint16_t port,
                                                        bool listening_only);

/// A process that holds a port.
struct PortHolder {
  int pid = 0;
  std::string name;                    ///< comm, as the kernel has it: foreign text
  std::vector<std::string> arguments;  ///< its command line: foreign text
};

/// The first process found with a socket on that port; nothing if the port is free, or held by the
/// kernel or by a process that /proc does not show us.
[[nodiscard]] std::optional<PortHolder> find_port_holder(std::uint16_t port, bool tcp);

}  // namespace wesher::system
