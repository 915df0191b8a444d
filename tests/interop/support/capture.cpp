#include "interop/support/capture.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns/support/process.h"

namespace wesher::interop {

namespace {

constexpr int kRoom = 64 << 20;  // a whole scenario's gossip
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint8_t kFin = 1;
constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kAck = 16;

std::string address_text(int family, ByteView bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family, bytes.data(), text, sizeof text);
  return text;
}

std::vector<nlohmann::json> run_wire_dump(const std::string& cluster_key,
                                          const std::vector<std::string>& options,
                                          const std::string& input) {
  std::vector<std::string> argv{WIRE_DUMP};
  argv.insert(argv.end(), options.begin(), options.end());
  netns::SpawnOptions spawn;
  spawn.environment = {"WESHER_CLUSTER_KEY=" + cluster_key};
  const netns::Output output = netns::run(argv, spawn, input);
  std::vector<nlohmann::json> objects;
  std::string errors = output.err;
  std::istringstream in(output.out);
  for (std::string line; std::getline(in, line);) {
    objects.push_back(nlohmann::json::parse(line));
    if (objects.back().contains("error")) errors += line + "\n";
  }
  INFO(errors);
  REQUIRE(output.exit_code == 0);
  return objects;
}

}  // namespace

Capture::Capture(const netns::Host& host, std::uint16_t port) : port_(port) {
  socket_ = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
  sockaddr_ll on{};
  on.sll_family = AF_PACKET;
  on.sll_protocol = htons(ETH_P_ALL);
  on.sll_ifindex = static_cast<int>(::if_nametoindex(host.port().c_str()));
  if (socket_ < 0 || on.sll_ifindex == 0 ||
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom) != 0 ||
      ::bind(socket_, reinterpret_cast<const sockaddr*>(&on), sizeof on) != 0)
    throw std::runtime_error("cannot capture on " + host.port());
}

Capture::~Capture() {
  if (socket_ >= 0) ::close(socket_);
}

const std::vector<CapturedPacket>& Capture::packets() {
  drain();
  return packets_;
}

std::vector<CapturedStream> Capture::streams() {
  drain();
  std::vector<CapturedStream> out;
  for (const std::string& name : order_) {
    Direction& direction = directions_.at(name);
    CapturedStream stream = direction.stream;
    for (const auto& [offset, bytes] : direction.pieces) {
      if (offset > stream.bytes.size()) break;
      const std::size_t known = stream.bytes.size() - offset;
      if (known < bytes.size())
        stream.bytes.insert(stream.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(known),
                            bytes.end());
    }
    if (!stream.bytes.empty()) out.push_back(std::move(stream));
  }
  return out;
}

void Capture::drain() {
  Bytes buffer(1 << 17);
  for (;;) {
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (size < 0) break;
    take(ByteView(buffer).first(static_cast<std::size_t>(size)));
  }
  tpacket_stats stats{};
  socklen_t length = sizeof stats;
  REQUIRE(::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0);
  REQUIRE(stats.tp_drops == 0);
}

void Capture::take(ByteView packet) {
  if (packet.size() < 20) return;
  const unsigned version = packet[0] >> 4U;
  std::string from;
  std::string to;
  std::uint8_t protocol = 0;
  ByteView body;
  if (version == 4) {
    const std::size_t header = (packet[0] & 15U) * 4U;
    const std::size_t total = static_cast<std::size_t>(packet[2]) << 8U | packet[3];
    if (total < header || total > packet.size()) return;
    from = address_text(AF_INET, packet.subspan(12, 4));
    to = address_text(AF_INET, packet.subspan(16, 4));
    protocol = packet[9];
    body = packet.first(total).subspan(header);
  } else if (version == 6 && packet.size() >= 40) {
    from = address_text(AF_INET6, packet.subspan(8, 16));
    to = address_text(AF_INET6, packet.subspan(24, 16));
    protocol = packet[6];
    body = packet.subspan(40);
  } else {
    return;
  }
  if (protocol == IPPROTO_UDP) take_udp(from, to, body);
  if (protocol == IPPROTO_TCP) take_tcp(from, to, body);
}

void Capture::take_udp(const std::string& from, const std::string& to, ByteView datagram) {
  ByteReader reader(datagram);
  CapturedPacket packet{from, to, reader.u16(), reader.u16(), {}};
  const std::size_t length = reader.u16();
  if (!reader.ok() || (packet.from_port != port_ && packet.to_port != port_)) return;
  if (length < kUdpHeader || length > datagram.size()) return;
  const ByteView payload = datagram.first(length).subspan(kUdpHeader);
  packet.payload.assign(payload.begin(), payload.end());
  packets_.push_back(std::move(packet));
}

void Capture::take_tcp(const std::string& from, const std::string& to, ByteView segment) {
  ByteReader reader(segment);
  const std::uint16_t from_port = reader.u16();
  const std::uint16_t to_port = reader.u16();
  std::uint32_t sequence = reader.u32();
  reader.u32();
  const std::size_t header = (reader.u8() >> 4U) * 4U;
  const std::uint8_t flags = reader.u8();
  if (!reader.ok() || header > segment.size() || (from_port != port_ && to_port != port_)) return;
  std::string name = from + " " + std::to_string(from_port) + " " + to + " " +
                     std::to_string(to_port);
  const bool syn = (flags & kSyn) != 0;
  // A pair of ports that is used again is another connection.
  if (syn && directions_.contains(name) && directions_.at(name).first != sequence + 1) {
    const std::string old = name + " #" + std::to_string(order_.size());
    directions_[old] = directions_.at(name);
    std::replace(order_.begin(), order_.end(), name, old);
    directions_.erase(name);
  }
  if (!directions_.contains(name)) {
    directions_[name].stream = {from, to, to_port == port_, false, {}};
    order_.push_back(name);
  }
  Direction& direction = directions_.at(name);
  if (syn) {
    direction.first = sequence + 1;
    direction.known_first = true;
    direction.stream.initiator = (flags & kAck) == 0;
  }
  direction.stream.ended |= (flags & kFin) != 0;
  const ByteView data = segment.subspan(header);
  if (!direction.known_first || data.empty()) return;
  Bytes& piece = direction.pieces[sequence - direction.first];
  if (piece.size() < data.size()) piece.assign(data.begin(), data.end());
}

std::vector<nlohmann::json> dump_packets(const std::string& cluster_key,
                                         const std::vector<Bytes>& datagrams) {
  std::string input;
  for (const Bytes& datagram : datagrams)
    input += to_hex(datagram) + "\n";
  return run_wire_dump(cluster_key, {}, input);
}

std::vector<nlohmann::json> dump_streams(const std::string& cluster_key,
                                         const std::vector<Bytes>& streams) {
  std::string input;
  for (const Bytes& stream : streams)
    input += to_hex(stream) + "\n\n";
  return run_wire_dump(cluster_key, {"--stream"}, input);
}

}  // namespace wesher::interop
