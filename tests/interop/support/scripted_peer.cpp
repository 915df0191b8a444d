#include "interop/support/scripted_peer.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/key.h"
#include "netns/support/inside.h"
#include "netns/support/names.h"
#include "wire/node_meta.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::interop {

using netns::Host;

namespace {

constexpr std::uint16_t kGossipPort = 7946;
constexpr int kLookMs = 50;  ///< how soon its thread notices that the scenario is over
constexpr timeval kPatience{10, 0};

sockaddr_in place(const std::string& address, std::uint16_t port) {
  sockaddr_in all{};
  all.sin_family = AF_INET;
  all.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &all.sin_addr);
  return all;
}

int listening(int type, const sockaddr_in& at) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  const int on = 1;  // as Go's listeners: connections that linger keep nobody from the port
  if (type == SOCK_STREAM) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  if (type == SOCK_STREAM) REQUIRE(::listen(fd, 16) == 0);
  return fd;
}

Bytes read_frame(int fd) {
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  wire::FrameReader reader(20U << 20U);
  std::array<std::uint8_t, 16384> chunk{};
  while (!reader.complete()) {
    const ssize_t n = ::recv(fd, chunk.data(), chunk.size(), 0);
    if (n <= 0 || !reader.feed(ByteView(chunk).first(static_cast<std::size_t>(n)))) return {};
  }
  return {reader.frame().begin(), reader.frame().end()};
}

Bytes bytes_of(const std::string& address) {
  const IpAddress parsed = *IpAddress::parse(address);
  return {parsed.bytes().begin(), parsed.bytes().end()};
}

/// Counts of 128 and more as go-msgpack 1.1.5 and later write them: signed.
void sign_count(Bytes& push_pull, std::size_t count) {
  const auto low = static_cast<std::uint8_t>(count);
  const Bytes before{0xa5, 'N', 'o', 'd', 'e', 's', 0xcc, low};
  const auto at = std::search(push_pull.begin(), push_pull.end(), before.begin(), before.end());
  REQUIRE(at != push_pull.end());
  const Bytes after{0xa5, 'N', 'o', 'd', 'e', 's', 0xd1, 0, low};
  const auto end = push_pull.erase(at, at + static_cast<std::ptrdiff_t>(before.size()));
  push_pull.insert(end, after.begin(), after.end());
}

}  // namespace

ScriptedPeer::ScriptedPeer(const Host& home,
                           const std::string& cluster_key,
                           Release release,
                           const std::optional<Likeness>& likeness)
    : home_(home), release_(release), name_(release == Release::v0_1_4 ? "old" : "new") {
  REQUIRE(ring_.add(*from_base64(cluster_key)));
  change_key();
  overlay_ = netns::wanted_address(name_, "10.0.0.0/8");
  if (likeness) {
    name_ = likeness->name;
    overlay_ = likeness->overlay;
    public_key_ = PublicKey::parse(likeness->key).value().bytes();
    mapped_ = true;
  }
  const sockaddr_in at = place(home.underlay_address(), kGossipPort);
  netns::inside_network(home.network_namespace(), [&] {
    udp_ = listening(SOCK_DGRAM, at);
    tcp_ = listening(SOCK_STREAM, at);
  });
  thread_ = std::thread([this] { serve(); });
}

ScriptedPeer::~ScriptedPeer() {
  over_ = true;
  thread_.join();
  // Processes that were forked meanwhile have them too.
  ::shutdown(tcp_, SHUT_RDWR);
  ::close(udp_);
  ::close(tcp_);
}

std::string ScriptedPeer::key() const {
  const std::lock_guard hold(lock_);
  return to_base64(public_key_);
}

void ScriptedPeer::change_key() {
  const std::lock_guard hold(lock_);
  rng_.fill(public_key_);
  ++incarnation_;
}

wire::Alive ScriptedPeer::alive() const {
  const std::lock_guard hold(lock_);
  wire::Alive alive;
  alive.node = name_;
  alive.incarnation = incarnation_;
  alive.address = bytes_of(home_.underlay_address());
  if (mapped_) {
    const Bytes prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    alive.address.insert(alive.address.begin(), prefix.begin(), prefix.end());
  }
  alive.port = kGossipPort;
  alive.versions.assign(wire::kOwnVersions.begin(), wire::kOwnVersions.end());
  alive.meta =
      wire::encode_node_meta({*IpAddress::parse(overlay_), PublicKey(public_key_),
                              release_ == Release::v0_1_4 ? MetaFormat::f2 : MetaFormat::f3});
  return alive;
}

wire::Dead ScriptedPeer::goodbye() const {
  return {alive().incarnation, name_, release_ == Release::v0_1_4 ? "" : name_};
}

wire::Ping ScriptedPeer::ping(std::uint32_t sequence,
                              const Host& target,
                              std::uint16_t source_port) const {
  wire::Ping ping{sequence, target.name(), {}};
  if (release_ == Release::v0_5_1)
    ping.source = {bytes_of(home_.underlay_address()), source_port, name_};
  return ping;
}

wire::IndirectPing ScriptedPeer::indirect_ping(std::uint32_t sequence, const Host& target) const {
  wire::IndirectPing request;
  request.sequence = sequence;
  request.target = bytes_of(target.underlay_address());
  request.port = kGossipPort;
  request.node = target.name();
  request.nack = true;
  if (release_ == Release::v0_5_1)
    request.source = {bytes_of(home_.underlay_address()), kGossipPort, name_};
  return request;
}

wire::PushPull ScriptedPeer::table(bool join, std::size_t dead) const {
  const wire::Alive self = alive();
  wire::PushPullEntry entry;
  entry.name = self.node;
  entry.address = self.address;
  entry.port = self.port;
  entry.meta = self.meta;
  entry.nil_meta = false;
  entry.incarnation = self.incarnation;
  entry.versions = self.versions;
  wire::PushPull content{join, {entry}, {}};
  entry.state = static_cast<std::uint8_t>(wire::EntryState::dead);
  for (std::size_t i = 0; i < dead; ++i) {
    entry.name = "gone-" + std::to_string(i);
    content.entries.push_back(entry);
  }
  return content;
}

Bytes ScriptedPeer::frame(const wire::PushPull& content) {
  Bytes plain = wire::encode_stream(content);
  if (release_ == Release::v0_5_1 && content.entries.size() >= 128)
    sign_count(plain, content.entries.size());
  const std::lock_guard hold(lock_);
  return wire::seal_frame(ring_, wire::add_compression(plain), rng_);
}

wire::PushPull ScriptedPeer::join(const Host& to, std::size_t dead) {
  const Bytes request = frame(table(true, dead));
  int fd = -1;
  netns::inside_network(home_.network_namespace(),
                        [&] { fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); });
  REQUIRE(fd >= 0);
  const sockaddr_in target = place(to.underlay_address(), kGossipPort);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0);
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  const Bytes reply = read_frame(fd);
  ::close(fd);
  const auto message = wire::open_frame(ring_, reply);
  REQUIRE(message);
  return std::get<wire::PushPull>(*message);
}

void ScriptedPeer::send(const std::string& address, std::uint16_t port, const Bytes& plain) {
  const sockaddr_in target = place(address, port);
  const std::lock_guard hold(lock_);
  const Bytes datagram = wire::seal_packet(ring_, plain, rng_);
  (void)::sendto(udp_, datagram.data(), datagram.size(), 0,
                 reinterpret_cast<const sockaddr*>(&target), sizeof target);
}

void ScriptedPeer::gossip(const Host& to, const std::vector<wire::PacketMessage>& messages) {
  std::vector<Bytes> parts;
  for (const wire::PacketMessage& message : messages)
    parts.push_back(wire::encode(message));
  Bytes plain = wire::pack(parts);
  if (release_ == Release::v0_5_1) plain = wire::add_crc(wire::add_compression(plain));
  send(to.underlay_address(), kGossipPort, plain);
}

void ScriptedPeer::say(const Host& to, const wire::PacketMessage& message) {
  send(to.underlay_address(), kGossipPort, wire::encode(message));
}

std::vector<ScriptedPeer::Heard> ScriptedPeer::heard() {
  const std::lock_guard hold(lock_);
  return heard_;
}

void ScriptedPeer::serve() {
  std::array<pollfd, 2> all{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
  while (!over_) {
    if (::poll(all.data(), all.size(), kLookMs) <= 0) continue;
    if (all[0].revents != 0) receive();
    if (all[1].revents != 0) answer_stream();
  }
}

void ScriptedPeer::receive() {
  std::array<std::uint8_t, 65536> buffer{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t n =
      ::recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n <= 0 || silent_) return;
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
  const auto opened = wire::open_packet(ring_, ByteView(buffer).first(static_cast<std::size_t>(n)));
  for (const wire::PacketMessage& message : opened.messages) {
    {
      const std::lock_guard hold(lock_);
      heard_.push_back({ntohs(from.sin_port), text.data(), message});
    }
    // To the sender of the datagram, which is what 0.1.4 knows, and 0.5.1 where no source is given.
    const auto* ping = std::get_if<wire::Ping>(&message);
    if (ping != nullptr)
      send(text.data(), ntohs(from.sin_port), wire::encode(wire::Ack{ping->sequence, {}, true}));
  }
}

void ScriptedPeer::answer_stream() {
  const int fd = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (!silent_) {
    const auto request = wire::open_frame(ring_, read_frame(fd));
    Bytes reply;
    if (request && std::holds_alternative<wire::PushPull>(*request)) reply = frame(table(false, 0));
    (void)::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  }
  ::close(fd);
}

}  // namespace wesher::interop
