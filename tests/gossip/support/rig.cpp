#include "tests/gossip/support/rig.h"

#include <catch2/catch.hpp>

#include "tests/gossip/support/conformance.h"

namespace wesher::gossip::testing {

wire::Keyring test_keyring(std::uint8_t fill) {
  wire::Keyring keyring;
  const Bytes key(32, fill);
  REQUIRE(keyring.add(key));
  return keyring;
}

Endpoint peer(std::uint8_t host, std::uint16_t port) {
  return {IpAddress::v4(10, 0, 0, host), port};
}

std::string name_of(std::uint8_t host) {
  return "n" + std::to_string(host);
}

wire::Alive alive(std::uint8_t host, std::uint32_t incarnation, Bytes meta) {
  return {incarnation,     name_of(host), {10, 0, 0, host},  7946,
          std::move(meta), false,         {1, 5, 2, 0, 0, 0}};
}

wire::PushPullEntry entry(std::uint8_t host, std::uint32_t incarnation, wire::EntryState state) {
  return {name_of(host),
          {10, 0, 0, host},
          7946,
          {1, 2},
          false,
          incarnation,
          static_cast<std::uint8_t>(state),
          {1, 5, 2, 0, 0, 0}};
}

Config own_config() {
  Config config;
  config.name = own_name;
  config.address = {10, 0, 0, 200};
  config.meta = {9};
  return config;
}

Rig::Rig(Config config, Admission* admission, std::uint64_t seed)
    : keyring(test_keyring()),
      rng(Rng::from_number(seed + 1000)),
      node(std::move(config), test_keyring(), Rng::from_number(seed), admission, now) {}

Rig& Rig::announced() {
  node.announce(now);
  clear();
  return *this;
}

Rig& Rig::with_members(std::vector<std::uint8_t> hosts) {
  std::vector<wire::PacketMessage> messages;
  messages.reserve(hosts.size());
  for (const std::uint8_t host : hosts)
    messages.emplace_back(alive(host, 1));
  hear(peer(hosts.front()), messages);
  clear();
  return *this;
}

Bytes Rig::seal(const std::vector<wire::PacketMessage>& messages) {
  std::vector<Bytes> parts;
  parts.reserve(messages.size());
  for (const wire::PacketMessage& message : messages)
    parts.push_back(wire::encode(message));
  return wire::seal_packet(keyring, wire::pack(parts), rng);
}

Bytes Rig::seal_stream(const wire::StreamMessage& message) {
  return wire::seal_frame(keyring, wire::encode_stream(message), rng);
}

wire::StreamMessage Rig::open_stream(ByteView frame) const {
  auto message = wire::open_frame(keyring, frame);
  REQUIRE(message);
  return *message;
}

void Rig::hear(const Endpoint& from, const std::vector<wire::PacketMessage>& messages) {
  node.handle_packet(from, seal(messages), now);
  drain();
}

void Rig::advance(Duration duration) {
  const Instant until = now + duration;
  for (auto wakeup = node.poll_timeout(); wakeup && wakeup->at <= until;
       wakeup = node.poll_timeout()) {
    now = std::max(now, wakeup->at);
    node.handle_timeout(now);
    drain();
    const auto again = node.poll_timeout();
    REQUIRE((!again || again->at > now));
  }
  now = until;
}

std::vector<StreamRequest> Rig::push_pulls_within(Duration span) {
  clear();
  advance(span);
  std::vector<StreamRequest> found;
  for (const StreamRequest& one : streams) {
    if (std::holds_alternative<wire::PushPull>(open_stream(one.frame))) found.push_back(one);
  }
  return found;
}

void Rig::drain() {
  while (auto transmit = node.poll_transmit()) {
    REQUIRE_THAT(complaint(keyring, transmit->datagram), Catch::Equals(std::string{}));
    ++datagrams;
    for (wire::PacketMessage& message : wire::open_packet(keyring, transmit->datagram).messages)
      sent.push_back({now, transmit->to, std::move(message)});
  }
  while (auto stream = node.poll_stream()) {
    REQUIRE_THAT(complaint_about_frame(keyring, stream->frame), Catch::Equals(std::string{}));
    streams.push_back(std::move(*stream));
  }
  while (auto event = node.poll_event())
    events.push_back(std::move(*event));
}

void Rig::clear() {
  drain();
  sent.clear();
  datagrams = 0;
  streams.clear();
  events.clear();
}

}  // namespace wesher::gossip::testing
