#include "netns/support/monitor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "netns/support/inside.h"

namespace wesher::netns {

namespace {

constexpr const char* kMonitor = "nlmon0";
constexpr int kBuffer = 64 << 20;

/// Reads the messages of datagrams in the order of time.
class Reader {
 public:
  void read(ByteView datagram, int protocol, double at);

  [[nodiscard]] const NetlinkCounts& counts() const { return counts_; }

 private:
  void request(const nlmsghdr& header, ByteView message, int protocol, double at);
  void answer(ByteView message, double at);

  NetlinkCounts counts_;
  std::optional<double> first_change_;
};

void Reader::read(ByteView datagram, int protocol, double at) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return;
    const ByteView message = datagram.first(header.nlmsg_len);
    // What the kernel tells of changes bears the types of the requests.
    if ((header.nlmsg_flags & NLM_F_REQUEST) != 0) request(header, message, protocol, at);
    if (header.nlmsg_type == NLMSG_ERROR && protocol == NETLINK_ROUTE) answer(message, at);
    datagram =
        datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
}

void Reader::request(const nlmsghdr& header, ByteView message, int protocol, double at) {
  bool reads = true;
  if (protocol == NETLINK_ROUTE && header.nlmsg_type >= RTM_BASE) {
    // Kinds of message come in fours: new, delete, get, set.
    reads = (header.nlmsg_type - RTM_BASE) % 4 == 2;
    const bool route = header.nlmsg_type == RTM_NEWROUTE || header.nlmsg_type == RTM_DELROUTE;
    ++(reads ? counts_.reads : route ? counts_.routes : counts_.others);
  } else if (protocol == NETLINK_GENERIC && header.nlmsg_type > GENL_ID_CTRL &&
             message.size() > sizeof header) {
    // WireGuard is the only family that anybody on a host of the rig speaks.
    reads = message[sizeof header] != WG_CMD_SET_DEVICE;
    ++(reads ? counts_.reads : counts_.wireguard);
  }
  if (reads) return;
  if (!first_change_) first_change_ = at;
  if (protocol == NETLINK_GENERIC) counts_.until_last_set = at - *first_change_;
  if (protocol == NETLINK_ROUTE && header.nlmsg_type == RTM_DELLINK)
    counts_.until_delete = at - *first_change_;
}

void Reader::answer(ByteView message, double at) {
  nlmsgerr error{};
  if (message.size() < sizeof(nlmsghdr) + sizeof error) return;
  std::memcpy(&error, message.data() + sizeof(nlmsghdr), sizeof error);
  if (error.msg.nlmsg_type == RTM_DELLINK && first_change_)
    counts_.until_link_deleted = at - *first_change_;
}

/// When the kernel passed a datagram on.
double time_of(const msghdr& all) {
  timespec at{};
  for (cmsghdr* header = CMSG_FIRSTHDR(&all); header != nullptr;
       header = CMSG_NXTHDR(const_cast<msghdr*>(&all), header))
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS)
      std::memcpy(&at, CMSG_DATA(header), sizeof at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

}  // namespace

NetlinkMonitor::NetlinkMonitor(const Host& host) {
  if (!host.has_link(kMonitor)) {
    if (host.exec({"ip", "link", "add", kMonitor, "type", "nlmon"}).exit_code != 0) return;
    if (host.exec({"ip", "link", "set", kMonitor, "up"}).exit_code != 0)
      throw std::runtime_error("cannot bring up the netlink monitor");
  }
  inside_network(host.network_namespace(), [&] {
    socket_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
    sockaddr_ll name{};
    name.sll_family = AF_PACKET;
    name.sll_protocol = htons(ETH_P_ALL);
    name.sll_ifindex = static_cast<int>(::if_nametoindex(kMonitor));
    const int on = 1;
    // Nothing is lost while nobody reads.
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer);
    ::setsockopt(socket_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
      throw std::runtime_error("cannot read the netlink monitor");
  });
}

NetlinkMonitor::~NetlinkMonitor() {
  if (socket_ >= 0) ::close(socket_);
}

NetlinkCounts NetlinkMonitor::take() {
  Reader reader;
  Bytes buffer(1U << 20U);
  for (;;) {
    sockaddr_ll from{};
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<char, 256> control{};
    msghdr all{};
    all.msg_name = &from;
    all.msg_namelen = sizeof from;
    all.msg_iov = &part;
    all.msg_iovlen = 1;
    all.msg_control = control.data();
    all.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_, &all, 0);
    if (size < 0) break;
    reader.read(ByteView(buffer).first(static_cast<std::size_t>(size)), ntohs(from.sll_protocol),
                time_of(all));
  }
  tpacket_stats lost{};
  socklen_t length = sizeof lost;
  if (::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &lost, &length) != 0 ||
      lost.tp_drops != 0)
    throw std::runtime_error("the netlink monitor lost messages");
  return reader.counts();
}

}  // namespace wesher::netns
