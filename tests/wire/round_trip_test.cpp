// Properties over random messages: whatever we write we read back, through every layer that we or a
// Go node may put around it.
#include <algorithm>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/wire/support/samples.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::wire {

namespace {

/// Random messages within the limits, borders likelier than by chance.
class MessageSource {
 public:
  explicit MessageSource(std::uint64_t seed) : rng_(Rng::from_number(seed)) {}

  PacketMessage packet_message() {
    switch (rng_.below(8)) {
      case 0:
        return ping();
      case 1:
        return IndirectPing{number(), address(), port(), name(), flag(), source()};
      case 2:
        return ack();
      case 3:
        return Nack{number()};
      case 4:
        return Suspect{number(), name(), name()};
      case 5:
        return Dead{number(), name(), name()};
      case 6:
        return User{bytes(1000)};
      default:
        break;
    }
    const Bytes meta = bytes(limits::kMetaBytes);
    return Alive{number(), name(), address(), port(), meta, meta.empty() && flag(), versions()};
  }

  StreamMessage stream_message() {
    switch (rng_.below(5)) {
      case 0:
        return ping();
      case 1:
        return ack();
      case 2:
        return User{bytes(limits::kUserMessageBytes)};
      case 3:
        return ErrorReply{name()};
      default:
        break;
    }
    PushPull table{flag(), {}, bytes(1000)};
    for (std::uint64_t left = rng_.below(200); left > 0; --left) {
      const Bytes meta = bytes(limits::kMetaBytes);
      table.entries.push_back({name(), address(), port(), meta, meta.empty() && flag(), number(),
                               static_cast<std::uint8_t>(rng_.below(256)), versions()});
    }
    return table;
  }

  bool flag() { return rng_.below(2) == 1; }

  Rng& rng() { return rng_; }

 private:
  Ping ping() { return {number(), name(), source()}; }

  Ack ack() {
    const Bytes payload = bytes(300);
    return {number(), payload, payload.empty() && flag()};
  }

  /// Any width: up to 32 bits are kept of a random number.
  std::uint32_t number() { return rng_.u32() >> rng_.below(32); }

  std::uint16_t port() { return static_cast<std::uint16_t>(number()); }

  Bytes bytes(std::size_t max) {
    if (rng_.below(4) == 0) return {};
    Bytes out(rng_.below(8) == 0 ? max : rng_.below(max + 1));
    rng_.fill(out);
    return out;
  }

  std::string name() { return std::string(as_text(bytes(limits::kNameBytes))); }

  Bytes address() {
    Bytes out(flag() ? 4 : 16);
    rng_.fill(out);
    return out;
  }

  Source source() {
    if (flag()) return {};
    return {address(), port(), name()};
  }

  static Bytes versions() { return {kOwnVersions.begin(), kOwnVersions.end()}; }

  Rng rng_;
};

}  // namespace

TEST_CASE("every message that is written is read back") {
  MessageSource random(21);
  for (int i = 0; i < 3000; ++i) {
    const PacketMessage message = random.packet_message();
    const Bytes bytes = encode(message);
    INFO(to_hex(bytes));
    CHECK(decode(bytes).value() == message);
  }
}

TEST_CASE("every packet that is made opens to the same messages") {
  MessageSource random(22);
  const Keyring ring = test::recorded_ring();
  for (int i = 0; i < 300; ++i) {
    std::vector<PacketMessage> messages;
    std::vector<Bytes> parts;
    for (std::uint64_t left = 1 + random.rng().below(30); left > 0; --left) {
      messages.push_back(random.packet_message());
      parts.push_back(encode(messages.back()));
    }
    Bytes plain = pack(parts);
    if (random.flag()) plain = add_compression(plain);
    if (random.flag()) plain = add_crc(plain);
    const OpenedPacket packet = open_packet(ring, seal_packet(ring, plain, random.rng()));
    CHECK(packet.messages == messages);
    CHECK(packet.fault == PacketFault::none);
  }
}

TEST_CASE("every frame that is made opens to the same message") {
  MessageSource random(23);
  const Keyring ring = test::recorded_ring();
  for (int i = 0; i < 200; ++i) {
    const StreamMessage message = random.stream_message();
    Bytes plain = encode_stream(message);
    if (random.flag()) plain = add_compression(plain);
    const Bytes frame = seal_frame(ring, plain, random.rng());
    FrameReader reader(limits::kFrameBytesStranger);
    for (std::size_t fed = 0; fed < frame.size();) {
      const std::size_t piece =
          std::min<std::size_t>(frame.size() - fed, 1 + random.rng().below(5000));
      REQUIRE(reader.feed(ByteView(frame).subspan(fed, piece)));
      fed += piece;
    }
    REQUIRE(reader.complete());
    CHECK(open_frame(ring, reader.frame()).value() == message);
  }
}

}  // namespace wesher::wire
