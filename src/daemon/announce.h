// Which underlay address a node announces. The choice is a function of what the host has and what
// the operator said; nothing is looked up here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ip.h"
#include "daemon/options.h"
#include "system/host.h"

namespace wesher::daemon {

struct Announced {
  IpAddress address;
  /// What Go's memberlist would do: it bound 0.0.0.0 and found a private address itself, which it
  /// announces as 16 mapped bytes.
  bool mapped_form = false;
  std::string warning;  ///< for the log; empty = none
};

/// --advertise-addr; else --bind-addr; else the first usable address of --bind-iface; else as the
/// Go program: the first public address of an interface that is up, else the private one of the
/// interface with the default route, else any other; IPv4 before IPv6. Never loopback (unless
/// `options.allow_loopback`), link-local, or an address of a tunnel; one inside the overlay network
/// only when there is no other. Errc::not_found: none at all, or the bind interface has none.
[[nodiscard]] Result<Announced> choose_announced(const std::vector<system::HostAddress>& host,
                                                 const Options& options,
                                                 const IpAddress& own_overlay);

/// The bytes that go into our alive message.
[[nodiscard]] Bytes announced_bytes(const IpAddress& address, bool mapped_form);

}  // namespace wesher::daemon
