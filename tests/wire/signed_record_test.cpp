// The signed trailer behind the gob value: its exact bytes, what it is bound to, and that no change
// of any bit of it is accepted.
#include "wire/signed_record.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/wire/support/samples.h"
#include "wire/limits.h"
#include "wire/node_meta.h"

namespace wesher::wire {

namespace {

using test::hex;

const Bytes kUnderlay = {192, 0, 2, 7};

std::array<std::uint8_t, kKeyBytes> counted() {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

SigningKey signer() {
  return SigningKey(SecretKey(counted()));
}

NodeMeta meta_of(MetaFormat format = MetaFormat::f2) {
  return {IpAddress::v4(10, 1, 2, 3), PublicKey(counted()), format};
}

RecordContext context() {
  return {"node1", kUnderlay, 7946};
}

SignedRecord plain() {
  SignedRecord record;
  record.flags = record_flag::kLeaving | record_flag::kForGood;
  record.identity = signer().identity();
  record.epoch = 0x0102030405060708;
  record.claim_time = wall_from_ms(1780000000123);
  record.keys_through = 3;
  record.sends_with = 2;
  record.capabilities = 0x8001;
  record.instance = 0xa1a2a3a4a5a6a7a8;
  return record;
}

SignedRecord extended() {
  SignedRecord record = plain();
  record.extensions = {
      {record_extension::kNextKey, Bytes(32, 7)}, {200, {'a', 'b', 'c'}}, {200, {}}};
  return record;
}

// All three computed by another implementation of Ed25519 from the description of the format.
const std::string kGobHex =
    "32ff81030101086e6f64654d65746101ff82000102010b4f7665726c61794164647201ff840001065075624b657901"
    "0c00000023ff830301010549504e657401ff8400010201024950010a0001044d61736b010a0000003fff820101040a"
    "0102030104ffffffff00012c41414543417751464267634943516f4c4441304f4478415245684d554652595847426b"
    "61477877644868383d00";
const std::string kTrailerHex =
    "573201"                                                            // W2, version 1
    "11"                                                                // leaving for good
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"  // identity
    "0102030405060708"                                                  // epoch
    "019e7044887b"                                                      // claim time
    "000300028001"                                                      // generations, capabilities
    "a1a2a3a4a5a6a7a8"                                                  // instance
    "02200707070707070707070707070707070707070707070707070707070707070707"
    "c803616263c800";  // extensions
const std::string kSignatureHex =
    "038453b8986a5c7406b1e394cfae3ef570bd24f5ce4e0989361fc29eff7554b4"
    "5e10ef8669b20b2107452bce3551dc3ecd40eec9dcf2d5f3378ef1c111faf603";

struct Opened {
  std::optional<SignedRecord> record;  ///< only if its signature holds
  bool legacy = false;
};

/// As a reader of a member's metadata goes on.
Opened open(ByteView meta, const RecordContext& with) {
  const auto raw = decode_node_meta(meta);
  if (!raw) return {};
  const auto record = decode_trailer(meta, raw->gob_bytes);
  if (!record) return {};
  if (!*record) return {std::nullopt, true};
  if (!verify(**record, meta, raw->gob_bytes, with)) return {};
  return {**record, false};
}

std::string why(const Bytes& trailer) {
  Bytes meta = hex(kGobHex);
  const std::size_t gob_bytes = meta.size();
  meta.insert(meta.end(), trailer.begin(), trailer.end());
  const auto record = decode_trailer(meta, gob_bytes);
  if (record) return *record ? "a record" : "none";
  CHECK(record.error().code == Errc::malformed);
  return record.error().detail;
}

/// Fixed part and signature with `extensions` between them.
Bytes trailer_with(const std::string& extensions) {
  return hex(kTrailerHex.substr(0, 128) + extensions + kSignatureHex);
}

}  // namespace

TEST_CASE("a signed record has exactly these bytes") {
  const auto meta = encode_signed(meta_of(), extended(), context(), signer());
  REQUIRE(meta);
  CHECK(to_hex(*meta) == kGobHex + kTrailerHex + kSignatureHex);
  CHECK(to_hex(encode_record(extended()).value()) == kTrailerHex);
}

TEST_CASE("every field of a signed record comes back and its metadata reads as before") {
  for (const MetaFormat format : {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3}) {
    for (const SignedRecord& record : {plain(), extended(), [] {
                                         SignedRecord zero;
                                         zero.identity = signer().identity();
                                         return zero;
                                       }()}) {
      const Bytes meta = encode_signed(meta_of(format), record, context(), signer()).value();
      const auto raw = decode_node_meta(meta);
      REQUIRE(raw);
      CHECK(validate_node_meta(*raw) == meta_of(format));
      CHECK(encode_node_meta(meta_of(format)).size() == raw->gob_bytes);
      const auto opened = open(meta, context());
      REQUIRE(opened.record);
      CHECK(*opened.record == record);
    }
  }
}

TEST_CASE("a record without extensions takes 128 bytes") {
  const Bytes gob = encode_node_meta(meta_of());
  CHECK(encode_signed(meta_of(), plain(), context(), signer())->size() == gob.size() + 128);
}

TEST_CASE("flags and extensions without a meaning are kept") {
  SignedRecord record = plain();
  record.flags = 0xff;
  record.capabilities = 0xffff;
  record.extensions = {{0, {}}, {77, Bytes(100, 1)}, {77, {2}}, {255, {3}}};
  const auto opened =
      open(encode_signed(meta_of(), record, context(), signer()).value(), context());
  REQUIRE(opened.record);
  CHECK(*opened.record == record);
  CHECK(opened.record->has(record_flag::kForGood));
  CHECK_FALSE(opened.record->extension(record_extension::kNextKey));
  CHECK(as_text(extended().extension(200).value()) == "abc");
  CHECK_FALSE(plain().extension(0));
  CHECK_FALSE(SignedRecord{}.has(record_flag::kLeaving));
}

TEST_CASE("metadata with any bit flipped is not accepted") {
  for (const SignedRecord& record : {plain(), extended()}) {
    const Bytes good = encode_signed(meta_of(), record, context(), signer()).value();
    REQUIRE(open(good, context()).record);
    const std::size_t magic = encode_node_meta(meta_of()).size();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      Bytes bad = good;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      const auto opened = open(bad, context());
      CHECK_FALSE(opened.record);
      if (bit / 8 == magic || bit / 8 == magic + 1) CHECK(opened.legacy);
    }
  }
}

TEST_CASE("a record is bound to name and address and port") {
  const Bytes meta = encode_signed(meta_of(), plain(), context(), signer()).value();
  const Bytes other = {192, 0, 2, 8};
  const Bytes mapped = hex("00000000000000000000ffffc0000207");
  CHECK(open(meta, context()).record);
  CHECK_FALSE(open(meta, {"node2", kUnderlay, 7946}).record);
  CHECK_FALSE(open(meta, {"node", kUnderlay, 7946}).record);
  CHECK_FALSE(open(meta, {"node1", other, 7946}).record);
  CHECK_FALSE(open(meta, {"node1", mapped, 7946}).record);
  CHECK_FALSE(open(meta, {"node1", kUnderlay, 7947}).record);
  const Bytes signed_mapped =
      encode_signed(meta_of(), plain(), {"node1", mapped, 7946}, signer()).value();
  CHECK(open(signed_mapped, {"node1", mapped, 7946}).record);
  CHECK_FALSE(open(signed_mapped, context()).record);
}

TEST_CASE("a trailer behind another gob value is not accepted") {
  const Bytes meta = encode_signed(meta_of(), plain(), context(), signer()).value();
  NodeMeta other = meta_of();
  other.overlay = IpAddress::v4(10, 1, 2, 4);
  Bytes moved = encode_node_meta(other);
  const std::size_t gob_bytes = moved.size();
  moved.insert(moved.end(), meta.end() - 128, meta.end());
  REQUIRE(decode_trailer(moved, gob_bytes).value());
  CHECK_FALSE(open(moved, context()).record);
}

TEST_CASE("the lengths before name and address and gob value keep their borders") {
  // "node1" + 4 bytes of address must not be "node" with an address that begins with '1'.
  const Bytes sixteen(16, 'x');
  const Bytes meta = encode_signed(meta_of(), plain(), {"node1", sixteen, 7946}, signer()).value();
  const auto raw = decode_node_meta(meta).value();
  const auto record = decode_trailer(meta, raw.gob_bytes).value().value();
  CHECK(verify(record, meta, raw.gob_bytes, {"node1", sixteen, 7946}));
  for (std::size_t gob_bytes = 0; gob_bytes <= meta.size() + 1; ++gob_bytes) {
    if (gob_bytes == raw.gob_bytes) continue;
    CHECK_FALSE(verify(record, meta, gob_bytes, {"node1", sixteen, 7946}));
  }
}

TEST_CASE("a trailer cut anywhere is no record and none of a legacy node") {
  for (const SignedRecord& record : {plain(), extended()}) {
    const Bytes good = encode_signed(meta_of(), record, context(), signer()).value();
    const std::size_t gob_bytes = encode_node_meta(meta_of()).size();
    for (std::size_t size = gob_bytes + 1; size < good.size(); ++size) {
      const auto opened = open(ByteView(good).first(size), context());
      CHECK_FALSE(opened.record);
      CHECK_FALSE(opened.legacy);
    }
    CHECK(open(ByteView(good).first(gob_bytes), context()).legacy);
    Bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(open(longer, context()).record);
  }
}

TEST_CASE("metadata without a trailer or with another one is a legacy node's") {
  CHECK(why({}) == "none");
  CHECK(why({0}) == "none");
  CHECK(why({'w', '2', 1}) == "none");
  CHECK(why({'W', '3', 1}) == "none");
  CHECK(why(Bytes(300, 0xff)) == "none");
  CHECK(why({'W'}) == "a signed record that is cut off");
  CHECK(why({'W', '2'}) == "a signed record that is cut off");
}

TEST_CASE("another version of the record is unsupported whatever its length") {
  for (const std::string trailer : {"573202", "573200", "5732ff00"}) {
    const Bytes meta = hex(kGobHex + trailer);
    const auto record = decode_trailer(meta, kGobHex.size() / 2);
    REQUIRE_FALSE(record);
    CHECK(record.error().code == Errc::unsupported);
  }
  CHECK(decode_trailer(hex(kGobHex + "573207"), kGobHex.size() / 2).error().detail ==
        "a signed record of version 7");
}

TEST_CASE("extensions are read to the last byte and known ones are there once with their length") {
  const std::string next_key = "0220" + to_hex(Bytes(32, 7));
  CHECK(why(trailer_with("")) == "a record");
  CHECK(why(trailer_with(next_key)) == "a record");
  CHECK(why(trailer_with(next_key + next_key)) == "a signed record with extension 2 twice");
  CHECK(why(trailer_with("021f" + to_hex(Bytes(31, 7)))) ==
        "a signed record whose extension 2 has no such length");
  CHECK(why(trailer_with("0200")) == "a signed record whose extension 2 has no such length");
  for (const std::size_t size : {80U, 81U, 99U, 100U}) {
    const std::string certificate =
        "01" + to_hex(Bytes{static_cast<std::uint8_t>(size)}) + to_hex(Bytes(size, 1));
    CHECK(why(trailer_with(certificate)) ==
          (size == 80 || size == 100 ? "a signed record whose extension 1 has no such length"
                                     : "a record"));
  }
  const std::string cut = "a signed record with an extension that is cut off";
  CHECK(why(trailer_with("63")) == cut);
  CHECK(why(trailer_with("6301")) == cut);
  CHECK(why(trailer_with("630211")) == cut);
  CHECK(why(trailer_with("63ff")) == cut);
  CHECK(why(trailer_with("6300630011")) == cut);
}

TEST_CASE("a claim time after the year 9999 is refused in both directions") {
  Bytes trailer = trailer_with("");
  std::ranges::copy(hex("e677d21fdbff"), trailer.begin() + 44);  // the last one
  CHECK(why(trailer) == "a record");
  std::ranges::copy(hex("e677d21fdc00"), trailer.begin() + 44);
  CHECK(why(trailer) == "a signed record with a claim time outside 1970 to 9999");
  SignedRecord record = plain();
  record.claim_time = wall_from_ms(253402300799999);
  CHECK(encode_record(record));
  record.claim_time = wall_from_ms(253402300800000);
  CHECK(encode_record(record).error().code == Errc::malformed);
  record.claim_time = wall_from_ms(-1);
  CHECK(encode_record(record).error().code == Errc::malformed);
}

TEST_CASE("what no reader would accept is not encoded") {
  const auto refusal = [](const SignedRecord& record, const RecordContext& with) {
    const auto meta = encode_signed(meta_of(), record, with, signer());
    return meta ? std::optional<Errc>{} : meta.error().code;
  };
  const std::string longest(limits::kNameBytes, 'n');
  const std::string too_long(limits::kNameBytes + 1, 'n');
  CHECK_FALSE(refusal(plain(), {longest, kUnderlay, 7946}));
  CHECK(refusal(plain(), {too_long, kUnderlay, 7946}) == Errc::malformed);
  CHECK(refusal(plain(), {"", kUnderlay, 7946}) == Errc::malformed);
  CHECK(refusal(plain(), {"node1", Bytes(5, 1), 7946}) == Errc::malformed);
  CHECK(refusal(plain(), {"node1", {}, 7946}) == Errc::malformed);
  SignedRecord stranger = plain();
  stranger.identity = IdentityKey(counted());
  CHECK(refusal(stranger, context()) == Errc::malformed);
  SignedRecord doubled = plain();
  doubled.extensions = {{2, Bytes(32, 7)}, {2, Bytes(32, 7)}};
  CHECK(refusal(doubled, context()) == Errc::malformed);
  NodeMeta keyless = meta_of();
  keyless.key = PublicKey();
  CHECK(encode_signed(keyless, plain(), context(), signer()).error().code == Errc::malformed);
}

TEST_CASE("a record fills metadata up to 512 bytes and not further") {
  const std::size_t room =
      limits::kMetaBytes - encode_node_meta(meta_of()).size() - 128 - 2 /* type, length */;
  SignedRecord record = plain();
  record.extensions = {{9, Bytes(room, 1)}};
  const auto full = encode_signed(meta_of(), record, context(), signer());
  REQUIRE(full);
  CHECK(full->size() == limits::kMetaBytes);
  CHECK(open(*full, context()).record == record);
  record.extensions = {{9, Bytes(room + 1, 1)}};
  CHECK(encode_signed(meta_of(), record, context(), signer()).error().code == Errc::too_large);
  record.extensions = {{9, Bytes(256, 1)}};
  CHECK(encode_record(record).error().code == Errc::too_large);
  record.extensions.assign(300, RecordExtension{9, {}});
  CHECK(encode_record(record).error().code == Errc::too_large);
  CHECK(decode_trailer(Bytes(limits::kMetaBytes + 1, 0), 0).error().code == Errc::too_large);
  CHECK(decode_trailer(Bytes(10, 0), 11).error().code == Errc::malformed);
}

TEST_CASE("hostile trailers neither read past their end nor are accepted") {
  Rng rng = Rng::from_number(11);
  const Bytes good = encode_signed(meta_of(), extended(), context(), signer()).value();
  const std::size_t gob_bytes = encode_node_meta(meta_of()).size();
  for (int round = 0; round < 20000; ++round) {
    Bytes bad(good.begin(), good.end() - static_cast<std::ptrdiff_t>(rng.below(good.size() - 130)));
    for (std::uint64_t changes = 1 + rng.below(8); changes > 0; --changes)
      bad[rng.below(bad.size())] = static_cast<std::uint8_t>(rng.u32());
    if (bad == good) continue;
    const std::size_t at = std::min(gob_bytes, bad.size());
    const auto record = decode_trailer(bad, at);
    if (record && *record) {
      const Bytes again = encode_record(**record).value();
      CHECK(std::ranges::equal(again, ByteView(bad).subspan(at, again.size())));
      if (round % 10 == 0) CHECK_FALSE(verify(**record, bad, at, context()));
    }
  }
}

}  // namespace wesher::wire
