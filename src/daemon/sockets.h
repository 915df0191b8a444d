// The sockets of the gossip port: UDP and TCP, on all addresses of both families.
#pragma once

#include <cstdint>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>

#include "base/error.h"

namespace wesher::daemon {

struct GossipSockets {
  asio::ip::udp::socket udp;
  asio::ip::tcp::acceptor tcp;
  bool dual_stack = true;  ///< false: IPv4 only, this host has no IPv6
};

/// Binds both. Errc::busy: the port is taken (by whom, where visible).
[[nodiscard]] Result<GossipSockets> open_gossip_sockets(asio::io_context& io, std::uint16_t port);

/// Whether a WireGuard device could take this UDP port now. Errc::busy as above.
[[nodiscard]] Result<void> check_wireguard_port(asio::io_context& io, std::uint16_t port);

}  // namespace wesher::daemon
