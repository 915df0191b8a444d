// The tables of /proc/net as text: which sockets are bound to a port. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wesher::system {

/// Inodes of the sockets that hold a local port, from the text of /proc/net/udp, udp6, tcp or tcp6
/// (proc(5)). With `listening_only`, of those in state LISTEN (0A): others share a TCP port.
[[nodiscard]] std::vector<std::uint64_t> inodes_on_port(std::string_view table,
                                                        std::uint16_t port,
                                                        bool listening_only);

}  // namespace wesher::system
