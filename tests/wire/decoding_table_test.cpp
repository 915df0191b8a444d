// What Go's decoders accept and refuse in a message body, case by case, and the bounds on what is
// passed over.
#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/msgpack.h"

namespace wesher::wire {

namespace {

using test::hex;
using test::joined;

// Keys as they stand in a message: raw(5) "SeqNo", raw(4) "Node", …
const std::string kSeq = "a55365714e6f";
const std::string kNode = "a44e6f6465";
const std::string kNack = "a44e61636b";
const std::string kTarget = "a6546172676574";
const std::string kExtra = "a14d";

Ping ping(const std::string& body) {
  const auto message = decode(hex("00" + body));
  if (!message) FAIL(message.error().detail);
  return std::get<Ping>(*message);
}

IndirectPing indirect(const std::string& body) {
  const auto message = decode(hex("01" + body));
  if (!message) FAIL(message.error().detail);
  return std::get<IndirectPing>(*message);
}

Errc refusal(const std::string& message) {
  const auto decoded = decode(hex(message));
  REQUIRE_FALSE(decoded);
  return decoded.error().code;
}

/// The value after an unknown key of a ping that goes on with SeqNo 5.
bool passes_over(const Bytes& value) {
  const Bytes message = joined(joined(hex("0082" + kExtra), value), hex(kSeq + "05"));
  const auto decoded = decode(message);
  return decoded && std::get<Ping>(*decoded).sequence == 5;
}

}  // namespace

TEST_CASE("keys are read in any order and under every map header") {
  const Ping expected{5, "b", {}};
  CHECK(ping("82" + kNode + "a162" + kSeq + "05") == expected);
  CHECK(ping("82" + kSeq + "05" + kNode + "a162") == expected);
  CHECK(ping("de0002" + kSeq + "05" + kNode + "a162") == expected);
  CHECK(ping("df00000002" + kSeq + "05" + kNode + "a162") == expected);
}

TEST_CASE("a map that counts more pairs than there are is refused") {
  CHECK(refusal("0083" + kSeq + "05" + kNode + "a162") == Errc::malformed);
  CHECK(refusal("00dfffffffff" + kSeq + "05") == Errc::malformed);
}

TEST_CASE("values of every kind behind unknown keys are passed over") {
  const std::string value = GENERATE(
      as<std::string>{}, "c0", "c2", "c3", "00", "ff", "cc80", "cd8000", "ce80000000",
      "cf8000000000000000", "d080", "d18000", "d280000000", "d38000000000000000", "ca3f800000",
      "cb3ff0000000000000", "a0", "a161", "d90161", "da000161", "db0000000161", "c40161",
      "c5000161", "c60000000161", "d40161", "d5016161", "d60161616161", "d7016161616161616161",
      "d80161616161616161616161616161616161", "c70001", "c7010161", "c800010161", "c9000000010161",
      "90", "80", "93c0a1619101", "dc0001c0", "dd00000001c0", "81a161c0", "de0001a161c0",
      "df00000001a161c0", "82a16191920102a16281a16303");
  INFO(value);
  CHECK(passes_over(hex(value)));
  CHECK_FALSE(passes_over(joined(hex(value), hex("61"))));
}

TEST_CASE("the head c1 is refused wherever it stands") {
  CHECK_FALSE(passes_over(hex("c1")));
  CHECK(refusal("0081" + kSeq + "c1") == Errc::malformed);
}

TEST_CASE("containers behind unknown keys nest eight deep but not nine") {
  CHECK(passes_over(joined(Bytes(8, 0x91), hex("05"))));
  CHECK_FALSE(passes_over(joined(Bytes(9, 0x91), hex("05"))));
  CHECK(refusal("0081" + kExtra + to_hex(Bytes(9, 0x91)) + "05") == Errc::too_large);
  // Siblings after a deep one start again at their own depth.
  CHECK(passes_over(joined(joined(hex("92"), joined(Bytes(7, 0x91), hex("05"))), hex("05"))));
}

TEST_CASE("a message may have 1024 items but not one more") {
  // The map, its key, the array: three; key and value of SeqNo: two.
  const auto with_elements = [](unsigned n) {
    Bytes value = hex("dc");
    ByteWriter(value).u16(static_cast<std::uint16_t>(n));
    return joined(value, Bytes(n, 0xc0));
  };
  CHECK(passes_over(with_elements(limits::kMsgpackItems - 5)));
  CHECK_FALSE(passes_over(with_elements(limits::kMsgpackItems - 4)));
}

TEST_CASE("a missing key and a nil value leave the field zero") {
  CHECK(ping("80") == Ping{});
  CHECK(ping("82" + kNode + "c0" + kSeq + "c0") == Ping{});
  CHECK(indirect("83" + kNack + "c0" + kTarget + "c0" + kSeq + "07") ==
        IndirectPing{.sequence = 7, .target = {}, .node = {}, .source = {}});
}

TEST_CASE("of a key given twice the last value counts") {
  CHECK(ping("82" + kSeq + "05" + kSeq + "06").sequence == 6);
  CHECK(ping("82" + kSeq + "05" + kSeq + "c0").sequence == 0);
  CHECK(ping("82" + kNode + "a161" + kNode + "a162").node == "b");
}

TEST_CASE("integers of any width and sign are read when they fit") {
  for (const char* form : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005",
                           "d10005", "d200000005", "d30000000000000005"})
    CHECK(ping("81" + kSeq + form).sequence == 5);
  CHECK(ping("81" + kSeq + "ceffffffff").sequence == 0xffffffff);
  CHECK(ping("81" + kSeq + "d300000000ffffffff").sequence == 0xffffffff);
}

TEST_CASE("integers that do not fit fail the whole message") {
  CHECK(refusal("0081" + kSeq + "cf0000000100000000") == Errc::too_large);
  CHECK(refusal("0081" + kSeq + "ff") == Errc::too_large);
  CHECK(refusal("0081" + kSeq + "d0ff") == Errc::too_large);
  CHECK(refusal("0081" + kSeq + "d3ffffffffffffffff") == Errc::too_large);
  CHECK(refusal("0181a4506f7274ce00010000") == Errc::too_large);
  CHECK(indirect("81a4506f7274cdffff").port == 0xffff);
}

TEST_CASE("a float or a text is no integer") {
  CHECK(refusal("0081" + kSeq + "ca40a00000") == Errc::malformed);
  CHECK(refusal("0081" + kSeq + "cb4014000000000000") == Errc::malformed);
  CHECK(refusal("0081" + kSeq + "a135") == Errc::malformed);
  CHECK(refusal("0081" + kSeq + "c3") == Errc::malformed);
}

TEST_CASE("text comes in raw and str8 and bin forms") {
  for (const char* form : {"a162", "d90162", "da000162", "db0000000162", "c40162", "c5000162",
                           "c600000001"
                           "62"})
    CHECK(ping("81" + kNode + form).node == "b");
  CHECK(refusal("0081" + kNode + "05") == Errc::malformed);
  CHECK(refusal("0081" + kNode + "9162") == Errc::malformed);
}

TEST_CASE("keys come in raw and str8 and bin forms and must be text") {
  for (const char* key : {"d9055365714e6f", "da00055365714e6f", "c4055365714e6f"})
    CHECK(ping("81" + std::string(key) + "05").sequence == 5);
  CHECK(refusal("00810505") == Errc::malformed);
  CHECK(refusal("0081c005") == Errc::malformed);
}

TEST_CASE("bytes come in raw and str8 and bin forms and as an array of small integers") {
  const Bytes expected = hex("0a000001");
  for (const char* form : {"a40a000001", "d9040a000001", "c4040a000001", "c500040a000001",
                           "940a000001", "dc00040a000001", "94cc0a000001"})
    CHECK(indirect("81" + kTarget + form).target == expected);
  CHECK(refusal("0181" + kTarget + "91cd0100") == Errc::too_large);
  CHECK(refusal("0181" + kTarget + "91a161") == Errc::malformed);
  CHECK(refusal("0181" + kTarget + "05") == Errc::malformed);
  CHECK(refusal("0181" + kTarget + "940a0000") == Errc::malformed);
}

TEST_CASE("a message sent as an array or as nil is refused") {
  CHECK(refusal("009201a162") == Errc::malformed);
  CHECK(refusal("00c0") == Errc::malformed);
}

TEST_CASE("keys match exactly and case counts") {
  CHECK(ping("81a5"
             "7365716e6f"
             "05")
            .sequence == 0);
  CHECK(ping("81a5"
             "5345514e4f"
             "05")
            .sequence == 0);
}

TEST_CASE("bytes behind a message are ignored") {
  CHECK(ping("81" + kSeq + "05" + "ffffff").sequence == 5);
}

TEST_CASE("the integers 0 and 1 are booleans and no others") {
  CHECK(indirect("81" + kNack + "c3").nack);
  CHECK(indirect("81" + kNack + "01").nack);
  CHECK(indirect("81" + kNack + "d001").nack);
  CHECK_FALSE(indirect("81" + kNack + "c2").nack);
  CHECK_FALSE(indirect("81" + kNack + "00").nack);
  CHECK(refusal("0181" + kNack + "02") == Errc::malformed);
  CHECK(refusal("0181" + kNack + "a0") == Errc::malformed);
}

TEST_CASE("a declared length longer than the message is refused") {
  CHECK(refusal("0081" + kNode + "dbffffffff62") == Errc::malformed);
  CHECK(refusal("0081" + kNode + "a362") == Errc::malformed);
  CHECK_FALSE(passes_over(hex("c9ffffffff01")));
  CHECK_FALSE(passes_over(hex("ddffffffff")));
}

TEST_CASE("a message cut anywhere is refused") {
  const Bytes whole =
      encode(Alive{70000, "node", hex("0a000001"), 7946, hex("abcd"), false, hex("010502000000")});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(decode(ByteView(whole).first(size)));
  }
  CHECK(decode(whole));
}

TEST_CASE("the writer takes the shortest form at every border") {
  const auto integer = [](std::uint64_t value) {
    Bytes out;
    MsgpackWriter(out).integer(value);
    return to_hex(out);
  };
  CHECK(integer(0x7f) == "7f");
  CHECK(integer(0x80) == "cc80");
  CHECK(integer(0xff) == "ccff");
  CHECK(integer(0x100) == "cd0100");
  CHECK(integer(0xffff) == "cdffff");
  CHECK(integer(0x10000) == "ce00010000");
  CHECK(integer(0xffffffff) == "ceffffffff");
  CHECK(integer(0x100000000) == "cf0000000100000000");
  const auto head = [](std::size_t size) {
    Bytes out;
    MsgpackWriter(out).raw(Bytes(size));
    return to_hex(ByteView(out).first(out.size() - size));
  };
  CHECK(head(0) == "a0");
  CHECK(head(31) == "bf");
  CHECK(head(32) == "da0020");
  CHECK(head(200) == "da00c8");
  CHECK(head(65535) == "daffff");
  CHECK(head(65536) == "db00010000");
}

}  // namespace wesher::wire
