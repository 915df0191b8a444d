// The kernel's netlink monitor on a host: every netlink message of its network namespace, with the
// time at which the kernel passed it on.
#pragma once

#include <optional>

#include "netns/support/host.h"

namespace wesher::netns {

/// Requests, whoever sent them.
struct NetlinkCounts {
  int wireguard = 0;  ///< WG_CMD_SET_DEVICE
  int routes = 0;     ///< RTM_NEWROUTE, RTM_DELROUTE
  int others = 0;     ///< every other RTM_NEW…, RTM_DEL…, RTM_SET…
  int reads = 0;      ///< those that change nothing
  /// Seconds from the first request that changes something to the kernel's answer to the one that
  /// deletes a link, if there was one.
  std::optional<double> until_link_deleted;
  /// Seconds from the same to the last WG_CMD_SET_DEVICE, and to the request that deletes a link.
  double until_last_set = 0;
  double until_delete = 0;
};

class NetlinkMonitor {
 public:
  /// Begins to listen. Not available where the kernel has no nlmon.
  explicit NetlinkMonitor(const Host& host);
  ~NetlinkMonitor();
  NetlinkMonitor(const NetlinkMonitor&) = delete;
  NetlinkMonitor& operator=(const NetlinkMonitor&) = delete;

  [[nodiscard]] bool available() const { return socket_ >= 0; }

  /// What came since the start or the last call. Throws when messages were lost.
  [[nodiscard]] NetlinkCounts take();

 private:
  int socket_ = -1;
};

}  // namespace wesher::netns
