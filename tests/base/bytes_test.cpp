#include "base/bytes.h"

#include <catch2/catch.hpp>

namespace wesher {
namespace {

TEST_CASE("hex is written in lower case and read in either") {
  const Bytes bytes = {0x00, 0x0f, 0xa5, 0xff};
  CHECK(to_hex(bytes) == "000fa5ff");
  CHECK(from_hex("000fA5Ff") == bytes);
  CHECK(from_hex("") == Bytes{});
}

TEST_CASE("hex of odd length or with another character is refused") {
  for (const char* bad : {"0", "000", "0g", "g0", "0 ", "0x", " 00", "\xff\xff"})
    CHECK_FALSE(from_hex(bad).has_value());
}

TEST_CASE("integers are read in network order") {
  const Bytes bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xfe};
  ByteReader reader(bytes);
  CHECK(reader.u8() == 0x01);
  CHECK(reader.u16() == 0x0203);
  CHECK(reader.u32() == 0x04050607);
  CHECK(reader.offset() == 7);
  CHECK(reader.left() == 9);
  CHECK(reader.rest().size() == 9);
  CHECK(reader.u64() == 0x08090a0b0c0d0e0f);
  CHECK(reader.u8() == 0xfe);
  CHECK(reader.left() == 0);
  CHECK(reader.ok());
}

TEST_CASE("a read beyond the end gives zero and spoils all that follow") {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes);
  CHECK(reader.u32() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.u8() == 0);
  CHECK(reader.take(1).empty());
  CHECK(reader.left() == 3);
}

TEST_CASE("a length that would overflow is a read beyond the end") {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes);
  (void)reader.u8();
  CHECK(reader.take(static_cast<std::size_t>(-1)).empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("nothing can be taken from nothing without failing") {
  ByteReader reader({});
  CHECK(reader.take(0).empty());
  CHECK(reader.ok());
  (void)reader.u8();
  CHECK_FALSE(reader.ok());
}

TEST_CASE("what a writer wrote a reader reads") {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.u8(1);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0f);
  writer.big_endian(0xabcdef, 3);
  writer.put(as_bytes("xy"));
  CHECK(to_hex(bytes) == "0102030405060708090a0b0c0d0e0fabcdef7879");
  ByteReader reader(bytes);
  (void)reader.take(15);
  CHECK(reader.big_endian(3) == 0xabcdef);
  CHECK(as_text(reader.rest()) == "xy");
}

}  // namespace
}  // namespace wesher
