// Gob as a hostile or merely different sender may write it: type ids from 64 and 65, any order of
// definitions, fields of every kind that we have no use for, and every bound.
#include "wire/gob.h"

#include <functional>
#include <limits>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/wire/support/samples.h"
#include "wire/limits.h"
#include "wire/node_meta.h"

namespace wesher::wire {

namespace {

using test::hex;
using test::joined;

constexpr std::int64_t kBytesId = 5;
constexpr std::int64_t kStringId = 6;

/// A body written by `write`, with its length in front.
Bytes message(const std::function<void(GobWriter&, Bytes&)>& write) {
  Bytes body;
  GobWriter writer(body);
  write(writer, body);
  Bytes out;
  GobWriter(out).bytes(body);
  return out;
}

using Fields = std::vector<std::pair<std::string, std::int64_t>>;

/// Definition of a struct type, without the name that Go ignores.
Bytes define_struct(std::int64_t id, const Fields& fields) {
  return message([&](GobWriter& w, Bytes&) {
    w.integer(-id);
    w.unsigned_integer(3);
    w.unsigned_integer(2);
    w.unsigned_integer(fields.size());
    for (const auto& [name, type] : fields) {
      w.next_field();
      w.text(name);
      w.next_field();
      w.integer(type);
      w.end_struct();
    }
    w.end_struct();
    w.end_struct();
  });
}

/// Definition of another kind; `more` are the numbers behind CommonType, which is left out.
Bytes define(std::int64_t id, GobKind kind, const std::vector<std::int64_t>& more) {
  return message([&](GobWriter& w, Bytes&) {
    w.integer(-id);
    w.first_field(kind);
    bool first = true;
    for (const std::int64_t number : more) {
      w.unsigned_integer(first ? 2 : 1);
      w.integer(number);
      first = false;
    }
    w.end_struct();
    w.end_struct();
  });
}

/// A value of struct type `id`: each field's bytes, all present.
Bytes value(std::int64_t id, const std::vector<Bytes>& fields) {
  return message([&](GobWriter& w, Bytes& body) {
    w.integer(id);
    for (const Bytes& field : fields) {
      w.next_field();
      body.insert(body.end(), field.begin(), field.end());
    }
    w.end_struct();
  });
}

Bytes chain(const std::vector<Bytes>& messages) {
  Bytes out;
  for (const Bytes& one : messages)
    out = joined(out, one);
  return out;
}

const Bytes kAddress = hex("040a010203");
const Bytes kKey = hex("02706b");

/// An F1 with one more field of type `type`, at `place` of three.
Bytes with_extra(std::size_t place,
                 std::int64_t type,
                 const Bytes& extra,
                 std::vector<Bytes> types) {
  Fields fields = {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}};
  std::vector<Bytes> values = {kAddress, kKey};
  fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(place), {"Other", type});
  values.insert(values.begin() + static_cast<std::ptrdiff_t>(place), extra);
  types.insert(types.begin(), define_struct(65, fields));
  types.push_back(value(65, values));
  return chain(types);
}

void check_f1(ByteView bytes) {
  const auto raw = decode_node_meta(bytes);
  if (!raw) FAIL(raw.error().detail);
  CHECK(raw->format == MetaFormat::f1);
  CHECK(raw->address == hex("0a010203"));
  CHECK(raw->public_key == "pk");
  CHECK(raw->gob_bytes == bytes.size());
}

Errc refusal(ByteView bytes) {
  const auto raw = decode_node_meta(bytes);
  REQUIRE_FALSE(raw);
  CHECK_FALSE(raw.error().detail.empty());
  return raw.error().code;
}

}  // namespace

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
  CHECK(refusal(joined(types, value(65, {kAddress, kKey}))) == Errc::malformed);
  CHECK(refusal(chain({types, define(66, GobKind::slice, {67}), value(65, {kAddress, kKey})})) ==
        Errc::malformed);
  CHECK(refusal(value(65, {kAddress, kKey})) == Errc::malformed);
  CHECK(refusal(joined(types, value(66, {kAddress, kKey}))) == Errc::malformed);
}

TEST_CASE("a definition repeated or under a taken id is refused") {
  const Bytes types = define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}});
  const Bytes last = value(65, {kAddress, kKey});
  CHECK(refusal(chain({types, types, last})) == Errc::malformed);
  CHECK(refusal(chain({types, define(63, GobKind::slice, {6}), last})) == Errc::malformed);
  CHECK(refusal(chain({types, define(6, GobKind::slice, {6}), last})) == Errc::malformed);
}

TEST_CASE("a definition with two kinds or none or bytes behind it is refused") {
  const Bytes types = define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}});
  const Bytes last = value(65, {kAddress, kKey});
  // −66, slice {element string}, then map as a second kind.
  CHECK(refusal(chain({types,
                       hex("0a"
                           "ff83"
                           "02"
                           "020c00"
                           "02"
                           "0000"
                           "00"),
                       last})) == Errc::malformed);
  CHECK(refusal(chain({types,
                       hex("03"
                           "ff83"
                           "00"),
                       last})) == Errc::malformed);
  CHECK(refusal(chain({types,
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
  CHECK(refusal(chain({define(65, GobKind::slice, {6}), hex("05"
                                                            "ff82"
                                                            "00"
                                                            "0101")})) == Errc::unsupported);
  CHECK(refusal(hex("04"
                    "0c"
                    "00"
                    "0161")) == Errc::unsupported);
  CHECK(refusal(hex("02"
                    "00"
                    "00")) == Errc::unsupported);
}

TEST_CASE("OverlayAddr and PubKey of other types are refused") {
  const auto typed = [](std::int64_t address, std::int64_t key, std::vector<Bytes> more = {}) {
    more.insert(more.begin(), define_struct(65, {{"OverlayAddr", address}, {"PubKey", key}}));
    more.push_back(value(65, {}));
    return refusal(chain(more));
  };
  CHECK(typed(6, 6) == Errc::unsupported);
  CHECK(typed(2, 6) == Errc::unsupported);
  CHECK(typed(5, 5) == Errc::unsupported);
  CHECK(typed(66, 6, {define(66, GobKind::slice, {6})}) == Errc::unsupported);
  CHECK(typed(66, 6, {define(66, GobKind::text_marshaler, {})}) == Errc::unsupported);
  CHECK(typed(66, 6, {define_struct(66, {{"IP", 6}, {"Mask", 5}})}) == Errc::unsupported);
  CHECK(refusal(chain({define_struct(65, {{"overlayaddr", 5}, {"Pubkey", 6}}),
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

TEST_CASE("a struct of 64 fields is read and one of 65 is not") {
  // One byte a name keeps it within 512 bytes.
  const auto sized = [](std::size_t count) {
    Fields fields = {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}};
    while (fields.size() < count)
      fields.emplace_back("", 1);
    return joined(define_struct(65, fields), value(65, {kAddress, kKey}));
  };
  REQUIRE(sized(65).size() <= limits::kMetaBytes);
  check_f1(sized(64));
  CHECK(refusal(sized(65)) == Errc::too_large);
}

TEST_CASE("a stream of 32 definitions is read and one of 33 is not") {
  const auto sized = [](std::size_t count) {
    std::vector<Bytes> messages = {
        define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}})};
    while (messages.size() < count)
      messages.push_back(
          define(65 + static_cast<std::int64_t>(messages.size()), GobKind::gob_encoder, {}));
    messages.push_back(value(65, {kAddress, kKey}));
    return chain(messages);
  };
  REQUIRE(sized(33).size() <= limits::kMetaBytes);
  check_f1(sized(32));
  CHECK(refusal(sized(33)) == Errc::too_large);
}

TEST_CASE("values nest eight deep and not nine") {
  // The struct itself is the first container, slices of slices the others.
  const auto nested = [](std::size_t slices) {
    std::vector<Bytes> types;
    for (std::size_t i = 1; i < slices; ++i)
      types.push_back(define(65 + static_cast<std::int64_t>(i), GobKind::slice,
                             {66 + static_cast<std::int64_t>(i)}));
    types.push_back(define(65 + static_cast<std::int64_t>(slices), GobKind::slice, {1}));
    return with_extra(2, 66, joined(Bytes(slices, 1), hex("01")), types);
  };
  check_f1(nested(7));
  CHECK(refusal(nested(8)) == Errc::too_large);
}

TEST_CASE("a type made of itself is bounded by its value") {
  const Bytes self = define(66, GobKind::slice, {66});
  check_f1(with_extra(2, 66, hex("010100"), {self}));
  CHECK(refusal(with_extra(2, 66, joined(Bytes(20, 1), hex("00")), {self})) == Errc::too_large);
}

TEST_CASE("a count larger than the bytes left is refused") {
  CHECK(refusal(with_extra(2, 66, hex("f8ffffffffffffffff"), {define(66, GobKind::slice, {1})})) ==
        Errc::malformed);
  CHECK(refusal(with_extra(2, 5, hex("f8ffffffffffffffff"), {})) == Errc::malformed);
  CHECK(refusal(with_extra(2, 66, hex("020101"), {define(66, GobKind::array, {1, 3})})) ==
        Errc::malformed);
}

TEST_CASE("a field number that the type has not is refused") {
  CHECK(refusal(joined(define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}}),
                       hex("04"
                           "ff82"
                           "0300"))) == Errc::malformed);
  CHECK(refusal(joined(define_struct(65, {{"OverlayAddr", kBytesId}}), hex("0c"
                                                                           "ff82"
                                                                           "f8ffffffffffffffff"
                                                                           "00"))) ==
        Errc::malformed);
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
  CHECK(refusal(with_extra(2, 8,
                           hex("0161"
                               "ff83"
                               "00"),
                           {})) == Errc::unsupported);
}

}  // namespace wesher::wire
