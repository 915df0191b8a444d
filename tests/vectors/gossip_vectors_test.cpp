// Every byte sequence recorded from memberlist v0.1.4 (wesher v0.2.6) and v0.5.1 (wesher HEAD), by
// layer. Each one is decoded and compared field by field, and built again from its inputs and
// compared byte for byte: single messages and compounds, LZW, CRC, AES-GCM under the recorded
// nonce, whole datagrams and whole streams. The recorded signed integers are all below 128, where
// the two versions write what we write; nothing is exempt. Plaintext datagrams and streams are
// checked below the encryption layer, and must be refused above it.
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/wire/support/samples.h"
#include "wire/compression.h"
#include "wire/messages.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::wire {

namespace {

using nlohmann::json;
using test::hex;
using Vectors = std::map<std::string, json>;

Vectors load(const std::string& name) {
  std::ifstream file(std::string(TEST_DATA) + "/vectors/" + name);
  REQUIRE(file);
  Vectors out;
  const json document = json::parse(file);
  for (const json& vector : document.at("vectors"))
    REQUIRE(out.emplace(vector.at("name").get<std::string>(), vector).second);
  return out;
}

Bytes expected(const json& vector) {
  return hex(vector.at("expected_hex").get<std::string>());
}

bool has_layer(const json& vector, std::string_view start) {
  return vector.at("layer").get<std::string>().starts_with(start);
}

std::string text_of(const json& inputs, const char* key) {
  return inputs.at(key).get<std::string>();
}

Bytes bytes_of(const json& inputs, const char* key) {
  return hex(text_of(inputs, key));
}

Bytes versions_of(const json& inputs) {
  return inputs.at("Vsn").get<Bytes>();
}

Source source_of(const json& inputs) {
  if (!inputs.contains("SourceAddr")) return {};
  return {bytes_of(inputs, "SourceAddr"), inputs.at("SourcePort"), inputs.at("SourceNode")};
}

/// The message that a vector's inputs describe; `recorded` only tells nil from empty, which the
/// inputs don't.
PacketMessage message_of(const json& vector) {
  const json& in = vector.at("inputs");
  switch (in.at("type").get<int>()) {
    case 0:
      return Ping{in.at("SeqNo"), in.at("Node"), source_of(in)};
    case 1:
      return IndirectPing{in.at("SeqNo"), bytes_of(in, "Target"), in.at("Port"),
                          in.at("Node"),  in.at("Nack"),          source_of(in)};
    case 2:
      if (in.at("Payload").is_null()) return Ack{in.at("SeqNo"), {}, true};
      return Ack{in.at("SeqNo"), bytes_of(in, "Payload"), false};
    case 3:
      return Suspect{in.at("Incarnation"), in.at("Node"), in.at("From")};
    case 4:
      return Alive{in.at("Incarnation"), in.at("Node"),
                   bytes_of(in, "Addr"), in.at("Port"),
                   bytes_of(in, "Meta"), vector.at("name") == "alive-v4-nilmeta",
                   versions_of(in)};
    case 5:
      return Dead{in.at("Incarnation"), in.at("Node"), in.at("From")};
    case 11:
      return Nack{in.at("SeqNo")};
    default:
      throw std::invalid_argument("a message type that has no case here");
  }
}

/// The input of a compression vector: given, or described in words.
Bytes plain_of(const json& inputs) {
  if (inputs.contains("plain")) return bytes_of(inputs, "plain");
  REQUIRE(text_of(inputs, "of") ==
          "'The quick brown fox jumps over the lazy dog. 0123456789 ' x120");
  Bytes out;
  for (int i = 0; i < 120; ++i)
    out = test::joined(out, as_bytes("The quick brown fox jumps over the lazy dog. 0123456789 "));
  return out;
}

/// The messages in a plaintext without CRC and compression.
std::vector<PacketMessage> messages_in(ByteView plain) {
  std::vector<PacketMessage> out;
  if (plain.front() != 7) {
    out.push_back(decode(plain).value());
    return out;
  }
  ByteReader reader(plain.subspan(1));
  std::vector<std::size_t> sizes(reader.u8());
  for (std::size_t& size : sizes)
    size = reader.u16();
  for (const std::size_t size : sizes)
    out.push_back(decode(reader.take(size)).value());
  REQUIRE(reader.left() == 0);
  return out;
}

/// Opens a datagram whose every part must be read.
std::vector<PacketMessage> opened(const Keyring& ring, ByteView datagram) {
  const OpenedPacket packet = open_packet(ring, datagram);
  CHECK(packet.authenticated);
  CHECK(packet.dropped == 0);
  CHECK(packet.fault == PacketFault::none);
  return packet.messages;
}

std::vector<PacketMessage> opened_plaintext(ByteView plain) {
  const Keyring ring = test::recorded_ring();
  return opened(ring, test::seal_version_1(ring, plain));
}

Bytes seal(const Keyring& ring, int version, ByteView plain, ByteView additional = {}) {
  return version == 0 ? test::seal_version_0(ring, plain, additional)
                      : test::seal_version_1(ring, plain, additional);
}

void check_message(const json& vector) {
  const Bytes recorded = expected(vector);
  if (vector.at("inputs").at("type") == 13) {
    const StreamMessage message = ErrorReply{text_of(vector.at("inputs"), "Error")};
    CHECK(decode_stream(recorded).value() == message);
    CHECK(to_hex(encode_stream(message)) == to_hex(recorded));
    return;
  }
  const PacketMessage message = message_of(vector);
  CHECK(decode(recorded).value() == message);
  CHECK(to_hex(encode(message)) == to_hex(recorded));
}

void check_datagram(const json& vector) {
  const json& in = vector.at("inputs");
  const Bytes recorded = expected(vector);
  Bytes plain = bytes_of(in, "plain");
  const auto messages = messages_in(plain);
  // A Go node compresses a datagram only where that makes it shorter.
  const Bytes compressed = add_compression(plain);
  if (in.at("compression_enabled") && compressed.size() < plain.size()) plain = compressed;
  if (in.at("receiver_pmax5_known")) plain = add_crc(plain);
  if (!in.at("encrypted")) {
    CHECK(to_hex(plain) == to_hex(recorded));
    CHECK(opened_plaintext(recorded) == messages);
    const OpenedPacket refused = open_packet(test::recorded_ring(), recorded);
    CHECK_FALSE(refused.authenticated);
    CHECK(refused.messages.empty());
    return;
  }
  REQUIRE(bytes_of(in, "nonce") == Bytes(test::kNonce.begin(), test::kNonce.end()));
  const Keyring ring = test::ring_of(bytes_of(in, "key"));
  CHECK(to_hex(seal(ring, in.at("encryption_version"), plain)) == to_hex(recorded));
  CHECK(opened(ring, recorded) == messages);
}

PushPull push_pull_of(const json& in) {
  PushPull table;
  table.join = in.at("join");
  table.user_state = bytes_of(in, "userState");
  for (const json& node : in.at("nodes")) {
    const Bytes meta = bytes_of(node, "Meta");
    table.entries.push_back({node.at("Name"), bytes_of(node, "Addr"), node.at("Port"), meta,
                             meta.empty(), node.at("Incarnation"), node.at("State"),
                             versions_of(node)});
  }
  return table;
}

/// Builds a stream from `message` as the recorded program was set up to, compares, and reads it.
void check_stream(const json& vector, const StreamMessage& message) {
  const json& in = vector.at("inputs");
  const Bytes recorded = expected(vector);
  Bytes plain = encode_stream(message);
  if (in.at("compression_enabled")) plain = add_compression(plain);
  std::size_t bad = 1;
  if (!in.at("encrypted")) {
    CHECK(to_hex(plain) == to_hex(recorded));
    CHECK(decode_stream(recorded, &bad).value() == message);
    CHECK(bad == 0);
    FrameReader reader(recorded.size());
    CHECK_FALSE(reader.feed(recorded));
    CHECK_FALSE(open_frame(test::recorded_ring(), recorded));
    return;
  }
  REQUIRE(bytes_of(in, "nonce") == Bytes(test::kNonce.begin(), test::kNonce.end()));
  const Keyring ring = test::ring_of(bytes_of(in, "key"));
  Bytes header = {10};
  ByteWriter(header).u32(static_cast<std::uint32_t>(plain.size() + kSealOverhead));
  CHECK(in.at("encryption_version") == 1);
  CHECK(to_hex(test::joined(header, seal(ring, 1, plain, header))) == to_hex(recorded));
  FrameReader reader(recorded.size());
  REQUIRE(reader.feed(recorded));
  REQUIRE(reader.complete());
  CHECK(open_frame(ring, reader.frame(), &bad).value() == message);
  CHECK(bad == 0);
}

void check_compound(const Vectors& all, const json& vector) {
  std::vector<Bytes> parts;
  std::vector<PacketMessage> messages;
  for (const json& part : vector.at("inputs").at("parts")) {
    parts.push_back(expected(all.at(part.get<std::string>())));
    messages.push_back(decode(parts.back()).value());
  }
  CHECK(to_hex(pack(parts)) == to_hex(expected(vector)));
  CHECK(opened_plaintext(expected(vector)) == messages);
}

void check_compression(const json& vector) {
  const Bytes plain = plain_of(vector.at("inputs"));
  const Bytes recorded = expected(vector);
  CHECK(to_hex(add_compression(plain)) == to_hex(recorded));
  CHECK(decompress_body(ByteView(recorded).subspan(1), plain.size()).value() == plain);
}

void check_crc(const json& vector) {
  const Bytes plain = bytes_of(vector.at("inputs"), "plain");
  CHECK(to_hex(add_crc(plain)) == to_hex(expected(vector)));
  CHECK(opened_plaintext(expected(vector)) == messages_in(plain));
}

void check_encryption(const json& vector) {
  const json& in = vector.at("inputs");
  const Keyring ring = test::ring_of(bytes_of(in, "key"));
  const Bytes plain = bytes_of(in, "plain");
  const Bytes aad = bytes_of(in, "aad");
  const int version = vector.at("name").get<std::string>().starts_with("encrypt-v0") ? 0 : 1;
  CHECK(to_hex(seal(ring, version, plain, aad)) == to_hex(expected(vector)));
  CHECK(ring.open(expected(vector), aad).value() == plain);
}

void check_label(const Vectors& all, const json& vector) {
  const std::string label = text_of(vector.at("inputs"), "label");
  const Bytes inner = expected(all.at(text_of(vector.at("inputs"), "of")));
  CHECK(to_hex(add_label(inner, label)) == to_hex(expected(vector)));
  const Keyring ring = test::recorded_ring();
  const OpenedPacket refused = open_packet(ring, expected(vector));
  CHECK(refused.fault == PacketFault::label);
  const Bytes sealed = add_label(test::seal_version_1(ring, inner, as_bytes(label)), label);
  CHECK(open_packet(ring, sealed, label).messages == std::vector{decode(inner).value()});
}

/// Checks one vector and says under which layer it was.
std::string check(const Vectors& all, const json& vector) {
  const json& in = vector.at("inputs");
  if (has_layer(vector, "message (type byte + msgpack)")) return check_message(vector), "message";
  if (has_layer(vector, "message (type byte + raw payload)")) {
    const PacketMessage message = User{bytes_of(in, "payload")};
    CHECK(decode(expected(vector)).value() == message);
    CHECK(to_hex(encode(message)) == to_hex(expected(vector)));
    return "user";
  }
  if (has_layer(vector, "compound")) return check_compound(all, vector), "compound";
  if (has_layer(vector, "compress")) return check_compression(vector), "compress";
  if (has_layer(vector, "hasCrc")) return check_crc(vector), "crc";
  if (has_layer(vector, "encryptPayload")) return check_encryption(vector), "encrypt";
  if (has_layer(vector, "hasLabel")) return check_label(all, vector), "label";
  if (has_layer(vector, "UDP datagram")) return check_datagram(vector), "datagram";
  if (has_layer(vector, "TCP stream as sendLocalState"))
    return check_stream(vector, push_pull_of(in)), "push/pull stream";
  if (has_layer(vector, "TCP stream as rawSendMsgStream"))
    return check_stream(vector, decode_stream(bytes_of(in, "plain")).value()), "message stream";
  if (has_layer(vector, "TCP user message"))
    return check_stream(vector, User{bytes_of(in, "payload")}), "user stream";
  FAIL("a layer that nobody checks: " << vector.at("layer"));
  return {};
}

std::map<std::string, int> check_all(const std::string& file) {
  const Vectors all = load(file);
  std::map<std::string, int> counts;
  for (const auto& [name, vector] : all) {
    INFO(file << ": " << name);
    ++counts[check(all, vector)];
  }
  return counts;
}

}  // namespace

TEST_CASE("all recorded bytes of memberlist v0.1.4 are read and written alike") {
  const std::map<std::string, int> expected_counts = {
      {"message", 21},    {"user", 1},           {"compound", 3},   {"compress", 6},
      {"crc", 2},         {"encrypt", 6},        {"datagram", 104}, {"push/pull stream", 32},
      {"user stream", 4}, {"message stream", 12}};
  CHECK(check_all("gossip-v0.2.6.json") == expected_counts);
}

TEST_CASE("all recorded bytes of memberlist v0.5.1 are read and written alike") {
  const std::map<std::string, int> expected_counts = {{"message", 23},    {"user", 1},
                                                      {"compound", 3},    {"compress", 6},
                                                      {"crc", 2},         {"encrypt", 6},
                                                      {"datagram", 104},  {"push/pull stream", 32},
                                                      {"user stream", 4}, {"message stream", 12},
                                                      {"label", 1}};
  CHECK(check_all("gossip-head.json") == expected_counts);
}

}  // namespace wesher::wire
