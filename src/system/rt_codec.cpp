// rtnetlink's links, addresses and routes ⇄ values. Pure functions of their arguments.
#include "system/rt_codec.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "model/state.h"

namespace wesher::system {

namespace {

std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

ifinfomsg link_header(std::uint32_t index) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(index);
  return header;
}

Bytes encode_address(std::uint16_t type,
                     std::uint16_t flags,
                     std::uint32_t index,
                     const Prefix& prefix) {
  MessageBuilder message(type, flags);
  ifaddrmsg header{};
  header.ifa_family = family_of(prefix.address);
  header.ifa_prefixlen = static_cast<std::uint8_t>(prefix.length);
  header.ifa_index = index;
  message.put_header(header);
  message.put(IFA_LOCAL, prefix.address.bytes());
  message.put(IFA_ADDRESS, prefix.address.bytes());
  if (prefix.address.is_v6() && type == RTM_NEWADDR) message.put_u32(IFA_FLAGS, IFA_F_NODAD);
  return message.take();
}

Bytes encode_route(std::uint16_t type,
                   std::uint16_t flags,
                   std::uint32_t index,
                   const Prefix& destination) {
  const Prefix prefix = destination.masked();
  MessageBuilder message(type, flags);
  rtmsg header{};
  header.rtm_family = family_of(prefix.address);
  header.rtm_dst_len = static_cast<std::uint8_t>(prefix.length);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = kRouteProtocol;
  header.rtm_scope = RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  message.put_header(header);
  message.put(RTA_DST, prefix.address.bytes());
  message.put_u32(RTA_OIF, index);
  return message.take();
}

/// The device of each next hop inside RTA_MULTIPATH: rtnexthop structs, each with its length.
std::vector<std::uint32_t> read_multipath(ByteView payload) {
  std::vector<std::uint32_t> links;
  while (const auto hop = struct_at<rtnexthop>(payload)) {
    if (hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > payload.size()) break;
    links.push_back(static_cast<std::uint32_t>(hop->rtnh_ifindex));
    const std::size_t step = (std::size_t{hop->rtnh_len} + 3) & ~std::size_t{3};
    payload = step < payload.size() ? payload.subspan(step) : ByteView{};
  }
  return links;
}

}  // namespace

Bytes encode_get_link(std::string_view name) {
  MessageBuilder message(RTM_GETLINK, 0);
  message.put_header(link_header(0));
  message.put_text(IFLA_IFNAME, name);
  return message.take();
}

Bytes encode_dump_links() {
  MessageBuilder message(RTM_GETLINK, NLM_F_DUMP);
  message.put_header(link_header(0));
  message.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return message.take();
}

Bytes encode_dump_addresses(std::uint32_t index) {
  MessageBuilder message(RTM_GETADDR, NLM_F_DUMP);
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  header.ifa_index = index;
  message.put_header(header);
  return message.take();
}

Bytes encode_dump_routes(std::uint8_t family, std::uint8_t protocol, std::uint32_t index) {
  MessageBuilder message(RTM_GETROUTE, NLM_F_DUMP);
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_protocol = protocol;
  message.put_header(header);
  if (index != 0) message.put_u32(RTA_OIF, index);
  return message.take();
}

Bytes encode_create_wireguard_link(std::string_view name, std::uint32_t mtu) {
  MessageBuilder message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.put_header(link_header(0));
  message.put_text(IFLA_IFNAME, name);
  message.put_u32(IFLA_MTU, mtu);
  const std::size_t nest = message.begin_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "wireguard");
  message.end_nest(nest);
  return message.take();
}

Bytes encode_change_link(std::uint32_t index, const RtLinkChange& change) {
  MessageBuilder message(RTM_NEWLINK, 0);
  ifinfomsg header = link_header(index);
  if (change.set_up) header.ifi_flags = header.ifi_change = IFF_UP;
  if (change.set_down) header.ifi_change = IFF_UP;
  message.put_header(header);
  if (change.mtu) message.put_u32(IFLA_MTU, *change.mtu);
  if (change.alias) message.put(IFLA_IFALIAS, as_bytes(*change.alias));
  if (change.name) message.put_text(IFLA_IFNAME, *change.name);
  return message.take();
}

Bytes encode_delete_link(std::uint32_t index) {
  MessageBuilder message(RTM_DELLINK, 0);
  message.put_header(link_header(index));
  return message.take();
}

Bytes encode_add_address(std::uint32_t index, const Prefix& address) {
  return encode_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address);
}

Bytes encode_delete_address(std::uint32_t index, const Prefix& address) {
  return encode_address(RTM_DELADDR, 0, index, address);
}

Bytes encode_add_route(std::uint32_t index, const Prefix& destination, RouteMode mode) {
  const auto how = mode == RouteMode::take_over ? NLM_F_REPLACE : NLM_F_EXCL;
  return encode_route(RTM_NEWROUTE, static_cast<std::uint16_t>(NLM_F_CREATE | how), index,
                      destination);
}

Bytes encode_delete_route(std::uint32_t index, const Prefix& destination) {
  return encode_route(RTM_DELROUTE, 0, index, destination);
}

std::optional<RtLink> decode_link(ByteView payload) {
  const auto header = struct_at<ifinfomsg>(payload);
  if (!header) return std::nullopt;
  RtLink link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  for (const Attr& attr : Attrs(behind<ifinfomsg>(payload))) {
    if (attr.type == IFLA_IFNAME) {
      link.name = attr.text();
    } else if (attr.type == IFLA_MTU) {
      link.mtu = attr.u32().value_or(0);
    } else if (attr.type == IFLA_IFALIAS) {
      link.alias = attr.text();
    } else if (attr.type == IFLA_LINKINFO) {
      for (const Attr& info : Attrs(attr.payload)) {
        if (info.type == IFLA_INFO_KIND) link.kind = info.text();
      }
    }
  }
  return link;
}

std::optional<RtAddress> decode_address(ByteView payload) {
  const auto header = struct_at<ifaddrmsg>(payload);
  if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)) {
    return std::nullopt;
  }
  std::optional<IpAddress> local;
  std::optional<IpAddress> address;
  for (const Attr& attr : Attrs(behind<ifaddrmsg>(payload))) {
    if (attr.type != IFA_LOCAL && attr.type != IFA_ADDRESS) continue;
    const auto ip = IpAddress::from_bytes(attr.payload);
    if (ip) (attr.type == IFA_LOCAL ? local : address) = *ip;
  }
  // Of a point-to-point address IFA_ADDRESS is the other end; IPv6 often has no IFA_LOCAL.
  if (!local) local = address;
  if (!local || header->ifa_prefixlen > local->bits()) return std::nullopt;
  return RtAddress{header->ifa_index, {*local, header->ifa_prefixlen}};
}

std::optional<RtRoute> decode_route(ByteView payload) {
  const auto header = struct_at<rtmsg>(payload);
  if (!header || header->rtm_type != RTN_UNICAST) return std::nullopt;
  if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) return std::nullopt;
  RtRoute route;
  route.table = header->rtm_table;
  route.protocol = header->rtm_protocol;
  route.scope = header->rtm_scope;
  route.cloned = (header->rtm_flags & RTM_F_CLONED) != 0;
  const Bytes zero(header->rtm_family == AF_INET ? 4 : 16, 0);
  route.destination.address = *IpAddress::from_bytes(zero);
  route.destination.length = header->rtm_dst_len;
  for (const Attr& attr : Attrs(behind<rtmsg>(payload))) {
    if (attr.type == RTA_DST) {
      const auto ip = IpAddress::from_bytes(attr.payload);
      if (ip) route.destination.address = *ip;
    } else if (attr.type == RTA_GATEWAY) {
      if (const auto gateway = IpAddress::from_bytes(attr.payload)) {
        route.gateways.push_back(*gateway);
      }
    } else if (attr.type == RTA_OIF) {
      route.links.push_back(attr.u32().value_or(0));
    } else if (attr.type == RTA_TABLE) {
      route.table = attr.u32().value_or(0);
    } else if (attr.type == RTA_MULTIPATH) {
      const auto hops = read_multipath(attr.payload);
      route.links.insert(route.links.end(), hops.begin(), hops.end());
    }
  }
  if (route.destination.length > route.destination.address.bits()) return std::nullopt;
  return route;
}

}  // namespace wesher::system
