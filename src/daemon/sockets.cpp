#include "daemon/sockets.h"

#include <asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include "system/host.h"

namespace wesher::daemon {

namespace {

/// Twice what memberlist asks for (udpRecvBufSize), for bursts while the loop is busy.
constexpr int kUdpReceiveBytes = 4 << 20;

template <class Socket>
std::error_code bind_all(Socket& socket, std::uint16_t port, bool dual_stack) {
  using Protocol = typename Socket::protocol_type;
  std::error_code ec;
  const auto protocol = dual_stack ? Protocol::v6() : Protocol::v4();
  socket.open(protocol, ec);
  if (!ec && dual_stack) socket.set_option(asio::ip::v6_only(false), ec);
  if constexpr (std::is_same_v<Protocol, asio::ip::tcp>) {
    // Connections of an earlier run that linger must not keep us out.
    if (!ec) socket.set_option(asio::socket_base::reuse_address(true), ec);
  }
  if (ec) return ec;
  socket.bind({protocol, port}, ec);
  return ec;
}

tl::unexpected<Error> refused(std::string_view what,
                              std::uint16_t port,
                              bool tcp,
                              std::error_code ec) {
  if (ec != asio::error::address_in_use) {
    return fail(Errc::system,
                fmt::format("cannot use {} port {} ({}): {}", what, port, tcp ? "TCP" : "UDP",
                            ec.message()),
                ec.value());
  }
  const std::string holder = system::port_holder(port, tcp);
  return fail(Errc::busy,
              fmt::format("{} port {} ({}) is in use{}; free it, or choose another with --{}", what,
                          port, tcp ? "TCP" : "UDP", holder.empty() ? "" : " by " + holder,
                          what == "WireGuard" ? "wireguard-port" : "cluster-port"));
}

}  // namespace

Result<GossipSockets> open_gossip_sockets(asio::io_context& io, std::uint16_t port) {
  GossipSockets sockets{asio::ip::udp::socket(io), asio::ip::tcp::acceptor(io), true};
  std::error_code ec = bind_all(sockets.udp, port, true);
  if (ec == asio::error::address_family_not_supported ||
      ec == asio::error::operation_not_supported) {
    sockets.dual_stack = false;
    std::error_code ignored;
    sockets.udp.close(ignored);
    ec = bind_all(sockets.udp, port, false);
  }
  if (ec) return refused("gossip", port, false, ec);
  ec = bind_all(sockets.tcp, port, sockets.dual_stack);
  if (!ec) sockets.tcp.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return refused("gossip", port, true, ec);
  std::error_code ignored;
  sockets.udp.set_option(asio::socket_base::receive_buffer_size(kUdpReceiveBytes), ignored);
  sockets.udp.non_blocking(true, ignored);
  return sockets;
}

Result<void> check_wireguard_port(asio::io_context& io, std::uint16_t port) {
  asio::ip::udp::socket socket(io);
  std::error_code ec = bind_all(socket, port, true);
  if (ec == asio::error::address_family_not_supported) {
    std::error_code ignored;
    socket.close(ignored);
    ec = bind_all(socket, port, false);
  }
  if (ec) return refused("WireGuard", port, false, ec);
  return {};
}

}  // namespace wesher::daemon
