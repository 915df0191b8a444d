// Messages as values: the worked examples, what has no encoding, the limits of each field, and
// streams.
#include "wire/messages.h"

#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"
#include "wire/limits.h"
#include "wire/msgpack.h"
#include "wire/packet.h"

namespace wesher::wire {

namespace {

using test::hex;
using test::joined;

const Bytes kVersionBytes(kOwnVersions.begin(), kOwnVersions.end());

void both_ways(const PacketMessage& message, const std::string& bytes) {
  INFO(bytes);
  CHECK(to_hex(encode(message)) == bytes);
  CHECK(decode(hex(bytes)).value() == message);
}

void both_ways_on_stream(const StreamMessage& message, const std::string& bytes) {
  INFO(bytes);
  CHECK(to_hex(encode_stream(message)) == bytes);
  CHECK(decode_stream(hex(bytes)).value() == message);
}

PushPullEntry entry(const std::string& name, Bytes versions = kVersionBytes) {
  return {name, hex("0a000001"), 7946, {}, true, 1, 0, std::move(versions)};
}

PushPull table(std::vector<PushPullEntry> entries) {
  return {false, std::move(entries), {}};
}

/// A push/pull whose entries are given as bytes.
Bytes raw_table(const std::vector<Bytes>& entries, const std::string& state_length = "00") {
  Bytes out = hex("0683a44a6f696ec2a54e6f646573");
  MsgpackWriter(out).integer(entries.size());
  out = joined(out, hex("ac5573657253746174654c656e" + state_length));
  for (const Bytes& bytes : entries)
    out = joined(out, bytes);
  return out;
}

/// One entry as bytes: what a table of one has behind its header.
Bytes bare_entry(const PushPullEntry& value) {
  const Bytes whole = encode_stream(table({value}));
  const auto header = static_cast<std::ptrdiff_t>(encode_stream(PushPull{}).size());
  return {whole.begin() + header, whole.end()};
}

}  // namespace

TEST_CASE("the worked examples are read and written") {
  const Bytes address = hex("0a000001");
  both_ways(Ping{1, "b", {}}, "0082a44e6f6465a162a55365714e6f01");
  both_ways(
      Ping{1, "b", {address, 7946, "a"}},
      "0085a44e6f6465a162a55365714e6f01aa536f7572636541646472a40a000001aa536f757263654e6f6465a161"
      "aa536f75726365506f7274cd1f0a");
  both_ways(
      IndirectPing{300, address, 7946, "b", true, {}},
      "0185a44e61636bc3a44e6f6465a162a4506f7274cd1f0aa55365714e6fcd012ca6546172676574a40a000001");
  both_ways(Ack{1, {}, true}, "0282a75061796c6f6164c0a55365714e6f01");
  both_ways(Ack{1, {}, false}, "0282a75061796c6f6164a0a55365714e6f01");
  both_ways(Nack{200}, "0b81a55365714e6fccc8");
  both_ways(Suspect{1, "b", "a"}, "0383a446726f6da161ab496e6361726e6174696f6e01a44e6f6465a162");
  both_ways(
      Alive{5, "node-b", address, 7946, hex("ababab"), false, kVersionBytes},
      "0486a441646472a40a000001ab496e6361726e6174696f6e05a44d657461a3abababa44e6f6465a66e6f64652d62"
      "a4506f7274cd1f0aa356736ea6010502000000");
  both_ways(Dead{1, "b", ""}, "0583a446726f6da0ab496e6361726e6174696f6e01a44e6f6465a162");
  both_ways(User{hex("6869")}, "086869");
  both_ways_on_stream(ErrorReply{"boom"}, "0d81a54572726f72a4626f6f6d");
}

TEST_CASE("a push/pull of one node and a header of two are as recorded") {
  const std::string header = "0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e00";
  const std::string entry_left =
      "87a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e616d65a162a4506f7274cd1f0aa5"
      "537461"
      "746503a356736ea6010502000000";
  PushPullEntry left = entry("b");
  left.state = static_cast<std::uint8_t>(EntryState::left);
  both_ways_on_stream(PushPull{true, {left}, {}}, header + entry_left);
  both_ways_on_stream(
      PushPull{true, {entry("a")}, {}},
      "0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e0087a441646472a40a000001ab496e636172"
      "6e6174"
      "696f6e01a44d657461c0a44e616d65a161a4506f7274cd1f0aa5537461746500a356736ea6010502000000");
}

TEST_CASE("metadata of 200 bytes has an old raw header") {
  const Bytes bytes =
      encode(Alive{1, "b", hex("0a000001"), 1, Bytes(200, 7), false, kVersionBytes});
  CHECK(to_hex(bytes).find("a44d657461da00c8") != std::string::npos);
}

TEST_CASE("signed integers of newer encoders are read") {
  // 200 as d1 00c8 in the lengths of go-msgpack 1.1.5 and 2.
  const Bytes user = joined(hex("0881aa557365724d73674c656ed100c8"), Bytes(200, 'x'));
  CHECK(decode_stream(user).value() == StreamMessage{User{Bytes(200, 'x')}});
  const Bytes state = joined(raw_table({}, "d100c8"), Bytes(200, 'y'));
  CHECK(std::get<PushPull>(decode_stream(state).value()).user_state == Bytes(200, 'y'));
}

TEST_CASE("version vectors are sane only with six bytes and ordered bounds around zero") {
  CHECK(sane_versions(kOwnVersions));
  CHECK(sane_versions(hex("010502000000")));
  CHECK(sane_versions(hex("020202000005")));
  for (const char* bad : {"", "01", "0105020000", "01050200000000", "000000000000", "000502000000",
                          "050102000000", "030502000000", "010506000000", "010502010202"}) {
    INFO(bad);
    CHECK_FALSE(sane_versions(hex(bad)));
  }
}

TEST_CASE("an alive without sane versions has no encoding") {
  const Bytes versions = GENERATE(Bytes{}, hex("01"), hex("0105020000"), hex("000000000000"));
  CHECK(encode(Alive{1, "b", hex("0a000001"), 1, {}, false, versions}).empty());
}

TEST_CASE("an entry without sane versions is left out of a push/pull") {
  const PushPull mixed = table({entry("a"), entry("b", hex("0105")), entry("c"), entry("d", {})});
  const auto told = std::get<PushPull>(decode_stream(encode_stream(mixed)).value());
  CHECK(told == table({entry("a"), entry("c")}));
}

TEST_CASE("short version vectors are read as they came") {
  const auto alive = decode(hex("0481a356736ea3010502")).value();
  CHECK(std::get<Alive>(alive).versions == hex("010502"));
  CHECK_FALSE(decode(hex("0481a356736ea701050200000000")));
}

TEST_CASE("a message without Meta has a nil one") {
  CHECK(std::get<Alive>(decode(hex("0480")).value()).nil_meta);
  CHECK_FALSE(std::get<Alive>(decode(hex("0481a44d657461a0")).value()).nil_meta);
  CHECK_FALSE(std::get<Alive>(decode(hex("0481a44d657461a101")).value()).nil_meta);
  CHECK(std::get<Ack>(decode(hex("0280")).value()).nil_payload);
}

TEST_CASE("names and metadata are held to their limits") {
  const std::string name(limits::kNameBytes, 'n');
  CHECK(decode(encode(Ping{1, name, {}})));
  CHECK_FALSE(decode(encode(Ping{1, name + "n", {}})));
  CHECK(decode(encode(Suspect{1, name, name})));
  CHECK_FALSE(decode(encode(Suspect{1, name, name + "n"})));
  CHECK_FALSE(decode(encode(Ping{1, "", {hex("0a000001"), 1, name + "n"}})));
  Alive alive{1, name, Bytes(16, 1), 1, Bytes(limits::kMetaBytes, 1), false, kVersionBytes};
  CHECK(decode(encode(alive)).value() == PacketMessage{alive});
  alive.meta.push_back(1);
  CHECK(decode(encode(alive)).error().code == Errc::too_large);
  alive.meta.clear();
  alive.address.push_back(1);
  CHECK(decode(encode(alive)).error().code == Errc::too_large);
}

TEST_CASE("types that belong elsewhere are refused") {
  for (unsigned type = 0; type < 256; ++type) {
    const Bytes message = joined(Bytes{static_cast<std::uint8_t>(type)}, hex("80"));
    const bool datagram = type <= 5 || type == 8 || type == 11;
    const bool stream = type == 0 || type == 2 || type == 6 || type == 8 || type == 13;
    INFO(type);
    CHECK(decode(message).has_value() == datagram);
    CHECK(decode_stream(message).has_value() == stream);
  }
  CHECK_FALSE(decode({}));
  CHECK_FALSE(decode_stream({}));
}

TEST_CASE("a damaged push/pull fails whole but an unusable entry is left out alone") {
  PushPullEntry long_meta = entry("b");
  long_meta.meta = Bytes(limits::kMetaBytes + 1, 1);
  // State is fixint 0 behind its key; it becomes a text, 256 and -1.
  const std::string strange = to_hex(bare_entry(entry("c")));
  const std::string key = "a55374617465";
  const std::size_t at = strange.find(key) + key.size();
  const Bytes text_state = hex(strange.substr(0, at) + "a178" + strange.substr(at + 2));
  const Bytes wide_state = hex(strange.substr(0, at) + "cd0100" + strange.substr(at + 2));
  const Bytes negative_state = hex(strange.substr(0, at) + "ff" + strange.substr(at + 2));
  std::size_t bad = 0;
  const auto message = decode_stream(
      raw_table({bare_entry(entry("a")), bare_entry(long_meta), text_state, wide_state,
                 negative_state, hex("c0"), hex("93010203"), bare_entry(entry("z"))}),
      &bad);
  REQUIRE(message);
  CHECK(std::get<PushPull>(*message) == table({entry("a"), entry("z")}));
  CHECK(bad == 6);
  const Bytes broken = raw_table({bare_entry(entry("a")), hex("c1"), bare_entry(entry("z"))});
  CHECK(decode_stream(broken, &bad).error().code == Errc::malformed);
  CHECK(bad == 0);
  CHECK_FALSE(decode_stream(raw_table({bare_entry(entry("a")), hex("87")})));
}

TEST_CASE("each entry of a push/pull has items of its own") {
  std::vector<PushPullEntry> many;
  for (int i = 0; i < 300; ++i)
    many.push_back(entry("node" + std::to_string(i)));
  CHECK(std::get<PushPull>(decode_stream(encode_stream(table(many))).value()).entries == many);
}

TEST_CASE("a push/pull may have 16384 entries but not one more") {
  const Bytes empty = hex("80");
  const auto read = [&](std::size_t n) { return decode_stream(raw_table(std::vector(n, empty))); };
  const auto full = read(limits::kMembers);
  REQUIRE(full);
  CHECK(std::get<PushPull>(*full).entries.size() == limits::kMembers);
  CHECK(read(limits::kMembers + 1).error().code == Errc::too_large);
}

TEST_CASE("negative and missing counts of a push/pull") {
  CHECK(decode_stream(hex("0681a54e6f646573ff")).error().code == Errc::too_large);
  CHECK(decode_stream(hex("0681ac5573657253746174654c656ed0ff")).error().code == Errc::too_large);
  CHECK(decode_stream(hex("0680")).value() == StreamMessage{PushPull{}});
  CHECK(decode_stream(hex("0681a54e6f64657302")).error().code == Errc::malformed);
}

TEST_CASE("user state and user messages are held to their limits both ways") {
  PushPull with_state = table({entry("a")});
  with_state.user_state = Bytes(limits::kUserStateBytes, 's');
  CHECK(decode_stream(encode_stream(with_state)).value() == StreamMessage{with_state});
  with_state.user_state.push_back('s');
  CHECK(encode_stream(with_state).empty());
  CHECK(decode_stream(raw_table({}, "ce00100001")).error().code == Errc::too_large);
  CHECK(decode_stream(raw_table({}, "05")).error().code == Errc::malformed);

  User user{Bytes(limits::kUserMessageBytes, 'u')};
  CHECK(decode_stream(encode_stream(user)).value() == StreamMessage{user});
  CHECK(decode(encode(user)).value() == PacketMessage{user});
  user.payload.push_back('u');
  CHECK(encode_stream(user).empty());
  CHECK(decode(encode(user)).error().code == Errc::too_large);
  CHECK(decode_stream(hex("0881aa557365724d73674c656ece00010001")).error().code == Errc::too_large);
  CHECK(decode_stream(hex("0881aa557365724d73674c656e02"
                          "61"))
            .error()
            .code == Errc::malformed);
}

TEST_CASE("a stream may be compressed once and not twice") {
  const StreamMessage message = table({entry("a"), entry("b")});
  const Bytes once = add_compression(encode_stream(message));
  CHECK(decode_stream(once).value() == message);
  CHECK(decode_stream(add_compression(once)).error().code == Errc::unsupported);
}

TEST_CASE("compression of nothing and by another algorithm is refused") {
  CHECK(decode_stream(hex("0982a4416c676f00a3427566a3000302")).error().code == Errc::malformed);
  CHECK(decode_stream(hex("0982a4416c676f01a3427566a3000302")).error().code == Errc::unsupported);
  CHECK(decode_stream(hex("0981a4416c676f00")).error().code == Errc::malformed);
  CHECK(decode_stream(hex("09")).error().code == Errc::malformed);
}

TEST_CASE("a compressed stream may grow to 40 MiB but not one byte more") {
  // A user state of zeros is refused for its length only after it was decompressed.
  const Bytes fits = add_compression(
      test::joined(hex("0d81a54572726f72a0"), Bytes(limits::kFramePlainBytes - 9, 0)));
  CHECK(decode_stream(fits).value() == StreamMessage{ErrorReply{}});
  const Bytes bomb = add_compression(
      test::joined(hex("0d81a54572726f72a0"), Bytes(limits::kFramePlainBytes - 8, 0)));
  CHECK(decode_stream(bomb).error().code == Errc::too_large);
}

}  // namespace wesher::wire
