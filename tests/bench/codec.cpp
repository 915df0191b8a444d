// What our node pays for the operations of go/codec_test.go: the same datagrams and tables, no
// sockets. One line each: NAME NANOSECONDS.
//
//   bench_codec [ROUNDS [NAME]]        only the operations whose name begins with NAME
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "gossip/node.h"
#include "gossip/outbox.h"
#include "wire/compression.h"
#include "wire/messages.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace {

using namespace wesher;
constexpr std::size_t kTable = 10000;
const Endpoint kPeer{*IpAddress::from_bytes(Bytes{10, 0, 0, 2}), 7946};

wire::Keyring keyring() {
  wire::Keyring ring;
  (void)ring.add(Bytes(32));
  return ring;
}

gossip::Config config() {
  gossip::Config config;
  config.name = "node-a";
  config.address = {10, 0, 0, 1};
  return config;
}

std::string name_of(std::size_t i) {
  std::string digits = std::to_string(i);
  return "node-" + std::string(5 - digits.size(), '0') + digits;
}

wire::Alive alive_of(std::size_t i) {
  wire::Alive alive;
  alive.incarnation = 3;
  alive.node = name_of(i);
  alive.address = {10, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
  alive.port = 7946;
  alive.meta = Bytes(151);
  alive.versions = {1, 5, 2, 0, 0, 0};
  return alive;
}

wire::PushPull table() {
  wire::PushPull content;
  for (std::size_t i = 0; i < kTable; ++i)
    content.entries.push_back(wire::entry_of(alive_of(i)));
  return content;
}

void drain(gossip::Node& node) {
  while (node.poll_transmit()) {
  }
  while (node.poll_event()) {
  }
}

/// Nanoseconds of processor time of this process: wall time says little on a machine that does
/// other things too.
double processor() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
}

std::string wanted;  // NOLINT: a tool

void report(const char* name, std::size_t rounds, const std::function<void(std::size_t)>& one) {
  if (std::string(name).compare(0, wanted.size(), wanted) != 0) return;
  const double from = processor();
  for (std::size_t i = 0; i < rounds; ++i)
    one(i);
  std::printf("%s %.0f\n", name, (processor() - from) / static_cast<double>(rounds));
}

Bytes ping_to(const char* node, std::size_t i) {
  return wire::encode(wire::Ping{static_cast<std::uint32_t>(i), node, {}});
}

void sending(std::size_t rounds) {
  Rng rng = Rng::from_number(1);
  gossip::Outbox outbox(keyring(), rng);
  report("Ping", rounds, [&](std::size_t i) {
    const Bytes ping = ping_to("node-b", i);
    outbox.send(kPeer, {&ping, 1});
    (void)outbox.poll_transmit();
  });
  std::vector<Bytes> parts(1);
  for (std::size_t i = 0; i < 4; ++i)
    parts.push_back(wire::encode(alive_of(i)));
  report("Compound", rounds, [&](std::size_t i) {
    parts.front() = ping_to("node-b", i);
    outbox.send(kPeer, parts);
    (void)outbox.poll_transmit();
  });
}

gossip::Node announced_node(Instant now) {
  gossip::Node node(config(), keyring(), Rng::from_number(2), nullptr, now);
  node.announce(now);
  drain(node);
  return node;
}

/// Different datagrams, since a node that gets one twice drops it.
std::vector<Bytes> datagrams(std::size_t count, std::size_t alives) {
  const wire::Keyring ring = keyring();
  static Rng rng = Rng::from_number(3);
  std::vector<Bytes> parts(1);
  for (std::size_t i = 0; i < alives; ++i)
    parts.push_back(wire::encode(alive_of(i)));
  std::vector<Bytes> made;
  for (std::size_t i = 0; i < count; ++i) {
    parts.front() = ping_to("node-a", i);
    made.push_back(wire::seal_packet(ring, wire::pack(parts), rng));
  }
  return made;
}

void receiving(std::size_t rounds) {
  const Instant now{};
  gossip::Node node = announced_node(now);
  // The sender is a member: those of strangers are rationed.
  wire::Alive sender = alive_of(0);
  sender.node = "node-b";
  sender.address = {10, 0, 0, 2};
  Rng rng = Rng::from_number(5);
  node.handle_packet(kPeer, wire::seal_packet(keyring(), wire::encode(sender), rng), now);
  for (const Bytes& datagram : datagrams(1, 10))
    node.handle_packet(kPeer, datagram, now);
  // What is gossiped on goes out before the measurement, as the peer's queue is emptied too.
  for (int i = 0; i < 100; ++i)
    node.handle_packet(kPeer, datagrams(1, 0).front(), now);
  drain(node);
  for (const auto& [what, alives] : {std::pair{"PingAck", 0}, {"CompoundReceived", 4}}) {
    const std::vector<Bytes> in = datagrams(rounds, static_cast<std::size_t>(alives));
    std::size_t answers = 0;
    report(what, rounds, [&](std::size_t i) {
      node.handle_packet(kPeer, in[i], now);
      while (node.poll_transmit())
        ++answers;
    });
    if (answers < rounds && answers > 0) std::fprintf(stderr, "%s: %zu answers\n", what, answers);
  }
}

void push_pull(std::size_t rounds) {
  const Instant now{};
  gossip::Node node = announced_node(now);
  const wire::Keyring ring = keyring();
  Rng rng = Rng::from_number(4);
  const Bytes plain = wire::encode_stream(table());
  const Bytes frame = wire::seal_frame(ring, plain, rng);
  const Bytes packed = wire::seal_frame(ring, wire::add_compression(plain), rng);
  std::size_t failed = 0;
  const auto merge = [&](const Bytes& answer) {
    node.probe_seed(kPeer, now);  // asks with an empty table
    const auto request = node.poll_stream();
    node.handle_reply(request->id, answer, now);
    while (const auto event = node.poll_event()) {
      const auto* result = std::get_if<gossip::ContactResult>(&*event);
      failed += result != nullptr && !result->ok ? 1 : 0;
    }
    while (node.poll_transmit()) {
    }
  };
  merge(frame);
  if (node.size() != kTable + 1) std::fprintf(stderr, "the table has %zu members\n", node.size());
  report("PushPullEncode10k", rounds, [&](std::size_t) {
    node.join(kPeer, now);
    const auto request = node.poll_stream();
    node.handle_stream_failed(request->id, "not sent", now);
    drain(node);
  });
  report("PushPullMerge10k", rounds, [&](std::size_t) { merge(packed); });
  report("PushPullMergePlain10k", rounds, [&](std::size_t) { merge(frame); });
  if (failed > 0) std::fprintf(stderr, "%zu push/pulls failed\n", failed);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20000;
  wanted = argc > 2 ? argv[2] : "";
  if (!wanted.starts_with("PushPull")) {
    sending(rounds);
    receiving(rounds);
  }
  push_pull(std::max<std::size_t>(rounds / 1000, 5));
  return 0;
}
