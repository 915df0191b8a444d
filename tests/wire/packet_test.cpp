// Datagrams: every combination of layers, every limit at its border, and what must never go out.
#include "wire/packet.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"
#include "wire/limits.h"

namespace wesher::wire {

namespace {

using test::hex;
using test::joined;

const Bytes kPing = hex("0082a44e6f6465a162a55365714e6f01");
const Bytes kSuspect = hex("0383a446726f6da161ab496e6361726e6174696f6e01a44e6f6465a162");

std::vector<PacketMessage> messages(const std::vector<Bytes>& parts) {
  std::vector<PacketMessage> out;
  for (const Bytes& part : parts)
    out.push_back(decode(part).value());
  return out;
}

/// Opens a plaintext as if it had come sealed.
OpenedPacket open(ByteView plain) {
  const Keyring ring = test::recorded_ring();
  return open_packet(ring, test::seal_version_1(ring, plain));
}

/// A compound by hand, whatever is in it.
Bytes compound(const std::vector<Bytes>& parts) {
  Bytes out = {7, static_cast<std::uint8_t>(parts.size())};
  for (const Bytes& part : parts)
    ByteWriter(out).u16(static_cast<std::uint16_t>(part.size()));
  for (const Bytes& part : parts)
    out = joined(out, part);
  return out;
}

void check_dropped(const OpenedPacket& packet, PacketFault fault, std::size_t dropped = 1) {
  CHECK(packet.fault == fault);
  CHECK(packet.dropped == dropped);
}

}  // namespace

TEST_CASE("the recorded datagrams open") {
  const Keyring ring = test::recorded_ring();
  const Bytes version_1 = hex(
      "01a0a1a2a3a4a5a6a7a8a9aaabe69ad8632aaf671e00c0d4b67634afdf72cebe33329d47f06b9bd9fbbb096643");
  const Bytes version_0 =
      hex("00a0a1a2a3a4a5a6a7a8a9aaabe69ad8632aaf671e00c0d4b67634afdf60bc490082a7527c8c1e36966fbb65"
          "11750617e8"
          "cb3a44691e58ed96b73c6543");
  const Bytes labelled =
      hex("f4036c616201a0a1a2a3a4a5a6a7a8a9aaabe69ad8632aaf671e00c0d4b67634afdf5b7a61f6a4379df1e009"
          "8bb25fb589"
          "ed");
  CHECK(open_packet(ring, version_1).messages == messages({kPing}));
  CHECK(open_packet(ring, version_0).messages == messages({kPing}));
  CHECK(open_packet(ring, labelled, "lab").messages == messages({kPing}));
  CHECK(test::seal_version_1(ring, kPing) == version_1);
  CHECK(test::seal_version_0(ring, kPing) == version_0);
  CHECK(add_label(test::seal_version_1(ring, kPing, as_bytes("lab")), "lab") == labelled);
}

TEST_CASE("the recorded CRC and compound are written and read") {
  const Bytes with_crc = hex("0c04c039bb0082a44e6f6465a162a55365714e6f01");
  const Bytes pair =
      hex("07020010001d0082a44e6f6465a162a55365714e6f010383a446726f6da161ab496e6361726e6174696f6e01"
          "a44e6f6465"
          "a162");
  CHECK(add_crc(kPing) == with_crc);
  CHECK(pack(std::vector{kPing, kSuspect}) == pair);
  CHECK(open(with_crc).messages == messages({kPing}));
  CHECK(open(pair).messages == messages({kPing, kSuspect}));
}

TEST_CASE("every combination of layers opens") {
  const bool padded = GENERATE(false, true);
  const bool crc = GENERATE(false, true);
  const bool compressed = GENERATE(false, true);
  const bool several = GENERATE(false, true);
  const std::string label = GENERATE(as<std::string>{}, "", "lab");
  const std::vector<Bytes> parts =
      several ? std::vector<Bytes>{kPing, kSuspect, kPing} : std::vector<Bytes>{kSuspect};
  Bytes plain = pack(parts);
  if (compressed) plain = add_compression(plain);
  if (crc) plain = add_crc(plain);
  const Keyring ring = test::recorded_ring();
  Bytes datagram = padded ? test::seal_version_0(ring, plain, as_bytes(label))
                          : test::seal_version_1(ring, plain, as_bytes(label));
  if (!label.empty()) datagram = add_label(datagram, label);
  const OpenedPacket packet = open_packet(ring, datagram, label);
  CHECK(packet.messages == messages(parts));
  CHECK(packet.authenticated);
  check_dropped(packet, PacketFault::none, 0);
}

TEST_CASE("compressed parts inside a compound open") {
  CHECK(open(compound({add_compression(kPing), kSuspect, compound({kPing, kPing})})).messages ==
        messages({kPing, kSuspect, kPing, kPing}));
}

TEST_CASE("a label that is not ours drops the datagram before decryption") {
  const Keyring ring = test::recorded_ring();
  const Bytes bare = test::seal_version_1(ring, kPing);
  const auto refused = [&](ByteView datagram, std::string_view label) {
    const OpenedPacket packet = open_packet(ring, datagram, label);
    CHECK(packet.messages.empty());
    CHECK_FALSE(packet.authenticated);
    check_dropped(packet, PacketFault::label);
  };
  refused(add_label(bare, "lab"), "");
  refused(add_label(bare, "lab"), "lac");
  refused(add_label(bare, "lab"), "la");
  refused(bare, "lab");
  refused(joined(hex("f400"), bare), "");
  refused(hex("f4"), "lab");
  refused(hex("f4036c61"), "lab");
}

TEST_CASE("a plaintext datagram is refused") {
  for (const Bytes& plain : {kPing, kSuspect, add_crc(kPing), compound({kPing, kSuspect}),
                             joined(kPing, Bytes(100, 0))}) {
    const OpenedPacket packet = open_packet(test::recorded_ring(), plain);
    CHECK(packet.messages.empty());
    CHECK_FALSE(packet.authenticated);
    check_dropped(packet, PacketFault::undecryptable);
  }
}

TEST_CASE("an empty datagram and one around nothing are dropped") {
  const Keyring ring = test::recorded_ring();
  check_dropped(open_packet(ring, {}), PacketFault::empty);
  // AES-256-GCM of nothing under the recorded key and nonce: it crashes Go before v0.2.4.
  const OpenedPacket nothing =
      open_packet(ring, hex("01a0a1a2a3a4a5a6a7a8a9aaab5c699625af4b93a0f8220a2a6119c5d0"));
  CHECK(nothing.authenticated);
  check_dropped(nothing, PacketFault::empty);
  const OpenedPacket padded = open_packet(ring, test::seal_version_0(ring, {}));
  CHECK(padded.authenticated);
  check_dropped(padded, PacketFault::empty);
}

TEST_CASE("a datagram may have 65507 bytes but not one more") {
  const Keyring ring = test::recorded_ring();
  const Bytes user = joined(hex("08"), Bytes(limits::kDatagramBytes - kSealOverhead - 1, 'u'));
  Bytes datagram = test::seal_version_1(ring, user);
  REQUIRE(datagram.size() == limits::kDatagramBytes);
  CHECK(open_packet(ring, datagram).messages == messages({user}));
  datagram = test::seal_version_1(ring, joined(user, hex("75")));
  check_dropped(open_packet(ring, datagram), PacketFault::too_large);
}

TEST_CASE("a wrong CRC and a CRC around nothing are dropped") {
  Bytes wrong = add_crc(kPing);
  wrong.back() ^= 1U;
  check_dropped(open(wrong), PacketFault::crc);
  check_dropped(open(hex("0c00000000")), PacketFault::empty);
  check_dropped(open(hex("0c000000")), PacketFault::message);
}

TEST_CASE("a CRC counts only directly under the encryption") {
  check_dropped(open(add_compression(add_crc(kPing))), PacketFault::message);
  check_dropped(open(add_crc(add_crc(kPing))), PacketFault::message);
  const OpenedPacket packet = open(compound({add_crc(kPing), kSuspect}));
  CHECK(packet.messages == messages({kSuspect}));
  check_dropped(packet, PacketFault::message);
}

TEST_CASE("types that are not for datagrams are dropped alone") {
  const std::string type = GENERATE(as<std::string>{}, "06", "0a", "0d", "0e", "ff", "f4");
  const OpenedPacket packet = open(compound({kPing, hex(type + "80"), kSuspect}));
  CHECK(packet.messages == messages({kPing, kSuspect}));
  check_dropped(packet, PacketFault::message);
}

TEST_CASE("of a cut compound the parts that fit are read") {
  const Bytes whole = compound({kPing, kSuspect, kPing});
  const std::size_t head = 2 + 3 * 2;
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const OpenedPacket packet = open(ByteView(whole).first(size));
    INFO(size);
    if (size < head) {
      CHECK(packet.messages.empty());
      check_dropped(packet, PacketFault::compound);
      continue;
    }
    const std::size_t fit = size < head + kPing.size()           ? 0
                            : size < whole.size() - kPing.size() ? 1
                                                                 : 2;
    CHECK(packet.messages.size() == fit);
    check_dropped(packet, PacketFault::compound, 3 - fit);
  }
  check_dropped(open(hex("07")), PacketFault::compound);
  check_dropped(open(hex("0700")), PacketFault::none, 0);
}

TEST_CASE("an empty part is dropped alone") {
  const OpenedPacket packet = open(compound({kPing, {}, kSuspect}));
  CHECK(packet.messages == messages({kPing, kSuspect}));
  check_dropped(packet, PacketFault::empty);
}

TEST_CASE("three layers open and four do not") {
  const Bytes three = compound({add_compression(compound({kPing}))});
  CHECK(open(three).messages == messages({kPing}));
  const OpenedPacket packet =
      open(compound({kSuspect, add_compression(compound({add_compression(kPing), kPing}))}));
  CHECK(packet.messages == messages({kSuspect, kPing}));
  check_dropped(packet, PacketFault::nesting);
  CHECK(open(add_compression(add_compression(add_compression(kPing)))).messages ==
        messages({kPing}));
  check_dropped(open(add_compression(three)), PacketFault::nesting);
}

TEST_CASE("a datagram may hold 255 messages but not one more") {
  const Bytes nack = hex("0b80");
  CHECK(open(compound(std::vector(255, nack))).messages.size() == 255);
  const OpenedPacket packet =
      open(compound({compound(std::vector(200, nack)), compound(std::vector(56, nack))}));
  CHECK(packet.messages.size() == 255);
  check_dropped(packet, PacketFault::too_large);
}

TEST_CASE("a datagram may decompress to 64 KiB in all but not one byte more") {
  const Bytes half = joined(hex("08"), Bytes(32767, 0));
  const Bytes full = add_compression(half);
  const OpenedPacket fits = open(compound({full, full}));
  CHECK(fits.messages.size() == 2);
  check_dropped(fits, PacketFault::none, 0);
  const OpenedPacket over = open(compound({full, full, add_compression(hex("0b80"))}));
  CHECK(over.messages.size() == 2);
  check_dropped(over, PacketFault::too_large);
  check_dropped(open(add_compression(joined(hex("08"), Bytes(65536, 0)))), PacketFault::too_large);
}

TEST_CASE("damaged compression is dropped alone") {
  const Bytes good = add_compression(kPing);
  for (const Bytes& bad :
       {hex("09"), hex("0980"), hex("0982a4416c676f01a3427566a3000302"),
        hex("0982a4416c676f00a3427566a3000302"), Bytes(good.begin(), good.end() - 3)}) {
    const OpenedPacket packet = open(compound({bad, kSuspect}));
    INFO(to_hex(bad));
    CHECK(packet.messages == messages({kSuspect}));
    check_dropped(packet, PacketFault::compression);
  }
}

TEST_CASE("one part goes bare and several as a compound") {
  CHECK(pack(std::vector<Bytes>{kPing}) == kPing);
  CHECK(pack(std::vector{kPing, kSuspect}).front() == 7);
  CHECK(open(pack(std::vector(127, kPing))).messages == messages(std::vector(127, kPing)));
}

TEST_CASE("what a Go node could not read never goes into a compound") {
  CHECK(pack({}).empty());
  CHECK(pack(std::vector<Bytes>{{}}).empty());
  CHECK(pack(std::vector<Bytes>{{}, kPing, {}}) == kPing);
  CHECK(pack(std::vector(128, kPing)) == pack(std::vector(127, kPing)));
  CHECK(pack(std::vector{kPing, Bytes(65536, 8)}) == kPing);
  CHECK(pack(std::vector{kPing, Bytes(65535, 8)}).size() == 6 + kPing.size() + 65535);
}

TEST_CASE("a sealed packet opens and nothing is never sealed") {
  const Keyring ring = test::recorded_ring();
  Rng rng = Rng::from_number(3);
  CHECK(open_packet(ring, seal_packet(ring, kPing, rng)).messages == messages({kPing}));
  CHECK(seal_packet(ring, kPing, rng).front() == 1);
  CHECK(seal_packet(ring, {}, rng).empty());
  CHECK(seal_packet(Keyring(), kPing, rng).empty());
}

TEST_CASE("no layer is put around nothing") {
  CHECK(add_crc({}).empty());
  CHECK(add_compression({}).empty());
  CHECK(add_label(kPing, "").empty());
  CHECK(add_label(kPing, std::string(256, 'l')).empty());
  CHECK(add_label(kPing, std::string(255, 'l')).size() == 257 + kPing.size());
}

TEST_CASE("the budget of a datagram is what memberlist leaves for parts") {
  CHECK(packet_budget(0) == 1369);
  CHECK(packet_budget(100) == 1269);
  CHECK(packet_budget(1369) == 0);
  CHECK(packet_budget(1370) == 0);
  CHECK(packet_budget(100000) == 0);
}

}  // namespace wesher::wire
