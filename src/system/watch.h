// Notices of changes made by others: rtnetlink multicast (links, addresses, routes) and inotify on
// the hosts file, behind one epoll descriptor. WireGuard peers have no notification. Never blocks.
// Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "os/unique_fd.h"

namespace wesher::system {

/// What the reader of notifications knows of us, to leave out what does not concern us.
struct WatchContext {
  std::string interface;
  std::uint32_t link_index = 0;   ///< 0: unknown, then every change of a link of ours counts
  std::uint32_t own_port_id = 0;  ///< changes of addresses and routes that this socket asked for
};

/// Whether a datagram of rtnetlink notifications holds one that concerns our interface and was not
/// caused by ourselves. Follows the index when a link of our name appears. Bytes only.
[[nodiscard]] bool concerns_us(ByteView datagram, WatchContext& context);

class Watch {
 public:
  /// Without inotify (a limit of the system) the rest still works.
  [[nodiscard]] static Result<std::unique_ptr<Watch>> open(WatchContext context,
                                                           const std::string& hosts_path);

  [[nodiscard]] int fd() const { return epoll_.get(); }

  /// What came in since the last call.
  struct Seen {
    bool network = false;  ///< our interface may have changed, or notices were lost
    bool hosts = false;    ///< the hosts file, or something beside it of its name, was touched
  };

  [[nodiscard]] Seen drain();

 private:
  Watch(WatchContext context, const std::string& hosts_path);

  [[nodiscard]] Result<void> open_netlink();
  void open_inotify();
  void watch_file();
  [[nodiscard]] bool drain_netlink();
  [[nodiscard]] bool drain_inotify();

  WatchContext context_;
  std::string path_;       ///< as configured
  std::string real_path_;  ///< without symbolic links; equal to path_ if it is missing
  os::UniqueFd epoll_;
  os::UniqueFd netlink_;
  os::UniqueFd inotify_;
  int file_watch_ = -1;
};

}  // namespace wesher::system
