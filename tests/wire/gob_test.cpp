// Gob as other senders may write it: type ids from 64 and 65, any order of definitions, fields of
// every kind that we have no use for, and what is no metadata at all.
#include "wire/gob.h"

#include <limits>

#include <catch2/catch.hpp>

#include "tests/wire/support/gob_streams.h"

namespace wesher::wire {

using namespace test;

TEST_CASE("gob numbers are written minimal and read in any width") {
  const auto unsigned_hex = [](std::uint64_t number) {
    Bytes out;
    GobWriter(out).unsigned_integer(number);
    GobReader in(out);
    CHECK(in.unsigned_integer() == number);
    CHECK(in.left() == 0);
    return to_hex(out);
  };
  CHECK(unsigned_hex(0) == "00");
  CHECK(unsigned_hex(127) == "7f");
  CHECK(unsigned_hex(128) == "ff80");
  CHECK(unsigned_hex(256) == "fe0100");
  CHECK(unsigned_hex(0xffffffffffffffff) == "f8ffffffffffffffff");
  const auto signed_hex = [](std::int64_t number) {
    Bytes out;
    GobWriter(out).integer(number);
    GobReader in(out);
    CHECK(in.integer() == number);
    return to_hex(out);
  };
  CHECK(signed_hex(65) == "ff82");
  CHECK(signed_hex(-65) == "ff81");
  CHECK(signed_hex(64) == "ff80");
  CHECK(signed_hex(-64) == "7f");
  CHECK(signed_hex(std::numeric_limits<std::int64_t>::min()) == "f8ffffffffffffffff");
  const Bytes wide = hex("fd000005");
  CHECK(GobReader(wide).unsigned_integer() == 5);
}

TEST_CASE("a gob number of more than eight bytes or cut off is refused") {
  for (const char* bad : {"80", "f7010101010101010101", "ff", "fe01", ""}) {
    const Bytes bytes = hex(bad);
    GobReader in(bytes);
    in.unsigned_integer();
    INFO(bad);
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("type ids may start at 64 or 65 or anywhere above") {
  for (const std::int64_t id : {64, 65, 66, 1000, 1'000'000'000}) {
    INFO(id);
    check_f1(chain({define_struct(id, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}}),
                    value(id, {kAddress, kKey})}));
  }
}

TEST_CASE("fields of every kind before and between and after ours are passed over") {
  struct Case {
    const char* what;
    std::int64_t type;
    const char* value;
    std::vector<Bytes> types;
  };

  const Bytes pair = define_struct(70, {{"A", 2}, {"B", kStringId}});
  const std::vector<Case> cases = {
      {"bool", 1, "01", {}},
      {"int", 2, "ff81", {}},
      {"uint", 3, "fe0100", {}},
      {"float", 4, "fef03f", {}},
      {"bytes", 5, "03010203", {}},
      {"string", 6, "026869", {}},
      {"complex", 7, "fef03f40", {}},
      {"nil interface", 8, "00", {}},
      {"interface holding an int", 8, "03696e740402000a", {}},
      {"array", 66, "03020406", {define(66, GobKind::array, {2, 3})}},
      {"slice of strings", 66, "0201610162", {define(66, GobKind::slice, {6})}},
      {"map", 66, "02016102016204", {define(66, GobKind::map, {6, 3})}},
      {"empty struct", 70, "00", {pair}},
      {"struct", 70, "010201016100", {pair}},
      {"struct with a gap", 70, "02016100", {pair}},
      {"slice of structs", 66, "0200010200", {define(66, GobKind::slice, {70}), pair}},
      {"gob encoder", 66, "020102", {define(66, GobKind::gob_encoder, {})}},
      {"binary marshaler", 66, "020102", {define(66, GobKind::binary_marshaler, {})}},
      {"text marshaler", 66, "020102", {define(66, GobKind::text_marshaler, {})}},
  };
  for (const Case& c : cases) {
    for (std::size_t place = 0; place <= 2; ++place) {
      INFO(c.what << " at " << place);
      check_f1(with_extra(place, c.type, hex(c.value), c.types));
    }
  }
}

TEST_CASE("definitions may come in any order and unused ones are fine") {
  const Bytes list = define(66, GobKind::slice, {6});
  const Bytes outer =
      define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}, {"Other", 66}});
  const Bytes last = value(65, {kAddress, kKey,
                                hex("0101"
                                    "61")});
  check_f1(chain({list, outer, last}));
  check_f1(chain({outer, list, last}));
  check_f1(chain({outer, list, define(67, GobKind::slice, {99}), last}));
}

TEST_CASE("fields in another order are matched by name") {
  check_f1(chain({define_struct(65, {{"PubKey", kStringId}, {"OverlayAddr", kBytesId}}),
                  value(65, {kKey, kAddress})}));
}

TEST_CASE("an undefined type is fatal even where the field is absent") {
  const Bytes types =
      define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}, {"Other", 66}});
  CHECK(meta_refusal(joined(types, value(65, {kAddress, kKey}))) == Errc::malformed);
  CHECK(meta_refusal(chain({types, define(66, GobKind::slice, {67}),
                            value(65, {kAddress, kKey})})) == Errc::malformed);
  CHECK(meta_refusal(value(65, {kAddress, kKey})) == Errc::malformed);
  CHECK(meta_refusal(joined(types, value(66, {kAddress, kKey}))) == Errc::malformed);
}

TEST_CASE("a definition repeated or under a taken id is refused") {
  const Bytes types = define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}});
  const Bytes last = value(65, {kAddress, kKey});
  CHECK(meta_refusal(chain({types, types, last})) == Errc::malformed);
  CHECK(meta_refusal(chain({types, define(63, GobKind::slice, {6}), last})) == Errc::malformed);
  CHECK(meta_refusal(chain({types, define(6, GobKind::slice, {6}), last})) == Errc::malformed);
}

TEST_CASE("a definition with two kinds or none or bytes behind it is refused") {
  const Bytes types = define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}});
  const Bytes last = value(65, {kAddress, kKey});
  // −66, slice {element string}, then map as a second kind.
  CHECK(meta_refusal(chain({types,
                            hex("0a"
                                "ff83"
                                "02"
                                "020c00"
                                "02"
                                "0000"
                                "00"),
                            last})) == Errc::malformed);
  CHECK(meta_refusal(chain({types,
                            hex("03"
                                "ff83"
                                "00"),
                            last})) == Errc::malformed);
  CHECK(meta_refusal(chain({types,
                            hex("08"
                                "ff83"
                                "02"
                                "020c00"
                                "00"
                                "00"),
                            last})) == Errc::malformed);
  check_f1(chain({types,
                  hex("07"
                      "ff83"
                      "02"
                      "020c00"
                      "00"),
                  last}));
}

TEST_CASE("a value that is no struct is refused") {
  CHECK(meta_refusal(chain({define(65, GobKind::slice, {6}), hex("05"
                                                                 "ff82"
                                                                 "00"
                                                                 "0101")})) == Errc::unsupported);
  CHECK(meta_refusal(hex("04"
                         "0c"
                         "00"
                         "0161")) == Errc::unsupported);
  CHECK(meta_refusal(hex("02"
                         "00"
                         "00")) == Errc::unsupported);
}

TEST_CASE("OverlayAddr and PubKey of other types are refused") {
  const auto typed = [](std::int64_t address, std::int64_t key, std::vector<Bytes> more = {}) {
    more.insert(more.begin(), define_struct(65, {{"OverlayAddr", address}, {"PubKey", key}}));
    more.push_back(value(65, {}));
    return meta_refusal(chain(more));
  };
  CHECK(typed(6, 6) == Errc::unsupported);
  CHECK(typed(2, 6) == Errc::unsupported);
  CHECK(typed(5, 5) == Errc::unsupported);
  CHECK(typed(66, 6, {define(66, GobKind::slice, {6})}) == Errc::unsupported);
  CHECK(typed(66, 6, {define(66, GobKind::text_marshaler, {})}) == Errc::unsupported);
  CHECK(typed(66, 6, {define_struct(66, {{"IP", 6}, {"Mask", 5}})}) == Errc::unsupported);
  CHECK(meta_refusal(chain({define_struct(65, {{"overlayaddr", 5}, {"Pubkey", 6}}),
                            value(65, {kAddress, kKey})})) == Errc::unsupported);
}

TEST_CASE("missing fields leave their part empty") {
  const Bytes types = define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}});
  const auto none = decode_node_meta(joined(types, value(65, {})));
  REQUIRE(none);
  CHECK(none->address.empty());
  CHECK(none->public_key.empty());
  const auto address_only = decode_node_meta(
      joined(define_struct(65, {{"OverlayAddr", kBytesId}}), value(65, {kAddress})));
  REQUIRE(address_only);
  CHECK(address_only->address == hex("0a010203"));
  const auto key_only =
      decode_node_meta(joined(define_struct(65, {{"PubKey", kStringId}}), value(65, {kKey})));
  REQUIRE(key_only);
  CHECK(key_only->public_key == "pk");
}

TEST_CASE("bytes inside the value message but behind the value belong to the gob value") {
  const Bytes types = define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}});
  check_f1(joined(types, hex("0e"
                             "ff82"
                             "01040a010203"
                             "0102706b"
                             "00"
                             "ee")));
}

TEST_CASE("an interface value that brings its own types is refused") {
  CHECK(meta_refusal(with_extra(2, 8,
                                hex("0161"
                                    "ff83"
                                    "00"),
                                {})) == Errc::unsupported);
}

}  // namespace wesher::wire
