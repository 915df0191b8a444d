// Node metadata: the worked examples of all three formats, the trailer behind the value, and what
// makes a decoded value usable.
#include "wire/node_meta.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/wire/support/samples.h"
#include "wire/limits.h"

namespace wesher::wire {

namespace {

using test::hex;
using test::joined;

const std::string kKeyText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const std::string kKeyHex =
    "2c41414543417751464267634943516f4c4441304f4478415245684d554652595847426b61477877644868383d";
const std::string kOuter =
    "32ff81030101086e6f64654d65746101ff82000102010b4f7665726c61794164647201ff840001065075624b657901"
    "0c0000"
    "00";
const std::string kIpNet =
    "23ff830301010549504e657401ff8400010201024950010a0001044d61736b010a000000";
const std::string kAddr = "10ff83060101044164647201ff84000000";

struct Example {
  MetaFormat format;
  const char* address;
  std::string bytes;
};

std::vector<Example> examples() {
  const std::string v6 = "10fd000000000000000000000000000001";
  return {
      {MetaFormat::f1, "10.1.2.3",
       "31ff81030101086e6f64654d65746101ff82000102010b4f7665726c617941646472010a0001065075624b65790"
       "10c000000"
       "37ff8201040a01020301" +
           kKeyHex + "00"},
      {MetaFormat::f2, "10.1.2.3",
       kOuter + kIpNet + "3fff820101040a0102030104ffffffff0001" + kKeyHex + "00"},
      {MetaFormat::f2, "fd00::1",
       kOuter + kIpNet + "57ff820101" + v6 + "0110ffffffffffffffffffffffffffffffff0001" + kKeyHex +
           "00"},
      {MetaFormat::f3, "10.1.2.3", kOuter + kAddr + "37ff8201040a01020301" + kKeyHex + "00"},
      {MetaFormat::f3, "fd00::1", kOuter + kAddr + "43ff8201" + v6 + "01" + kKeyHex + "00"},
  };
}

NodeMeta meta_of(const Example& example) {
  return {IpAddress::parse(example.address).value(), PublicKey::parse(kKeyText).value(),
          example.format};
}

RawNodeMeta good_f2() {
  return {MetaFormat::f2, hex("0a010203"), hex("ffffffff"), kKeyText, 0};
}

}  // namespace

TEST_CASE("the worked examples of metadata are written and read") {
  for (const Example& example : examples()) {
    INFO(to_text(example.format) << ' ' << example.address);
    const NodeMeta meta = meta_of(example);
    CHECK(to_hex(encode_node_meta(meta)) == example.bytes);
    const auto raw = decode_node_meta(hex(example.bytes));
    REQUIRE(raw);
    CHECK(raw->gob_bytes == example.bytes.size() / 2);
    CHECK(validate_node_meta(*raw).value() == meta);
  }
}

TEST_CASE("metadata of a newer toolchain with ids 64 and 65 is read") {
  const auto raw =
      decode_node_meta(hex("317f030101086e6f64654d65746101ff80000102010b4f7665726c61794164647201ff8"
                           "20001065075624b6579010c00"
                           "000010ff81060101044164647201ff820000000dff8001040a0102030102706b00"));
  REQUIRE(raw);
  CHECK(raw->format == MetaFormat::f3);
  CHECK(raw->address == hex("0a010203"));
  CHECK(raw->public_key == "pk");
}

TEST_CASE("an all-zero F2 value is read as empty and not usable") {
  const Bytes zero = hex(kOuter + kIpNet + "05ff82010000");
  const auto raw = decode_node_meta(zero);
  REQUIRE(raw);
  CHECK(raw->format == MetaFormat::f2);
  CHECK(raw->address.empty());
  CHECK(raw->mask.empty());
  CHECK(raw->public_key.empty());
  CHECK(raw->gob_bytes == zero.size());
  CHECK_FALSE(validate_node_meta(*raw));
}

TEST_CASE("an extra field Ext is passed over") {
  const auto raw =
      decode_node_meta(hex("3aff81030101086e6f64654d65746101ff82000103010b4f7665726c61794164647201f"
                           "f840001065075624b6579010c"
                           "000103457874010a000000" +
                           kIpNet + "19ff820101040a0102030104ffffffff000102706b0102686900"));
  REQUIRE(raw);
  CHECK(raw->address == hex("0a010203"));
  CHECK(raw->mask == hex("ffffffff"));
  CHECK(raw->public_key == "pk");
}

TEST_CASE("a trailer behind the value is left to others and its place is told") {
  for (const Example& example : examples()) {
    const Bytes gob = hex(example.bytes);
    for (const Bytes& trailer : {Bytes{0}, Bytes(200, 0xff), hex("32ff81")}) {
      const auto raw = decode_node_meta(joined(gob, trailer));
      REQUIRE(raw);
      CHECK(raw->gob_bytes == gob.size());
      CHECK(validate_node_meta(*raw).value() == meta_of(example));
    }
  }
}

TEST_CASE("metadata may have 512 bytes but not one more") {
  Bytes bytes = hex(examples().front().bytes);
  bytes.resize(limits::kMetaBytes);
  CHECK(decode_node_meta(bytes));
  bytes.push_back(0);
  CHECK(decode_node_meta(bytes).error().code == Errc::too_large);
}

TEST_CASE("metadata cut anywhere is refused") {
  for (const Example& example : examples()) {
    const Bytes gob = hex(example.bytes);
    for (std::size_t size = 0; size < gob.size(); ++size) {
      INFO(to_text(example.format) << " cut to " << size);
      CHECK_FALSE(decode_node_meta(ByteView(gob).first(size)));
    }
  }
}

TEST_CASE("an all-zero key is never announced") {
  CHECK(encode_node_meta({IpAddress::v4(10, 1, 2, 3), PublicKey{}, MetaFormat::f2}).empty());
}

TEST_CASE("a missing or malformed or zero key is not usable") {
  RawNodeMeta raw = good_f2();
  REQUIRE(validate_node_meta(raw));
  for (const char* key : {"", "pk", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
                          "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==",
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                          "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "\xff\xfe"}) {
    raw.public_key = key;
    INFO(key);
    CHECK_FALSE(validate_node_meta(raw));
  }
}

TEST_CASE("an address has 4 or 16 bytes") {
  for (std::size_t size = 0; size <= 20; ++size) {
    for (const MetaFormat format : {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3}) {
      RawNodeMeta raw = good_f2();
      raw.format = format;
      raw.address = Bytes(size, 10);
      raw.mask = Bytes(size, 0xff);
      INFO(size);
      CHECK(validate_node_meta(raw).has_value() == (size == 4 || size == 16));
    }
  }
}

TEST_CASE("an F2 mask must be the full host mask") {
  RawNodeMeta raw = good_f2();
  for (const char* mask : {"", "00000000", "ff000000", "fffffffe", "ffffff", "ffffffffff",
                           "ffffffffffffffffffffffffffffffff"}) {
    raw.mask = hex(mask);
    INFO(mask);
    CHECK_FALSE(validate_node_meta(raw));
  }
  raw.address = Bytes(16, 0xfd);
  raw.mask = hex("ffffffff");
  CHECK_FALSE(validate_node_meta(raw));
  raw.mask = Bytes(16, 0xff);
  CHECK(validate_node_meta(raw));
  raw.mask.back() = 0xfe;
  CHECK_FALSE(validate_node_meta(raw));
}

TEST_CASE("a mapped IPv4 address is one with either mask") {
  RawNodeMeta raw = good_f2();
  raw.address = hex("00000000000000000000ffff0a010203");
  for (const std::size_t mask : {4U, 16U}) {
    raw.mask = Bytes(mask, 0xff);
    CHECK(validate_node_meta(raw).value().overlay == IpAddress::v4(10, 1, 2, 3));
  }
  raw.mask = Bytes(8, 0xff);
  CHECK_FALSE(validate_node_meta(raw));
}

TEST_CASE("metadata that we write is read back whatever its values") {
  Rng rng = Rng::from_number(11);
  for (int i = 0; i < 300; ++i) {
    std::array<std::uint8_t, 32> key{};
    rng.fill(key);
    Bytes address(rng.below(2) == 0 ? 4 : 16);
    rng.fill(address);
    const NodeMeta meta{IpAddress::from_bytes(address).value(), PublicKey(key),
                        static_cast<MetaFormat>(rng.below(3))};
    const Bytes bytes = encode_node_meta(meta);
    const auto raw = decode_node_meta(bytes);
    REQUIRE(raw);
    CHECK(raw->gob_bytes == bytes.size());
    CHECK(validate_node_meta(*raw).value() == meta);
  }
}

}  // namespace wesher::wire
