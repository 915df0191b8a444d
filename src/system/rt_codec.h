// rtnetlink's links, addresses and routes ⇄ values (linux/rtnetlink.h, if_link.h, if_addr.h). Bytes
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "system/netlink_message.h"

namespace wesher::system {

/// A link as RTM_NEWLINK shows it.
struct RtLink {
  std::uint32_t index = 0;
  std::string name;
  std::string kind;  ///< IFLA_INFO_KIND; empty for physical devices and loopback
  bool up = false;   ///< IFF_UP, the administrative state
  std::uint32_t mtu = 0;
  std::string alias;
};

/// An address of a link.
struct RtAddress {
  std::uint32_t index = 0;
  Prefix address;  ///< host bits kept
};

/// A unicast route of the main table or another.
struct RtRoute {
  Prefix destination;
  std::uint32_t table = 0;
  std::uint8_t protocol = 0;
  std::uint8_t scope = 0;             ///< of IPv4; IPv6 has none
  bool cloned = false;                ///< a cache entry, not a configured route
  std::vector<std::uint32_t> links;   ///< the device of each next hop
  std::vector<IpAddress> gateways{};  ///< of the next hops that have one
};

/// What may be changed of a link, unset = stays.
struct RtLinkChange {
  std::optional<std::uint32_t> mtu;
  std::optional<std::string> alias;
  std::optional<std::string> name;  ///< the kernel wants the link to be down for that
  bool set_up = false;
  bool set_down = false;
};

[[nodiscard]] Bytes encode_get_link(std::string_view name);
[[nodiscard]] Bytes encode_dump_links();
/// All addresses of both families; `index` 0 = of all links (a filter that old kernels ignore).
[[nodiscard]] Bytes encode_dump_addresses(std::uint32_t index);
/// Routes of one family (AF_INET, AF_INET6). `protocol` and `index` 0 = all (filters that old
/// kernels ignore).
[[nodiscard]] Bytes encode_dump_routes(std::uint8_t family,
                                       std::uint8_t protocol,
                                       std::uint32_t index);

/// Creates a WireGuard link; fails where the name is taken.
[[nodiscard]] Bytes encode_create_wireguard_link(std::string_view name, std::uint32_t mtu);
[[nodiscard]] Bytes encode_change_link(std::uint32_t index, const RtLinkChange& change);
[[nodiscard]] Bytes encode_delete_link(std::uint32_t index);
/// An IPv6 address is added without duplicate address detection: nobody else is on the link, and
/// a tentative address could not be used at once.
[[nodiscard]] Bytes encode_add_address(std::uint32_t index, const Prefix& address);
[[nodiscard]] Bytes encode_delete_address(std::uint32_t index, const Prefix& address);
/// A route of ours: main table, scope link, protocol kRouteProtocol. Adding fails where a route to
/// the destination exists, whosever it is, unless it is to take that one's place; deleting matches
/// only ours.
enum class RouteMode : std::uint8_t { add, take_over };
[[nodiscard]] Bytes encode_add_route(std::uint32_t index,
                                     const Prefix& destination,
                                     RouteMode mode = RouteMode::add);
[[nodiscard]] Bytes encode_delete_route(std::uint32_t index, const Prefix& destination);

/// From the payload of RTM_NEWLINK or RTM_DELLINK; nothing if it is too short.
[[nodiscard]] std::optional<RtLink> decode_link(ByteView payload);
/// From RTM_NEWADDR or RTM_DELADDR; nothing for another family than IP or without an address.
[[nodiscard]] std::optional<RtAddress> decode_address(ByteView payload);
/// From RTM_NEWROUTE or RTM_DELROUTE; nothing for another family or type than unicast IP.
[[nodiscard]] std::optional<RtRoute> decode_route(ByteView payload);

}  // namespace wesher::system
