// The data plane of a Linux host: finding the back end, observing, removing. The actions are in
// data_plane_apply.cpp.
#include "system/data_plane.h"

#include <algorithm>
#include <array>
#include <map>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <unistd.h>

#include "base/text.h"
#include "os/error.h"
#include "plan/diff.h"
#include "system/data_plane_linux.h"
#include "system/host.h"
#include "system/kernel_wg.h"
#include "system/launcher.h"
#include "system/rt_control.h"

namespace wesher::system {

namespace {

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t n = readlink("/proc/self/exe", path.data(), path.size());
  return n > 0 ? std::string(path.data(), static_cast<std::size_t>(n)) : "/usr/sbin/wesher";
}

Result<void> check_rights(const std::string& interface) {
  if (has_net_admin()) return {};
  return fail(Errc::not_permitted, "managing " + interface +
                                       " needs CAP_NET_ADMIN: run wesher as root, or: setcap "
                                       "cap_net_admin+ep " +
                                       own_path());
}

constexpr const char* kLoadModule =
    "load the wireguard module (modprobe wireguard; Linux 5.6 or later has it)";

std::string install_program() {
  return "install " + printable(userspace_program()) + " (Debian: apt install wireguard-go)";
}

}  // namespace

Result<std::unique_ptr<DataPlane>> DataPlane::open(const DataPlaneConfig& config) {
  if (config.interface.empty() || config.interface.size() >= IFNAMSIZ) {
    return fail(Errc::malformed, "interface name \"" + printable(config.interface) +
                                     "\": must have 1 to 15 characters");
  }
  if (auto rights = check_rights(config.interface); !rights) {
    return tl::unexpected(rights.error());
  }
  auto rt = RtControl::open();
  if (!rt) return tl::unexpected(rt.error());
  auto plane =
      std::make_unique<LinuxDataPlane>(config, std::make_unique<RtControl>(std::move(*rt)));
  if (auto started = plane->start(); !started) return tl::unexpected(started.error());
  if (auto watching = plane->open_watch(); !watching) return tl::unexpected(watching.error());
  return plane;
}

LinuxDataPlane::LinuxDataPlane(DataPlaneConfig config,
                               std::unique_ptr<LinkControl> links,
                               std::unique_ptr<WgControl> kernel)
    : config_(std::move(config)),
      links_(std::move(links)),
      kernel_(std::move(kernel)),
      hosts_(config_.hosts_path, {config_.interface, config_.take_over_old_banner}) {}

Result<void> LinuxDataPlane::start() {
  const auto link = look();
  if (!link) return tl::unexpected(link.error());
  if (wg_ == nullptr) {
    if (auto chosen = choose_backend_without_link(); !chosen) return chosen;
  }
  return {};
}

Result<void> LinuxDataPlane::open_watch() {
  auto watch = Watch::open({config_.interface, index_, links_->port_id()}, config_.hosts_path);
  if (!watch) return tl::unexpected(watch.error());
  watch_ = std::move(*watch);
  return {};
}

Result<void> LinuxDataPlane::use_kernel() {
  if (!kernel_) {
    auto kernel = KernelWg::open(config_.interface, *links_);
    if (!kernel) return tl::unexpected(kernel.error());
    kernel_ = std::move(*kernel);
  }
  wg_ = kernel_.get();
  return {};
}

void LinuxDataPlane::use_userspace() {
  if (!userspace_) userspace_ = std::make_unique<UserspaceWg>(config_.interface);
  wg_ = userspace_.get();
}

Result<void> LinuxDataPlane::choose_backend_without_link() {
  if (config_.backend != BackendChoice::userspace) {
    auto kernel = use_kernel();
    if (kernel) return {};
    if (kernel.error().code != Errc::no_wireguard) return kernel;
    if (config_.backend == BackendChoice::kernel) {
      return fail(Errc::no_wireguard,
                  kernel.error().detail + ": " + kLoadModule + ", or use --backend userspace");
    }
  }
  if (auto installed = UserspaceWg::installed(); !installed) {
    if (config_.backend == BackendChoice::userspace) {
      return fail(Errc::no_wireguard, installed.error().detail + ": " + install_program());
    }
    return fail(Errc::no_wireguard,
                "no WireGuard here: " + std::string(kLoadModule) + ", or " + install_program());
  }
  use_userspace();
  return {};
}

Result<ObservedLink> LinuxDataPlane::look() {
  ObservedLink seen;
  auto link = links_->link(config_.interface);
  if (!link) return tl::unexpected(link.error());
  index_ = 0;
  if (!*link) return seen;
  const RtLink& found = **link;
  seen.kind_name = found.kind.empty() ? "physical device" : printable(found.kind);
  seen.index = found.index;
  seen.up = found.up;
  seen.mtu = found.mtu;
  seen.alias = found.alias;
  seen.kind = LinkKind::other;
  const bool speaks_uapi = found.kind == "tun" && UserspaceWg::answers(config_.interface);
  const auto clash = [&](std::string_view what, std::string_view option) {
    return fail(Errc::exists, config_.interface + " is a " + std::string(what) +
                                  " interface, but --backend " + std::string(option) +
                                  " is given: drop the option, or: ip link delete " +
                                  config_.interface);
  };
  if (found.kind == "wireguard") {
    if (config_.backend == BackendChoice::userspace) return clash("kernel WireGuard", "userspace");
    if (auto kernel = use_kernel(); !kernel) return tl::unexpected(kernel.error());
    seen.kind = LinkKind::kernel;
  } else if (speaks_uapi) {
    if (config_.backend == BackendChoice::kernel) return clash("userspace WireGuard", "kernel");
    use_userspace();
    seen.kind = LinkKind::userspace;
  } else {
    return seen;
  }
  index_ = found.index;
  return seen;
}

Result<std::uint32_t> LinuxDataPlane::link_index() {
  if (index_ != 0) return index_;
  const auto link = look();
  if (!link) return tl::unexpected(link.error());
  if (index_ == 0) {
    return fail(Errc::not_found, "there is no WireGuard interface " + config_.interface);
  }
  return index_;
}

std::string_view LinuxDataPlane::backend_text() const {
  return wg_->text();
}

Result<Observed> LinuxDataPlane::observe() {
  Observed observed;
  observed.hosts = hosts_.observe();
  const auto link = look();
  if (!link) return tl::unexpected(link.error());
  observed.link = *link;
  if (index_ == 0) return observed;

  auto device = wg_->get();
  if (!device) return tl::unexpected(device.error());
  observed.device_key = device->key;
  observed.listen_port = device->listen_port;
  observed.peers = std::move(device->peers);

  const auto addresses = links_->addresses(index_);
  if (!addresses) return tl::unexpected(addresses.error());
  for (const RtAddress& address : addresses->items) {
    const IpAddress& ip = address.address.address;
    if (ip.is_v6() && ip.is_link_local()) continue;
    observed.addresses.push_back(address.address);
  }
  std::sort(observed.addresses.begin(), observed.addresses.end());

  const auto routes = links_->routes(kRouteProtocol, index_);
  if (!routes) return tl::unexpected(routes.error());
  for (const RtRoute& route : routes->items) {
    if (route.table == RT_TABLE_MAIN) observed.routes.push_back(route.destination);
  }
  std::sort(observed.routes.begin(), observed.routes.end());
  if (observed.link.alias != link_alias(config_.interface)) {
    auto unmarked = unmarked_routes();
    if (!unmarked) return tl::unexpected(unmarked.error());
    observed.unmarked_routes = std::move(*unmarked);
  }
  observed.complete = device->complete && addresses->complete && routes->complete;
  return observed;
}

Result<std::vector<ObservedPeer>> LinuxDataPlane::observe_peers() {
  if (const auto index = link_index(); !index) return tl::unexpected(index.error());
  auto device = wg_->get();
  if (!device) return tl::unexpected(device.error());
  return std::move(device->peers);
}

/// Of all routes, so that none takes the place of one by another link. An interrupted dump shows
/// none: the next look is as good.
Result<std::vector<Prefix>> LinuxDataPlane::unmarked_routes() {
  const auto all = links_->routes(0, 0);
  if (!all) return tl::unexpected(all.error());
  std::vector<Prefix> found;
  if (!all->complete) return found;
  std::map<Prefix, std::size_t> ways;
  for (const RtRoute& route : all->items) {
    if (route.table == RT_TABLE_MAIN) ++ways[route.destination];
  }
  for (const RtRoute& route : all->items) {
    const bool v4 = route.destination.address.is_v4();
    const bool as_go = route.table == RT_TABLE_MAIN && route.protocol == RTPROT_BOOT &&
                       (!v4 || route.scope == RT_SCOPE_LINK) && route.gateways.empty() &&
                       route.links == std::vector{index_} && route.destination.is_host();
    if (as_go && ways[route.destination] == 1) found.push_back(route.destination);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<SecretKey> LinuxDataPlane::private_key() {
  if (const auto index = link_index(); !index) return tl::unexpected(index.error());
  auto key = wg_->private_key();
  if (!key) {
    return os::with_context("cannot read the key of " + config_.interface, key.error());
  }
  return key;
}

Result<void> LinuxDataPlane::remove_link() {
  const auto link = look();
  if (!link) return tl::unexpected(link.error());
  if (link->kind == LinkKind::absent) return {};
  if (index_ == 0 || link->alias != link_alias(config_.interface)) {
    return fail(Errc::exists, "interface " + config_.interface +
                                  " was not made by wesher and stays; to remove it: ip link "
                                  "delete " +
                                  config_.interface);
  }
  // A device deleted with its peers in it costs the kernel 18 ms for each of them.
  if (auto cleared = wg_->clear_peers(); !cleared && cleared.error().code != Errc::not_found) {
    return os::with_context("cannot remove the peers of " + config_.interface, cleared.error());
  }
  wg_->before_delete();
  auto deleted = links_->delete_link(index_);
  if (!deleted) return os::with_context("cannot delete " + config_.interface, deleted.error());
  wg_->after_delete();
  index_ = 0;
  return {};
}

bool LinuxDataPlane::drain_watch() {
  if (!watch_) return false;
  const Watch::Seen seen = watch_->drain();
  return seen.network || (seen.hosts && hosts_.current() != hosts_.last_seen());
}

std::vector<Error> take_down(DataPlane& data_plane, const SecretKey& private_key) {
  std::vector<Error> refused;
  const auto apply = [&](const std::vector<plan::Action>& actions) {
    for (const auto& result : data_plane.apply_all(actions, private_key)) {
      if (!result) refused.push_back(result.error());
    }
  };
  std::vector<plan::Action> names;
  std::vector<plan::Action> routes;
  if (const auto observed = data_plane.observe()) {
    for (plan::Action& action : plan::teardown(*observed).actions) {
      const bool is_route = std::holds_alternative<plan::RemoveRoute>(action.what);
      (is_route ? routes : names).push_back(std::move(action));
    }
  } else {
    refused.push_back(observed.error());
  }
  apply(names);
  if (const auto removed = data_plane.remove_link(); !removed) {
    refused.push_back(removed.error());
    apply(routes);
  }
  return refused;
}

}  // namespace wesher::system
