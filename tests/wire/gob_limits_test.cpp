// The bounds on a gob stream, each at its border: fields, definitions, nesting, counts.
#include <catch2/catch.hpp>

#include "tests/wire/support/gob_streams.h"
#include "wire/limits.h"

namespace wesher::wire {

using namespace test;

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
  CHECK(meta_refusal(sized(65)) == Errc::too_large);
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
  CHECK(meta_refusal(sized(33)) == Errc::too_large);
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
  CHECK(meta_refusal(nested(8)) == Errc::too_large);
}

TEST_CASE("a type made of itself is bounded by its value") {
  const Bytes self = define(66, GobKind::slice, {66});
  check_f1(with_extra(2, 66, hex("010100"), {self}));
  CHECK(meta_refusal(with_extra(2, 66, joined(Bytes(20, 1), hex("00")), {self})) ==
        Errc::too_large);
}

TEST_CASE("a count larger than the bytes left is refused") {
  CHECK(meta_refusal(with_extra(2, 66, hex("f8ffffffffffffffff"),
                                {define(66, GobKind::slice, {1})})) == Errc::malformed);
  CHECK(meta_refusal(with_extra(2, 5, hex("f8ffffffffffffffff"), {})) == Errc::malformed);
  CHECK(meta_refusal(with_extra(2, 66, hex("020101"), {define(66, GobKind::array, {1, 3})})) ==
        Errc::malformed);
}

TEST_CASE("a field number that the type has not is refused") {
  CHECK(meta_refusal(joined(define_struct(65, {{"OverlayAddr", kBytesId}, {"PubKey", kStringId}}),
                            hex("04"
                                "ff82"
                                "0300"))) == Errc::malformed);
  CHECK(meta_refusal(joined(define_struct(65, {{"OverlayAddr", kBytesId}}), hex("0c"
                                                                                "ff82"
                                                                                "f8ffffffffffffffff"
                                                                                "00"))) ==
        Errc::malformed);
}

}  // namespace wesher::wire
