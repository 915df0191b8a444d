#include "daemon/announce.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace wesher::daemon {

namespace {

bool usable(const system::HostAddress& candidate,
            const Options& options,
            const IpAddress& overlay) {
  const IpAddress& ip = candidate.address;
  if (ip.is_loopback()) return options.allow_loopback;
  return !candidate.tunnel && candidate.interface != options.interface && ip != overlay &&
         !ip.is_link_local() && !ip.is_multicast() && !ip.is_unspecified();
}

/// Smaller is better; equal ranks keep the kernel's order.
auto rank(const system::HostAddress& candidate, const Options& options) {
  const IpAddress& ip = candidate.address;
  const int scope = ip.is_loopback() ? 3 : !ip.is_private() ? 0 : candidate.default_route ? 1 : 2;
  const auto nets = options.accepted_nets();
  const bool overlay =
      std::any_of(nets.begin(), nets.end(), [&](const Prefix& net) { return net.contains(ip); });
  return std::tuple(ip.is_loopback(), overlay, scope, ip.is_v6());
}

std::optional<IpAddress> best(std::vector<system::HostAddress> candidates,
                              const Options& options,
                              const IpAddress& overlay) {
  std::erase_if(candidates, [&](const auto& c) { return !usable(c, options, overlay); });
  const auto found = std::min_element(
      candidates.begin(), candidates.end(),
      [&](const auto& a, const auto& b) { return rank(a, options) < rank(b, options); });
  if (found == candidates.end()) return std::nullopt;
  return found->address;
}

bool has_address(const std::vector<system::HostAddress>& host, const IpAddress& address) {
  return std::any_of(host.begin(), host.end(), [&](const auto& h) { return h.address == address; });
}

}  // namespace

Result<Announced> choose_announced(const std::vector<system::HostAddress>& host,
                                   const Options& options,
                                   const IpAddress& own_overlay) {
  if (options.advertise_addr) return Announced{*options.advertise_addr, false, {}};
  // 0.0.0.0 and :: say nothing about what to announce; the sockets listen on all addresses anyway.
  if (options.bind_addr && !options.bind_addr->is_unspecified()) {
    Announced announced{*options.bind_addr, false, {}};
    if (!has_address(host, *options.bind_addr)) {
      announced.warning = fmt::format(
          "this host does not have --bind-addr {} yet; announcing it all the same and listening on "
          "all addresses",
          options.bind_addr->text());
    }
    return announced;
  }
  if (!options.bind_iface.empty()) {
    std::vector<system::HostAddress> on_interface = host;
    std::erase_if(on_interface, [&](const auto& h) { return h.interface != options.bind_iface; });
    const auto address = best(on_interface, options, own_overlay);
    if (address) return Announced{*address, false, {}};
    return fail(Errc::not_found,
                fmt::format("--bind-iface {} has no usable address", options.bind_iface));
  }
  const auto address = best(host, options, own_overlay);
  if (!address) {
    return fail(Errc::not_found,
                "no address of this host can be announced: none is up, or only those of loopback "
                "and tunnels are; give one with --advertise-addr");
  }
  return Announced{*address, address->is_v4() && address->is_private(), {}};
}

Bytes announced_bytes(const IpAddress& address, bool mapped_form) {
  Bytes bytes(address.bytes().begin(), address.bytes().end());
  if (address.is_v4() && mapped_form) {
    Bytes mapped(10, 0);
    mapped.insert(mapped.end(), {0xff, 0xff});
    mapped.insert(mapped.end(), bytes.begin(), bytes.end());
    return mapped;
  }
  return bytes;
}

}  // namespace wesher::daemon
