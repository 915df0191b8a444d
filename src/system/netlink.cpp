// One netlink socket for requests. See netlink.h.
#include "system/netlink.h"

#include <array>
#include <cerrno>

#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/text.h"
#include "os/error.h"

namespace wesher::system {

namespace {

/// The kernel cuts its dumps into messages of at most 32 KiB, however large the buffer is.
constexpr std::size_t kReceiveBuffer = 32768;

/// An answer comes from within the request's own system call; this only bounds a lost one.
constexpr timeval kReplyTimeout{.tv_sec = 10, .tv_usec = 0};

struct Refusal {
  int os_errno = 0;  ///< 0: acknowledged
  std::string text;  ///< extended ACK text, often none
};

/// Reads an NLMSG_ERROR message: the errno, and the kernel's sentence if it sent one.
Refusal read_ack(const NetlinkMessage& message) {
  Refusal refusal;
  const auto error = struct_at<nlmsgerr>(message.payload);
  if (!error) return {EPROTO, {}};
  refusal.os_errno = -error->error;
  if ((message.header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return refusal;
  ByteView rest = behind<nlmsgerr>(message.payload);
  if ((message.header.nlmsg_flags & NLM_F_CAPPED) == 0) {
    const std::size_t echoed =
        error->msg.nlmsg_len - std::min<std::size_t>(error->msg.nlmsg_len, sizeof(nlmsghdr));
    rest = rest.subspan(std::min(rest.size(), (echoed + 3) & ~std::size_t{3}));
  }
  for (const Attr& attr : Attrs(rest)) {
    if (attr.type == NLMSGERR_ATTR_MSG) refusal.text = printable(attr.text());
  }
  return refusal;
}

tl::unexpected<Error> refused(const Refusal& refusal) {
  std::string detail = os::errno_text(refusal.os_errno);
  if (!refusal.text.empty()) detail += " (" + refusal.text + ")";
  return fail(os::errc_of(refusal.os_errno), std::move(detail), refusal.os_errno);
}

void stamp(Bytes& message, std::uint32_t sequence, bool acknowledge) {
  auto header = struct_at<nlmsghdr>(message).value_or(nlmsghdr{});
  header.nlmsg_seq = sequence;
  if (acknowledge) header.nlmsg_flags |= NLM_F_ACK;
  std::memcpy(message.data(), &header, sizeof header);
}

}  // namespace

void NetlinkSocket::Close::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

NetlinkSocket::NetlinkSocket(mnl_socket* socket) : socket_(socket), buffer_(kReceiveBuffer) {}

Result<NetlinkSocket> NetlinkSocket::open(int bus) {
  mnl_socket* raw = mnl_socket_open2(bus, SOCK_CLOEXEC);
  if (raw == nullptr) return os::refused("cannot open a netlink socket", errno);
  NetlinkSocket socket(raw);
  if (mnl_socket_bind(raw, 0, MNL_SOCKET_AUTOPID) < 0) {
    return os::refused("cannot bind a netlink socket", errno);
  }
  // Older kernels lack some of these: texts and filters are then missing, nothing else.
  int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    (void)mnl_socket_setsockopt(raw, option, &on, sizeof on);
  }
  (void)setsockopt(mnl_socket_get_fd(raw), SOL_SOCKET, SO_RCVTIMEO, &kReplyTimeout,
                   sizeof kReplyTimeout);
  return socket;
}

std::uint32_t NetlinkSocket::port_id() const {
  return mnl_socket_get_portid(socket_.get());
}

Result<void> NetlinkSocket::send(ByteView bytes) {
  if (mnl_socket_sendto(socket_.get(), bytes.data(), bytes.size()) < 0) {
    return os::refused("netlink send", errno);
  }
  return {};
}

Result<ByteView> NetlinkSocket::receive() {
  for (;;) {
    const ssize_t n = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (n >= 0) return ByteView(buffer_).first(static_cast<std::size_t>(n));
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return fail(Errc::system, "the kernel did not answer", EAGAIN);
    return fail(Errc::system, "netlink receive: " + os::errno_text(errno), errno);
  }
}

Result<bool> NetlinkSocket::talk(Bytes& message, const OnMessage& on_message) {
  stamp(message, ++sequence_, true);
  if (auto sent = send(message); !sent) return tl::unexpected(sent.error());
  bool complete = true;
  for (;;) {
    const auto datagram = receive();
    if (!datagram) return tl::unexpected(datagram.error());
    for (const NetlinkMessage& reply : NetlinkMessages(*datagram)) {
      const nlmsghdr& header = reply.header;
      if (header.nlmsg_seq != sequence_ || header.nlmsg_pid != port_id()) continue;
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) complete = false;
      if (header.nlmsg_type == NLMSG_ERROR) {
        const Refusal refusal = read_ack(reply);
        if (refusal.os_errno != 0) return refused(refusal);
        return complete;
      }
      if (header.nlmsg_type == NLMSG_DONE) {
        const int status = struct_at<int>(reply.payload).value_or(0);
        if (status < 0) return refused({-status, {}});
        return complete;
      }
      if (header.nlmsg_type >= NLMSG_MIN_TYPE && on_message) on_message(reply);
    }
  }
}

Result<void> NetlinkSocket::request(Bytes message, const OnMessage& on_message) {
  const auto done = talk(message, on_message);
  wipe(message);
  wipe(buffer_);
  if (!done) return tl::unexpected(done.error());
  return {};
}

Result<bool> NetlinkSocket::dump(Bytes message, const OnMessage& on_message) {
  auto complete = talk(message, on_message);
  wipe(buffer_);
  if (!complete && complete.error().os_errno == ENOBUFS) return false;
  return complete;
}

void NetlinkSocket::send_group(std::span<Bytes> group, std::span<Result<void>> results) {
  const std::uint32_t first = sequence_ + 1;
  Bytes datagram;
  for (Bytes& message : group) {
    stamp(message, ++sequence_, true);
    datagram.insert(datagram.end(), message.begin(), message.end());
  }
  std::fill(results.begin(), results.end(), fail(Errc::system, "the kernel's answer was lost"));
  if (auto sent = send(datagram); !sent) {
    std::fill(results.begin(), results.end(), tl::unexpected(sent.error()));
    return;
  }
  std::size_t waiting = group.size();
  while (waiting > 0) {
    const auto received = receive();
    if (!received) return;
    for (const NetlinkMessage& reply : NetlinkMessages(*received)) {
      const std::uint32_t index = reply.header.nlmsg_seq - first;
      if (reply.header.nlmsg_type != NLMSG_ERROR || index >= group.size() ||
          reply.header.nlmsg_pid != port_id()) {
        continue;
      }
      const Refusal refusal = read_ack(reply);
      results[index] = Result<void>{};
      if (refusal.os_errno != 0) results[index] = refused(refusal);
      --waiting;
    }
  }
}

std::vector<Result<void>> NetlinkSocket::batch(std::vector<Bytes> messages) {
  std::vector<Result<void>> results(messages.size());
  for (std::size_t begin = 0; begin < messages.size();) {
    std::size_t end = begin;
    std::size_t bytes = 0;
    while (end < messages.size() &&
           (end == begin || bytes + messages[end].size() <= kNetlinkMessageMax)) {
      bytes += messages[end++].size();
    }
    send_group(std::span(messages).subspan(begin, end - begin),
               std::span(results).subspan(begin, end - begin));
    begin = end;
  }
  return results;
}

}  // namespace wesher::system
