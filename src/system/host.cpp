// Facts about this host. Blocking, thread safe.
#include "system/host.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "system/port_holder.h"
#include "system/rt_control.h"
#include "system/small_file.h"
#include "system/userspace_wg.h"

namespace wesher::system {

namespace {

/// WireGuard, or a tun whose name has a WireGuard socket. The socket is looked at, not spoken to:
/// this must work without rights.
bool is_tunnel(const RtLink& link) {
  if (link.kind == "wireguard") return true;

  struct stat info {};

  const std::string socket = std::string(kUapiDirectory) + "/" + link.name + ".sock";
  return link.kind == "tun" && stat(socket.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

}  // namespace

Result<std::vector<HostAddress>> host_addresses() {
  auto rt = RtControl::open();
  if (!rt) return tl::unexpected(rt.error());
  const auto links = rt->links();
  if (!links) return tl::unexpected(links.error());
  const auto addresses = rt->addresses(0);
  if (!addresses) return tl::unexpected(addresses.error());
  const auto routes = rt->routes(0, 0);
  if (!routes) return tl::unexpected(routes.error());

  std::map<std::uint32_t, const RtLink*> up;
  for (const RtLink& link : links->items) {
    if (link.up) up.emplace(link.index, &link);
  }
  std::set<std::pair<std::uint32_t, bool>> defaults;  // link, whether IPv4
  for (const RtRoute& route : routes->items) {
    if (route.destination.length != 0 || route.table != RT_TABLE_MAIN) continue;
    for (const std::uint32_t index : route.links)
      defaults.emplace(index, route.destination.address.is_v4());
  }
  std::vector<HostAddress> out;
  for (const RtAddress& address : addresses->items) {
    const auto found = up.find(address.index);
    if (found == up.end()) continue;
    const IpAddress& ip = address.address.address;
    out.push_back({found->second->name, ip, address.address.length,
                   defaults.contains({address.index, ip.is_v4()}), is_tunnel(*found->second)});
  }
  return out;
}

std::vector<IpAddress> resolvers_in(std::string_view text) {
  static constexpr std::string_view kBlanks = " \t";
  static constexpr std::string_view kKeyword = "nameserver";
  std::vector<IpAddress> found;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(kKeyword)) continue;
    line.remove_prefix(kKeyword.size());
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == 0 || begin == std::string_view::npos) continue;
    line.remove_prefix(begin);
    const auto address = IpAddress::parse(line.substr(0, line.find_first_of(" \t\r%#;")));
    if (address) found.push_back(*address);
  }
  return found;
}

std::vector<IpAddress> occupied_addresses(const std::string& interface) {
  std::vector<IpAddress> occupied = resolvers_in(read_small_file("/etc/resolv.conf"));
  if (const auto addresses = host_addresses()) {
    for (const HostAddress& address : *addresses) {
      if (address.interface != interface) occupied.push_back(address.address);
    }
  }
  if (auto rt = RtControl::open()) {
    if (const auto routes = rt->routes(0, 0)) {
      for (const RtRoute& route : routes->items)
        occupied.insert(occupied.end(), route.gateways.begin(), route.gateways.end());
    }
  }
  std::sort(occupied.begin(), occupied.end());
  occupied.erase(std::unique(occupied.begin(), occupied.end()), occupied.end());
  return occupied;
}

std::string machine_id() {
  std::string id = read_small_file("/etc/machine-id");
  while (!id.empty() && id.back() == '\n')
    id.pop_back();
  return id == "uninitialized" ? "" : id;  // machine-id(5): before the first boot
}

bool link_exists(const std::string& name) {
  return if_nametoindex(name.c_str()) != 0;
}

std::string hostname() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

std::string boot_id() {
  std::string id = read_small_file("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n')
    id.pop_back();
  return id;
}

bool has_net_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return false;
  return (data[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

}  // namespace wesher::system
