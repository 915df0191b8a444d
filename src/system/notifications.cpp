#include "system/notifications.h"

#include <cerrno>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "os/error.h"

namespace wesher::system {

namespace {

/// Room for a burst of notifications while the owner of the descriptor is busy with the kernel.
constexpr int kReceiveBufferBytes = 1 << 20;

}  // namespace

Result<os::UniqueFd> open_notifications(std::uint32_t groups) {
  os::UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!netlink) return os::refused("cannot open a netlink socket", errno);
  (void)setsockopt(netlink.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes,
                   sizeof kReceiveBufferBytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(netlink.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return os::refused("cannot subscribe to network changes", errno);
  }
  return netlink;
}

}  // namespace wesher::system
