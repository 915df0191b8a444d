// Notices of changes made by others. See watch.h.
#include "system/watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "os/error.h"
#include "system/netlink_message.h"
#include "system/notifications.h"
#include "system/rt_codec.h"

namespace wesher::system {

namespace {

constexpr std::uint32_t kDirectoryEvents =
    IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_ATTRIB | IN_MODIFY;
constexpr std::uint32_t kFileEvents =
    IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;

/// The fixed part of inotify_event (inotify(7)), without its flexible name.
struct InotifyHead {
  int watch;
  std::uint32_t mask;
  std::uint32_t cookie;
  std::uint32_t name_length;
};

static_assert(sizeof(InotifyHead) == sizeof(inotify_event));

std::string resolved(const std::string& path) {
  std::array<char, PATH_MAX> out{};
  return realpath(path.c_str(), out.data()) != nullptr ? out.data() : path;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool link_concerns_us(const NetlinkMessage& message, WatchContext& context) {
  const auto link = decode_link(message.payload);
  if (!link) return true;
  const bool ours = link->name == context.interface ||
                    (context.link_index != 0 && link->index == context.link_index);
  if (!ours) return false;
  const bool gone = message.header.nlmsg_type == RTM_DELLINK || link->name != context.interface;
  context.link_index = gone ? 0 : link->index;
  return true;
}

void add_to(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

bool concerns_us(ByteView datagram, WatchContext& context) {
  bool concerns = false;
  for (const NetlinkMessage& message : NetlinkMessages(datagram)) {
    switch (message.header.nlmsg_type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        concerns = link_concerns_us(message, context) || concerns;
        break;
      case RTM_NEWADDR:
      case RTM_DELADDR: {
        if (message.header.nlmsg_pid == context.own_port_id && context.own_port_id != 0) break;
        const auto address = decode_address(message.payload);
        concerns = concerns || (address && address->index == context.link_index);
        break;
      }
      case RTM_NEWROUTE:
      case RTM_DELROUTE: {
        if (message.header.nlmsg_pid == context.own_port_id && context.own_port_id != 0) break;
        const auto route = decode_route(message.payload);
        if (!route || route->cloned || context.link_index == 0) break;
        // A route of ours that others replaced bears the index of its new link.
        concerns = concerns || (message.header.nlmsg_flags & NLM_F_REPLACE) != 0;
        const auto& links = route->links;
        concerns =
            concerns || std::find(links.begin(), links.end(), context.link_index) != links.end();
        break;
      }
      default:
        break;
    }
  }
  return concerns;
}

Watch::Watch(WatchContext context, const std::string& hosts_path)
    : context_(std::move(context)), path_(hosts_path), real_path_(resolved(hosts_path)) {}

Result<std::unique_ptr<Watch>> Watch::open(WatchContext context, const std::string& hosts_path) {
  std::unique_ptr<Watch> watch(new Watch(std::move(context), hosts_path));
  watch->epoll_ = os::UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!watch->epoll_) return os::refused("epoll", errno);
  if (auto opened = watch->open_netlink(); !opened) return tl::unexpected(opened.error());
  watch->open_inotify();
  return watch;
}

Result<void> Watch::open_netlink() {
  auto netlink = open_notifications(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
  if (!netlink) return tl::unexpected(netlink.error());
  netlink_ = std::move(*netlink);
  add_to(epoll_.get(), netlink_.get());
  return {};
}

void Watch::open_inotify() {
  inotify_ = os::UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_) return;
  for (const std::string& path : {path_, real_path_}) {
    (void)inotify_add_watch(inotify_.get(), directory_of(path).c_str(), kDirectoryEvents);
  }
  watch_file();
  add_to(epoll_.get(), inotify_.get());
}

void Watch::watch_file() {
  // A bind-mounted file is changed through another directory: only its inode tells.
  file_watch_ = inotify_add_watch(inotify_.get(), real_path_.c_str(), kFileEvents);
}

bool Watch::drain_netlink() {
  bool concerns = false;
  Bytes buffer(65536);
  for (;;) {
    const ssize_t n = recv(netlink_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {
      concerns = true;
      context_.link_index = if_nametoindex(context_.interface.c_str());
      continue;
    }
    if (n <= 0) return concerns;
    const auto length = static_cast<std::size_t>(n);
    if (length > buffer.size()) concerns = true;
    const auto datagram = ByteView(buffer).first(std::min(length, buffer.size()));
    concerns = concerns_us(datagram, context_) || concerns;
  }
}

bool Watch::drain_inotify() {
  if (!inotify_) return false;
  bool touched = false;
  std::array<std::uint8_t, 16384> buffer{};
  for (;;) {
    const ssize_t n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    ByteView rest = ByteView(buffer).first(static_cast<std::size_t>(n));
    while (const auto event = struct_at<InotifyHead>(rest)) {
      const std::size_t size = sizeof(InotifyHead) + event->name_length;
      if (size > rest.size()) break;
      const std::string_view padded =
          as_text(rest.subspan(sizeof(InotifyHead), event->name_length));
      const std::string_view name = padded.substr(0, padded.find('\0'));
      touched = touched || event->watch == file_watch_ || (event->mask & IN_Q_OVERFLOW) != 0 ||
                name == name_of(path_) || name == name_of(real_path_);
      rest = rest.subspan(size);
    }
  }
  if (touched) {
    real_path_ = resolved(path_);
    watch_file();
  }
  return touched;
}

Watch::Seen Watch::drain() {
  Seen seen;
  seen.network = drain_netlink();
  seen.hosts = drain_inotify();
  return seen;
}

}  // namespace wesher::system
