// Who has a port, as /proc tells: nothing is bound or asked. Thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wesher::system {

struct PortUse {
  bool known = false;  ///< the tables of /proc/net can be read
  bool held = false;   ///< a socket is bound to it; of TCP: listens
  std::string
      program{};  ///< as the kernel has its name; empty: the kernel itself, or nobody we see
  std::uint32_t pid = 0;
};

[[nodiscard]] PortUse port_use(std::uint16_t port, bool tcp);

/// Inodes of the sockets that hold a local port, from the text of /proc/net/udp, udp6, tcp or tcp6
/// (proc(5)). Pure. With `listening_only`, of those in state LISTEN (0A): others share a TCP port.
[[nodiscard]] std::vector<std::uint64_t> inodes_on_port(std::string_view table,
                                                        std::uint16_t port,
                                                        bool listening_only);

}  // namespace wesher::system
