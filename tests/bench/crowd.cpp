// A seed that claims to be in a cluster of many: answers every push/pull with that many members,
// all of them at its own address, and every ping. For the memory that members take.
//
//   bench_crowd --port PORT --key HEX --members N
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/messages.h"
#include "wire/node_meta.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace {

using namespace wesher;

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

wire::PushPull crowd(std::size_t members, std::uint16_t port) {
  wire::PushPull content;
  for (std::size_t i = 0; i < members; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8U);
    const auto low = static_cast<std::uint8_t>(i & 0xffU);
    Bytes key(32, 9);
    key[0] = high;
    key[1] = low;
    wire::PushPullEntry entry;
    entry.name = "member-" + std::to_string(i);
    entry.address = {127, 0, 0, 1};
    entry.port = port;
    entry.incarnation = 3;
    entry.versions = {1, 5, 2, 0, 0, 0};
    entry.meta = wire::encode_node_meta({*IpAddress::from_bytes(Bytes{10, 2, high, low}),
                                         *PublicKey::from_bytes(key), MetaFormat::f2});
    content.entries.push_back(std::move(entry));
  }
  return content;
}

int listening(int type, std::uint16_t port) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      (type == SOCK_STREAM && ::listen(fd, 16) != 0)) {
    std::perror("bench_crowd");
    std::exit(1);
  }
  return fd;
}

bool read_all(int fd, std::uint8_t* to, std::size_t size) {
  for (std::size_t have = 0; have < size;) {
    const ssize_t n = ::read(fd, to + have, size - have);
    if (n <= 0) return false;
    have += static_cast<std::size_t>(n);
  }
  return true;
}

// Reads one frame, whatever it holds, and answers with the crowd.
void answer_stream(int fd, const Bytes& frame) {
  std::uint8_t head[5];
  if (!read_all(fd, head, sizeof head)) return;
  const std::size_t size = std::size_t{head[1]} << 24U | std::size_t{head[2]} << 16U |
                           std::size_t{head[3]} << 8U | head[4];
  Bytes body(std::min<std::size_t>(size, 64U << 20U));
  if (!read_all(fd, body.data(), body.size())) return;
  for (std::size_t sent = 0; sent < frame.size();) {
    const ssize_t n = ::write(fd, frame.data() + sent, frame.size() - sent);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

void answer_datagram(int fd, const wire::Keyring& ring, Rng& rng) {
  std::uint8_t buffer[65536];
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t n =
      ::recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n <= 0) return;
  const auto opened = wire::open_packet(ring, ByteView(buffer).first(static_cast<std::size_t>(n)));
  for (const wire::PacketMessage& message : opened.messages) {
    const auto* ping = std::get_if<wire::Ping>(&message);
    if (ping == nullptr) continue;
    const Bytes ack =
        wire::seal_packet(ring, wire::encode(wire::Ack{ping->sequence, {}, true}), rng);
    (void)::sendto(fd, ack.data(), ack.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2)
    options[argv[i]] = argv[i + 1];
  if (!options.contains("--port") || !options.contains("--key") || !options.contains("--members")) {
    std::fputs("bench_crowd --port PORT --key HEX --members N\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::stoul(options["--port"]));
  wire::Keyring ring;
  (void)ring.add(from_hex(options["--key"]));
  Rng rng = Rng::from_number(static_cast<std::uint64_t>(::getpid()));
  const Bytes frame = wire::seal_frame(
      ring, wire::encode_stream(crowd(std::stoul(options["--members"]), port)), rng);
  pollfd polled[] = {{listening(SOCK_STREAM, port), POLLIN, 0},
                     {listening(SOCK_DGRAM, port), POLLIN, 0}};
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    if (::poll(polled, 2, -1) < 0) return 0;
    if (polled[0].revents != 0) {
      const int fd = ::accept4(polled[0].fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        answer_stream(fd, frame);
        ::close(fd);
      }
    }
    if (polled[1].revents != 0) answer_datagram(polled[1].fd, ring, rng);
  }
}
