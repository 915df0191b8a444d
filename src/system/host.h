// Facts about this host that others than WireGuard depend on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ip.h"

namespace wesher::system {

/// One address of one interface that is up.
struct HostAddress {
  std::string interface;
  IpAddress address;
  unsigned prefix_length = 0;
  bool default_route = false;  ///< the interface carries a default route of this family
  bool tunnel = false;         ///< WireGuard, or a tun with a WireGuard socket
};

/// All addresses of interfaces that are up, loopback included, in kernel order.
[[nodiscard]] Result<std::vector<HostAddress>> host_addresses();

/// Addresses that this host reaches otherwise than through `interface`: its own, gateways of its
/// routes, resolvers of /etc/resolv.conf; sorted. What can't be read is left out.
[[nodiscard]] std::vector<IpAddress> occupied_addresses(const std::string& interface);

/// The resolvers in a text as resolv.conf(5) describes it.
[[nodiscard]] std::vector<IpAddress> resolvers_in(std::string_view text);

/// /etc/machine-id, empty if there is none.
[[nodiscard]] std::string machine_id();

/// Whether a link of that name exists.
[[nodiscard]] bool link_exists(const std::string& name);

/// The node's hostname as the kernel has it.
[[nodiscard]] std::string hostname();

/// /proc/sys/kernel/random/boot_id, empty if unreadable.
[[nodiscard]] std::string boot_id();

/// Who holds a UDP or TCP port, as far as /proc shows it: "wireguard-go (pid 812)"; empty if
/// unknown.
[[nodiscard]] std::string port_holder(std::uint16_t port, bool tcp);

/// Whether this process has CAP_NET_ADMIN in its effective set.
[[nodiscard]] bool has_net_admin();

}  // namespace wesher::system
