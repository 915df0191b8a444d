#include "wire/reservations.h"

#include <catch2/catch.hpp>

#include "wire/limits.h"

namespace wesher::wire {

namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

const std::vector<Reservation> kTwo{{"db", ip("10.0.0.1")}, {"x", ip("fd00::9")}};

}  // namespace

TEST_CASE("Reserved addresses come back with the names they are kept for") {
  const Bytes bytes = encode_reservations(kTwo);
  CHECK(to_hex(bytes) == "57325201026462040a000001017810fd000000000000000000000000000009");
  CHECK(decode_reservations(bytes).value() == kTwo);
  CHECK(encode_reservations({}).empty());
}

TEST_CASE("A list of reserved addresses that is cut or damaged or something else is refused") {
  const Bytes bytes = encode_reservations(kTwo);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (size == 4 || size == 12) continue;  // a shorter list
    CHECK_FALSE(decode_reservations(ByteView(bytes).first(size)));
  }
  Bytes other = bytes;
  other[3] = 2;
  CHECK(decode_reservations(other).error().code == Errc::unsupported);
  Bytes nameless = bytes;
  nameless[4] = 0;
  CHECK(decode_reservations(nameless).error().code == Errc::malformed);
  Bytes odd = bytes;
  odd[7] = 5;
  CHECK(decode_reservations(odd).error().code == Errc::malformed);
}

TEST_CASE("A list longer than a cluster has members is cut, and refused from others") {
  std::vector<Reservation> many(limits::kMembers + 1, kTwo.front());
  Bytes bytes = encode_reservations(many);
  CHECK(decode_reservations(bytes).value().size() == limits::kMembers);
  const Bytes one = encode_reservations({kTwo.front()});
  bytes.insert(bytes.end(), one.begin() + 4, one.end());
  CHECK(decode_reservations(bytes).error().code == Errc::malformed);
}

}  // namespace wesher::wire
