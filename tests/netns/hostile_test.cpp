// What a host that holds the cluster key, or none, sends to a running daemon: it stays up, its
// members stay configured, its memory and its log stay small.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/key.h"
#include "base/random.h"
#include "netns/support/inside.h"
#include "netns/support/rig.h"
#include "wire/keyring.h"
#include "wire/packet.h"

namespace wesher::netns {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kGossipPort = 7946;

sockaddr_in address_of(const Host& host) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kGossipPort);
  REQUIRE(inet_pton(AF_INET, host.underlay_address().c_str(), &to.sin_addr) == 1);
  return to;
}

/// A host without a daemon that says what it likes.
class Attacker {
 public:
  Attacker(const Host& home, const std::string& key) : home_(home) {
    REQUIRE(ring_.add(*from_base64(key)));
    inside_network(home.network_namespace(), [&] { udp_ = socket(AF_INET, SOCK_DGRAM, 0); });
    REQUIRE(udp_ >= 0);
  }

  ~Attacker() { close(udp_); }

  Attacker(const Attacker&) = delete;
  Attacker& operator=(const Attacker&) = delete;

  void send(const Host& to, const Bytes& datagram) {
    const sockaddr_in target = address_of(to);
    (void)sendto(udp_, datagram.data(), datagram.size(), 0,
                 reinterpret_cast<const sockaddr*>(&target), sizeof target);
  }

  /// Sealed with the cluster key, whatever it is.
  void send_sealed(const Host& to, const Bytes& plain) {
    send(to, wire::seal_packet(ring_, plain, rng_));
  }

  /// The same in a stream frame, which is then left open for a moment.
  void stream_sealed(const Host& to, const Bytes& plain) {
    Bytes frame{static_cast<std::uint8_t>(wire::MessageType::encrypt)};
    const auto length = static_cast<std::uint32_t>(plain.size() + wire::kSealOverhead);
    for (const int shift : {24, 16, 8, 0})
      frame.push_back(static_cast<std::uint8_t>(length >> static_cast<unsigned>(shift)));
    const Bytes header = frame;
    REQUIRE(ring_.seal_to(frame, plain, header, rng_));
    const int fd = connect_to(to);
    (void)::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL);
    streams_.push_back(fd);
  }

  /// A stream that announces the largest frame and goes no further.
  void half_open(const Host& to) {
    const int fd = connect_to(to);
    const Bytes start{static_cast<std::uint8_t>(wire::MessageType::encrypt), 0, 0x70, 0, 0, 1};
    (void)::send(fd, start.data(), start.size(), MSG_NOSIGNAL);
    streams_.push_back(fd);
  }

  void hang_up() {
    for (const int fd : streams_)
      close(fd);
    streams_.clear();
  }

  [[nodiscard]] Bytes junk(std::size_t size) {
    Bytes bytes(size);
    rng_.fill(bytes);
    return bytes;
  }

 private:
  int connect_to(const Host& to) const {
    int fd = -1;
    inside_network(home_.network_namespace(), [&] { fd = socket(AF_INET, SOCK_STREAM, 0); });
    REQUIRE(fd >= 0);
    const timeval patience{0, 200000};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const sockaddr_in target = address_of(to);
    (void)connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target);
    return fd;
  }

  const Host& home_;
  wire::Keyring ring_;
  Rng rng_ = Rng::from_number(11);
  int udp_ = -1;
  std::vector<int> streams_;
};

long resident_kib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  std::string word;
  long value = 0;
  while (file >> word) {
    if (word == "VmRSS:") file >> value;
  }
  return value;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Plain contents that end Go nodes, or cost them dear. An empty one, which our own code refuses to
/// seal, is in the tests of wire/.
std::vector<Bytes> poison() {
  const auto type = [](wire::MessageType t) { return static_cast<std::uint8_t>(t); };
  std::vector<Bytes> all;
  // Push/pull whose header announces -1 members; user state of 2^45 bytes.
  Bytes negative{type(wire::MessageType::push_pull), 0x83, 0xa5};
  for (const char c : std::string("Nodes"))
    negative.push_back(static_cast<std::uint8_t>(c));
  negative.push_back(0xff);
  all.push_back(negative);
  Bytes user{type(wire::MessageType::user), 0x81, 0xaa};
  for (const char c : std::string("UserMsgLen"))
    user.push_back(static_cast<std::uint8_t>(c));
  user.insert(user.end(), {0xcf, 0, 0, 0x20, 0, 0, 0, 0, 0});
  all.push_back(user);
  // Compounds that promise more parts than they have; maps and arrays of 4 billion entries.
  all.push_back({type(wire::MessageType::compound), 255, 0, 1});
  all.push_back({type(wire::MessageType::alive), 0xdf, 0xff, 0xff, 0xff, 0xff});
  all.push_back({type(wire::MessageType::alive), 0xdd, 0xff, 0xff, 0xff, 0xff});
  all.push_back(Bytes(1200, 0x91));
  // A kilobyte that becomes megabytes, and that again.
  const Bytes zeros(8U << 20U, 0);
  const Bytes bomb = wire::add_compression(zeros);
  all.push_back(bomb);
  all.push_back(wire::add_compression(bomb));
  all.push_back({type(wire::MessageType::crc), 0, 0, 0, 0});
  return all;
}

}  // namespace

TEST_CASE("a forged goodbye or death of a member cuts no tunnel") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Attacker attacker(rig.host(3), rig.key());
  Host& n1 = rig.host(1);
  const auto before = n1.device();
  REQUIRE(before);
  for (const char* from : {"n2", "n1"}) {
    const std::vector<Bytes> forged{wire::encode(wire::Dead{500000, "n2", from})};
    const Bytes plain = wire::pack(forged);
    attacker.send_sealed(n1, plain);
    rig.require_soon("n1 holds n2 alive", 5s, [&] {
      const auto device = n1.device();
      REQUIRE(device);
      REQUIRE(device->peers.size() == 1);
      REQUIRE(device->peers[0].public_key == before->peers[0].public_key);
      return n1.member_state("n2") == "alive";
    });
    REQUIRE(n1.pings("n2"));
  }
  REQUIRE(n1.wesher({"history"}).out.find("left") == std::string::npos);
}

TEST_CASE("crash frames and bombs and junk and half open streams leave a daemon as it is",
          "[input]") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Host& n1 = rig.host(1);
  const long before = resident_kib(n1.daemon().pid());
  const std::size_t lines_before = lines_of(n1.daemon_err());
  Attacker attacker(rig.host(3), rig.key());
  for (const Bytes& plain : poison()) {
    attacker.send_sealed(n1, plain);
    attacker.stream_sealed(n1, plain);
    attacker.hang_up();
  }
  // Padding that is none, under the old encryption version.
  attacker.send(n1, [&] {
    Bytes old = attacker.junk(45);
    old[0] = 0;
    return old;
  }());
  for (std::size_t i = 0; i < 20000; ++i)
    attacker.send(n1, attacker.junk(1 + i % 1400));
  for (std::size_t i = 0; i < 5000; ++i)
    attacker.send_sealed(n1, attacker.junk(1 + i % 300));
  // Ten thousand, two hundred at a time.
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 200; ++i)
      attacker.half_open(n1);
    attacker.hang_up();
  }
  REQUIRE(n1.daemon().running());
  rig.require_soon("n1 and n2 hold each other alive", 30s, [&] {
    return n1.member_state("n2") == "alive" && rig.host(2).member_state("n1") == "alive";
  });
  REQUIRE(n1.pings("n2"));
  REQUIRE(n1.device()->peers.size() == 1);
  CHECK(resident_kib(n1.daemon().pid()) < before + (96L << 10));
  CHECK(lines_of(n1.daemon_err()) < lines_before + 60);
  // Somebody who really joins is let in.
  rig.start(3);
  rig.require_mesh();
}

}  // namespace wesher::netns
