#include "netns/support/crowd.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/key.h"
#include "base/random.h"
#include "netns/support/inside.h"
#include "netns/support/names.h"
#include "wire/node_meta.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::netns {

using Clock = std::chrono::steady_clock;

namespace {

struct Command {
  enum class Kind { join, join_at_once, tell } kind = Kind::tell;
  in_addr to{};
  int count = 0;
};

struct Answer {
  Crowd::Time at{};  ///< of the steady clock, which is the same in every process
  Crowd::Seen seen;
};

constexpr std::uint16_t kGossipPort = 7946;
constexpr int kLargestCrowd = 60000;
constexpr std::size_t kFrameLimit = 20U << 20U;  // memberlist maxPushStateBytes
constexpr timeval kStreamPatience{30, 0};

[[noreturn]] void broken(const std::string& step) {
  throw std::runtime_error("the crowd cannot " + step + ": " +
                           std::generic_category().message(errno));
}

/// Byte 3 and 4 of a member's addresses; neither is 0 or 255.
std::string host_part(int member) {
  return std::to_string(member / 250) + "." + std::to_string(member % 250 + 1);
}

IpAddress address(const std::string& text) {
  return IpAddress::parse(text).value();
}

std::array<std::uint8_t, kKeyBytes> key_bytes(int member) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  Rng::from_number(static_cast<std::uint64_t>(member)).fill(bytes);
  return bytes;
}

wire::Alive claim(int member) {
  const IpAddress underlay = address(Crowd::underlay(member));
  wire::Alive alive;
  alive.incarnation = 1;
  alive.node = Crowd::name(member);
  alive.address.assign(underlay.bytes().begin(), underlay.bytes().end());
  alive.port = kGossipPort;
  alive.meta = wire::encode_node_meta(
      {address(Crowd::overlay(member)), PublicKey(key_bytes(member)), MetaFormat::f2});
  alive.versions.assign(wire::kOwnVersions.begin(), wire::kOwnVersions.end());
  return alive;
}

sockaddr_in at_gossip_port(in_addr to) {
  sockaddr_in all{};
  all.sin_family = AF_INET;
  all.sin_addr = to;
  all.sin_port = htons(kGossipPort);
  return all;
}

in_addr parsed(const std::string& text) {
  in_addr value{};
  if (::inet_pton(AF_INET, text.c_str(), &value) != 1)
    throw std::runtime_error(text + " is no IPv4 address");
  return value;
}

/// The sockets of all members, on every address of the host.
struct Sockets {
  int udp = -1;
  int tcp = -1;
};

Sockets open_sockets() {
  const Sockets sockets{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                        ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  const sockaddr_in any = at_gossip_port({INADDR_ANY});
  const auto* name = reinterpret_cast<const sockaddr*>(&any);
  // Which member a datagram was for: its destination.
  ::setsockopt(sockets.udp, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  if (::bind(sockets.udp, name, sizeof any) != 0 || ::bind(sockets.tcp, name, sizeof any) != 0 ||
      ::listen(sockets.tcp, 64) != 0)
    broken("listen");
  return sockets;
}

/// The crowd's own process.
class Players {
 public:
  Players(Sockets sockets, ByteView cluster_key, int size)
      : sockets_(sockets), size_(size), rng_(Rng::from_number(7946)) {
    (void)keyring_.add(cluster_key);
  }

  void receive_datagram();
  void serve_stream();
  /// Does as told.
  Answer obey(const Command& command);

 private:
  void send(const wire::PacketMessage& message, in_addr from, const sockaddr_in& to);
  [[nodiscard]] Bytes table() const;
  Crowd::Time join(in_addr to);
  Crowd::Time join_at_once(in_addr to, int count);

  Sockets sockets_;
  int size_;
  wire::Keyring keyring_;
  Rng rng_;
  Crowd::Seen seen_;
};

void Players::send(const wire::PacketMessage& message, in_addr from, const sockaddr_in& to) {
  Bytes datagram = wire::seal_packet(keyring_, wire::encode(message), rng_);
  sockaddr_in target = to;
  iovec part{datagram.data(), datagram.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  msghdr all{};
  all.msg_name = &target;
  all.msg_namelen = sizeof target;
  all.msg_iov = &part;
  all.msg_iovlen = 1;
  all.msg_control = control.data();
  all.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&all);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo source{};
  source.ipi_spec_dst = from;
  std::memcpy(CMSG_DATA(header), &source, sizeof source);
  if (::sendmsg(sockets_.udp, &all, 0) < 0) broken("send");
}

void Players::receive_datagram() {
  Bytes buffer(65536);
  sockaddr_in from{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, 256> control{};
  msghdr all{};
  all.msg_name = &from;
  all.msg_namelen = sizeof from;
  all.msg_iov = &part;
  all.msg_iovlen = 1;
  all.msg_control = control.data();
  all.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(sockets_.udp, &all, 0);
  if (size <= 0) return;
  in_pktinfo destination{};
  for (cmsghdr* header = CMSG_FIRSTHDR(&all); header != nullptr; header = CMSG_NXTHDR(&all, header))
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO)
      std::memcpy(&destination, CMSG_DATA(header), sizeof destination);
  const auto opened =
      wire::open_packet(keyring_, ByteView(buffer).first(static_cast<std::size_t>(size)));
  for (const wire::PacketMessage& message : opened.messages) {
    if (const auto* ping = std::get_if<wire::Ping>(&message)) {
      ++seen_.pings;
      send(wire::Ack{ping->sequence, {}, true}, destination.ipi_addr, from);
    } else if (const auto* indirect = std::get_if<wire::IndirectPing>(&message)) {
      send(wire::Ack{indirect->sequence, {}, true}, destination.ipi_addr, from);
    } else if (std::holds_alternative<wire::Suspect>(message) ||
               std::holds_alternative<wire::Dead>(message)) {
      ++seen_.accusations;
    }
  }
}

Bytes Players::table() const {
  wire::PushPull all;
  for (int member = 1; member <= size_; ++member)
    all.entries.push_back(wire::entry_of(claim(member)));
  return wire::encode_stream(all);
}

/// Reads one frame of a stream; empty when it ends or says nonsense.
Bytes read_frame(int stream) {
  wire::FrameReader reader(kFrameLimit);
  std::array<std::uint8_t, 65536> chunk{};
  while (!reader.complete()) {
    const ssize_t size = ::recv(stream, chunk.data(), chunk.size(), 0);
    if (size <= 0 || !reader.feed(ByteView(chunk).first(static_cast<std::size_t>(size)))) return {};
  }
  return {reader.frame().begin(), reader.frame().end()};
}

void write_all(int stream, const Bytes& bytes) {
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t size =
        ::send(stream, bytes.data() + written, bytes.size() - written, MSG_NOSIGNAL);
    if (size <= 0) return;
    written += static_cast<std::size_t>(size);
  }
}

void be_patient(int stream) {
  ::setsockopt(stream, SOL_SOCKET, SO_RCVTIMEO, &kStreamPatience, sizeof kStreamPatience);
  ::setsockopt(stream, SOL_SOCKET, SO_SNDTIMEO, &kStreamPatience, sizeof kStreamPatience);
}

void Players::serve_stream() {
  const int stream = ::accept4(sockets_.tcp, nullptr, nullptr, SOCK_CLOEXEC);
  if (stream < 0) return;
  be_patient(stream);
  const auto message = wire::open_frame(keyring_, read_frame(stream));
  if (message) {
    Bytes reply;
    if (const auto* ping = std::get_if<wire::Ping>(&*message)) {
      reply = wire::encode_stream(wire::Ack{ping->sequence, {}, true});
    } else if (std::holds_alternative<wire::PushPull>(*message)) {
      ++seen_.push_pulls;
      reply = table();
    }
    write_all(stream, wire::seal_frame(keyring_, reply, rng_));
  }
  ::close(stream);
}

Crowd::Time Players::join(in_addr to) {
  ++size_;
  const Crowd::Time at = Clock::now();
  send(claim(size_), parsed(Crowd::underlay(size_)), at_gossip_port(to));
  return at;
}

Crowd::Time Players::join_at_once(in_addr to, int count) {
  size_ += count;
  const int stream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  be_patient(stream);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr = parsed(Crowd::underlay(size_));
  const sockaddr_in target = at_gossip_port(to);
  if (::bind(stream, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::connect(stream, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0)
    broken("connect");
  write_all(stream, wire::seal_frame(keyring_, table(), rng_));
  const Crowd::Time at = Clock::now();
  (void)read_frame(stream);
  ::close(stream);
  return at;
}

Answer Players::obey(const Command& command) {
  Answer answer;
  if (command.kind == Command::Kind::join) answer.at = join(command.to);
  if (command.kind == Command::Kind::join_at_once)
    answer.at = join_at_once(command.to, command.count);
  answer.seen = seen_;
  return answer;
}

/// Until the scenario closes the control socket.
void play(Players& players, const Sockets& sockets, int control) {
  std::array<pollfd, 3> all{
      {{control, POLLIN, 0}, {sockets.udp, POLLIN, 0}, {sockets.tcp, POLLIN, 0}}};
  while (::poll(all.data(), all.size(), -1) > 0) {
    if (all[1].revents != 0) players.receive_datagram();
    if (all[2].revents != 0) players.serve_stream();
    if (all[0].revents == 0) continue;
    Command command;
    if (::recv(control, &command, sizeof command, 0) != sizeof command) return;
    const Answer answer = players.obey(command);
    if (::send(control, &answer, sizeof answer, MSG_NOSIGNAL) < 0) return;
  }
}

Answer ask(int control, const Command& command) {
  Answer answer;
  if (::send(control, &command, sizeof command, MSG_NOSIGNAL) != sizeof command ||
      ::recv(control, &answer, sizeof answer, 0) != sizeof answer)
    throw std::runtime_error("the crowd has ended");
  return answer;
}

}  // namespace

std::string Crowd::name(int member) {
  std::string number = std::to_string(member);
  return "m" + std::string(number.size() < 4 ? 4 - number.size() : 0, '0') + number;
}

std::string Crowd::underlay(int member) {
  return "172.30." + host_part(member);
}

std::string Crowd::overlay(int member) {
  return wanted_address(name(member), "10.0.0.0/8");
}

std::string Crowd::key(int member) {
  return to_base64(key_bytes(member));
}

Crowd::Crowd(Host& home, const std::string& cluster_key, int size) : size_(size) {
  if (size > kLargestCrowd) throw std::runtime_error("a crowd that large has no addresses");
  const Bytes cluster = from_base64(cluster_key).value();
  if (home.exec({"ip", "route", "add", "local", "172.30.0.0/16", "dev", "lo"}).exit_code != 0)
    throw std::runtime_error("the crowd cannot have its addresses");
  Sockets sockets;
  inside_network(home.network_namespace(), [&] { sockets = open_sockets(); });
  std::array<int, 2> control{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()) != 0)
    broken("be told anything");
  process_ = ::fork();
  if (process_ < 0) broken("fork");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(control[0]);
    // What it opens later is of that host, too. The end of a crowd must not run the destructors of
    // the scenario that it was forked from.
    try {
      if (::setns(home.network_namespace(), CLONE_NEWNET) != 0) broken("enter its host");
      Players players(sockets, cluster, size);
      play(players, sockets, control[1]);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
    ::_exit(0);
  }
  ::close(control[1]);
  ::close(sockets.udp);
  ::close(sockets.tcp);
  control_ = control[0];
}

Crowd::~Crowd() {
  ::close(control_);
  ::waitpid(process_, nullptr, 0);
}

void Crowd::make_reachable_from(const Host& host, const Host& home) {
  if (host.exec({"ip", "route", "add", "172.30.0.0/16", "via", home.underlay_address()})
          .exit_code != 0)
    throw std::runtime_error(host.name() + " has no route to the crowd");
}

Crowd::Time Crowd::join(const Host& to) {
  ++size_;
  return ask(control_, {Command::Kind::join, parsed(to.underlay_address()), 1}).at;
}

Crowd::Time Crowd::join_at_once(const Host& to, int count) {
  size_ += count;
  return ask(control_, {Command::Kind::join_at_once, parsed(to.underlay_address()), count}).at;
}

Crowd::Seen Crowd::seen() {
  return ask(control_, {}).seen;
}

}  // namespace wesher::netns
