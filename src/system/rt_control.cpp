// Links, addresses and routes of the running system. See rt_control.h.
#include "system/rt_control.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "model/state.h"
#include "os/error.h"

namespace wesher::system {

namespace {

/// Errors of a dump that mean "this kernel has none of these": no IPv6, or no such table yet.
bool means_none(const Error& error) {
  return error.os_errno == EOPNOTSUPP || error.os_errno == EAFNOSUPPORT || error.os_errno == ENOENT;
}

Result<void> success_if(Result<void> result, int os_errno) {
  if (!result && result.error().os_errno == os_errno) return {};
  return result;
}

}  // namespace

Result<RtControl> RtControl::open() {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return tl::unexpected(socket.error());
  return RtControl(std::move(*socket));
}

Result<std::optional<RtLink>> RtControl::link(const std::string& name) {
  std::optional<RtLink> found;
  const auto done = socket_.request(encode_get_link(name), [&](const NetlinkMessage& message) {
    if (message.header.nlmsg_type == RTM_NEWLINK) found = decode_link(message.payload);
  });
  if (done) return found;
  if (done.error().os_errno == ENODEV) return std::optional<RtLink>{};
  return os::with_context("cannot look up interface " + name, done.error());
}

template <class T, class Decode>
Result<bool> RtControl::dump(const Bytes& request, std::vector<T>& items, Decode decode) {
  return dump_with_retries([&]() -> Result<bool> {
    items.clear();
    auto complete = socket_.dump(request, [&](const NetlinkMessage& message) {
      if (auto item = decode(message)) items.push_back(std::move(*item));
    });
    if (!complete && means_none(complete.error())) return true;
    return complete;
  });
}

Result<std::optional<RtLink>> RtControl::link_with_alias(const std::string& alias) {
  auto all = links();
  if (!all) return tl::unexpected(all.error());
  const auto it = std::find_if(all->items.begin(), all->items.end(),
                               [&](const RtLink& link) { return link.alias == alias; });
  return it == all->items.end() ? std::nullopt : std::optional(std::move(*it));
}

Result<RtDump<RtLink>> RtControl::links() {
  RtDump<RtLink> out;
  const auto complete = dump(encode_dump_links(), out.items, [](const NetlinkMessage& message) {
    return message.header.nlmsg_type == RTM_NEWLINK ? decode_link(message.payload) : std::nullopt;
  });
  if (!complete) return os::with_context("cannot list interfaces", complete.error());
  out.complete = *complete;
  return out;
}

Result<RtDump<RtAddress>> RtControl::addresses(std::uint32_t index) {
  RtDump<RtAddress> out;
  const auto complete = dump(encode_dump_addresses(index), out.items,
                             [&](const NetlinkMessage& message) -> std::optional<RtAddress> {
                               if (message.header.nlmsg_type != RTM_NEWADDR) return std::nullopt;
                               auto address = decode_address(message.payload);
                               if (address && index != 0 && address->index != index)
                                 return std::nullopt;
                               return address;
                             });
  if (!complete) return os::with_context("cannot list addresses", complete.error());
  out.complete = *complete;
  return out;
}

Result<RtDump<RtRoute>> RtControl::routes(std::uint8_t protocol, std::uint32_t index) {
  RtDump<RtRoute> out;
  for (const std::uint8_t family : std::array<std::uint8_t, 2>{AF_INET, AF_INET6}) {
    std::vector<RtRoute> items;
    const auto complete = dump(encode_dump_routes(family, protocol, index), items,
                               [&](const NetlinkMessage& message) -> std::optional<RtRoute> {
                                 if (message.header.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
                                 auto route = decode_route(message.payload);
                                 if (!route || route->cloned) return std::nullopt;
                                 // Without the family's own dump the kernel answers with all
                                 // families.
                                 if (route->destination.address.is_v4() != (family == AF_INET))
                                   return std::nullopt;
                                 if (protocol != 0 && route->protocol != protocol)
                                   return std::nullopt;
                                 const auto& links = route->links;
                                 const bool on_link =
                                     std::find(links.begin(), links.end(), index) != links.end();
                                 if (index != 0 && !on_link) return std::nullopt;
                                 return route;
                               });
    if (!complete) return os::with_context("cannot list routes", complete.error());
    out.complete = out.complete && *complete;
    out.items.insert(out.items.end(), items.begin(), items.end());
  }
  return out;
}

Result<void> RtControl::create_wireguard_link(const std::string& name, std::uint32_t mtu) {
  return socket_.request(encode_create_wireguard_link(name, mtu));
}

Result<void> RtControl::change_link(std::uint32_t index, const RtLinkChange& change) {
  return socket_.request(encode_change_link(index, change));
}

Result<void> RtControl::delete_link(std::uint32_t index) {
  return success_if(socket_.request(encode_delete_link(index)), ENODEV);
}

Result<void> RtControl::add_address(std::uint32_t index, const Prefix& address) {
  return success_if(socket_.request(encode_add_address(index, address)), EEXIST);
}

Result<void> RtControl::delete_address(std::uint32_t index, const Prefix& address) {
  return success_if(socket_.request(encode_delete_address(index, address)), EADDRNOTAVAIL);
}

std::vector<Result<void>> RtControl::change_routes(std::uint32_t index,
                                                   std::span<const RouteChange> changes) {
  std::vector<Bytes> messages;
  for (const RouteChange& change : changes) {
    const auto mode = change.takes_over ? RouteMode::take_over : RouteMode::add;
    messages.push_back(change.add ? encode_add_route(index, change.destination, mode)
                                  : encode_delete_route(index, change.destination));
  }
  auto results = socket_.batch(std::move(messages));
  std::optional<RtDump<RtRoute>> ours;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (results[i]) continue;
    const int error = results[i].error().os_errno;
    if (!changes[i].add && error == ESRCH) results[i] = Result<void>{};
    if (!changes[i].add || error != EEXIST) continue;
    if (!ours) ours = routes(kRouteProtocol, index).value_or(RtDump<RtRoute>{});
    const Prefix wanted = changes[i].destination.masked();
    const bool is_ours =
        std::any_of(ours->items.begin(), ours->items.end(), [&](const RtRoute& route) {
          return route.destination == wanted && route.table == RT_TABLE_MAIN;
        });
    if (is_ours) {
      results[i] = Result<void>{};
    } else {
      results[i] = fail(
          Errc::exists,
          "another route to it exists that is not wesher's; see: ip route show " + wanted.text(),
          EEXIST);
    }
  }
  return results;
}

}  // namespace wesher::system
