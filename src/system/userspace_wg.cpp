// Userspace WireGuard over its socket. See userspace_wg.h.
#include "system/userspace_wg.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "os/error.h"
#include "system/launcher.h"
#include "system/netlink_message.h"
#include "system/uapi_codec.h"

namespace wesher::system {

namespace {

constexpr timeval kSocketTimeout{.tv_sec = 10, .tv_usec = 0};
constexpr std::chrono::milliseconds kStartTimeout{10000};
constexpr std::chrono::milliseconds kSocketsTimeout{1000};
constexpr int kEndTimeoutMs = 3000;

/// Peers in one request, about as many as 8 KB of netlink hold: a program answers each at once.
constexpr std::size_t kPeersPerRequest = 64;

std::string socket_path(const std::string& interface) {
  return std::string(kUapiDirectory) + "/" + interface + ".sock";
}

Result<os::UniqueFd> connect_to(const std::string& interface) {
  const std::string path = socket_path(interface);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Errc::too_large, "interface name " + interface + " is too long");
  }
  path.copy(address.sun_path, path.size());
  os::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return os::refused("socket", errno);
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kSocketTimeout, sizeof kSocketTimeout);
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSocketTimeout, sizeof kSocketTimeout);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EACCES) {
      return fail(Errc::not_permitted, path + " is for root only: run wesher as root", EACCES);
    }
    return os::refused(path, errno);
  }
  return fd;
}

Result<void> send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os::refused("WireGuard socket", errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// One request and its whole reply, which may hold the private key.
Result<std::string> converse(const std::string& interface, std::string_view request) {
  const auto fd = connect_to(interface);
  if (!fd) return tl::unexpected(fd.error());
  if (auto sent = send_all(fd->get(), request); !sent) return tl::unexpected(sent.error());
  std::string reply;
  std::array<char, 16384> chunk{};
  while (!is_whole_uapi_reply(reply)) {
    const ssize_t n = recv(fd->get(), chunk.data(), chunk.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os::refused("WireGuard socket", errno);
    if (n == 0) return fail(Errc::system, "the WireGuard socket closed in mid-answer");
    if (reply.size() + static_cast<std::size_t>(n) > kUapiReplyMax) {
      return fail(Errc::too_large, "the WireGuard socket's answer does not end");
    }
    reply.append(chunk.data(), static_cast<std::size_t>(n));
  }
  explicit_bzero(chunk.data(), chunk.size());
  return reply;
}

Result<void> judge(const std::string& reply) {
  const auto code = uapi_errno(reply);
  if (!code) return fail(Errc::malformed, "the WireGuard socket gave no result");
  if (*code != 0) return fail(os::errc_of(*code), os::errno_text(*code), *code);
  return {};
}

}  // namespace

UserspaceWg::UserspaceWg(std::string interface) : interface_(std::move(interface)) {}

bool UserspaceWg::answers(const std::string& interface) {
  return connect_to(interface).has_value();
}

Result<void> UserspaceWg::installed() {
  const std::string program = userspace_program();
  if (!find_program(program).empty()) return {};
  return fail(Errc::no_wireguard, program + " is not installed");
}

Result<WgDevice> UserspaceWg::get() {
  auto reply = converse(interface_, kUapiGet);
  if (!reply) return tl::unexpected(reply.error());
  auto device = decode_uapi_device(*reply);
  const auto status = judge(*reply);
  wipe(*reply);
  if (!status) return tl::unexpected(status.error());
  return device;
}

Result<SecretKey> UserspaceWg::private_key() {
  auto reply = converse(interface_, kUapiGet);
  if (!reply) return tl::unexpected(reply.error());
  auto key = decode_uapi_private_key(*reply);
  const auto status = judge(*reply);
  wipe(*reply);
  if (!status) return tl::unexpected(status.error());
  if (!key) return fail(Errc::not_found, "it has none");
  return std::move(*key);
}

Result<void> UserspaceWg::create(std::uint32_t /*mtu*/) {
  const std::string program = userspace_program();
  const std::string path = find_program(program);
  if (path.empty()) return fail(Errc::no_wireguard, program + " is not installed");
  if (if_nametoindex(interface_.c_str()) != 0) {
    return fail(Errc::exists, os::errno_text(EEXIST), EEXIST);
  }
  {
    const os::UniqueFd tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!tun) {
      return fail(Errc::no_wireguard,
                  program + " needs /dev/net/tun, which is not usable (" + os::errno_text(errno) +
                      "): try modprobe tun, or give the container that device",
                  errno);
    }
  }
  if (mkdir(kUapiDirectory, 0700) != 0 && errno != EEXIST) {
    return os::refused(std::string("cannot make ") + kUapiDirectory, errno);
  }
  Launch what;
  what.path = path;
  what.interface = interface_;
  what.watch_directory = kUapiDirectory;
  what.timeout = kStartTimeout;
  // wireguard-go opens its sockets a moment after it answers, on a port of its own choice; a port
  // in use that is given before that would be refused in its log only.
  std::optional<std::chrono::steady_clock::time_point> answered;
  what.ready = [&] {
    if (if_nametoindex(interface_.c_str()) == 0 || !answers(interface_)) return false;
    const auto device = get();
    if (!device) return false;
    const auto now = std::chrono::steady_clock::now();
    answered = answered.value_or(now);
    return device->listen_port != 0 || now - *answered > kSocketsTimeout;
  };
  return launch(what);
}

Result<void> UserspaceWg::set(const WgChange& change) const {
  std::string request = encode_uapi_set(change);
  const auto reply = converse(interface_, request);
  wipe(request);
  if (!reply) return tl::unexpected(reply.error());
  return judge(*reply);
}

Result<void> UserspaceWg::set_device(const SecretKey* private_key,
                                     std::optional<std::uint16_t> listen_port) {
  WgChange change;
  change.private_key = private_key;
  change.listen_port = listen_port;
  return set(change);
}

std::vector<Result<void>> UserspaceWg::set_peers(std::span<const WgPeerChange> changes) {
  std::vector<Result<void>> results(changes.size());
  for (std::size_t begin = 0; begin < changes.size(); begin += kPeersPerRequest) {
    const std::size_t end = std::min(begin + kPeersPerRequest, changes.size());
    WgChange group;
    group.peers.assign(changes.begin() + static_cast<std::ptrdiff_t>(begin),
                       changes.begin() + static_cast<std::ptrdiff_t>(end));
    const auto done = set(group);
    if (done) continue;
    if (end - begin == 1) results[begin] = done;
    for (std::size_t i = begin; end - begin > 1 && i < end; ++i) {
      WgChange one;
      one.peers.push_back(changes[i]);
      results[i] = set(one);
    }
  }
  return results;
}

Result<void> UserspaceWg::clear_peers() {
  WgChange change;
  change.replace_peers = true;
  return set(change);
}

void UserspaceWg::before_delete() {
  if (auto fd = connect_to(interface_)) farewell_ = std::move(*fd);
}

void UserspaceWg::after_delete() {
  // The program takes its socket's file away before it ends; until then the name can't be used
  // again. The end of the connection tells.
  if (!farewell_) return;
  pollfd fd{farewell_.get(), POLLIN, 0};
  (void)poll(&fd, 1, kEndTimeoutMs);
  farewell_.reset();
}

}  // namespace wesher::system
