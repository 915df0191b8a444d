#include "system/address_watch.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "system/netlink_message.h"
#include "system/notifications.h"
#include "system/rt_codec.h"

namespace wesher::system {

bool changes_addresses(ByteView datagram) {
  for (const NetlinkMessage& message : NetlinkMessages(datagram)) {
    switch (message.header.nlmsg_type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
      case RTM_NEWADDR:
      case RTM_DELADDR:
        return true;
      case RTM_NEWROUTE:
      case RTM_DELROUTE: {
        const auto route = decode_route(message.payload);
        if (route && route->destination.length == 0 && !route->cloned) return true;
        break;
      }
      default:
        break;
    }
  }
  return false;
}

Result<AddressWatch> AddressWatch::open() {
  auto netlink = open_notifications(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
  if (!netlink) return tl::unexpected(netlink.error());
  return AddressWatch(std::move(*netlink));
}

bool AddressWatch::drain() {
  bool changed = false;
  Bytes buffer(65536);
  for (;;) {
    const ssize_t n = recv(netlink_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {
      changed = true;
      continue;
    }
    if (n <= 0) return changed;
    const auto length = static_cast<std::size_t>(n);
    changed = changed || length > buffer.size() ||
              changes_addresses(ByteView(buffer).first(std::min(length, buffer.size())));
  }
}

}  // namespace wesher::system
