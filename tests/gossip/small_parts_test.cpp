// The nonce memory and the own incarnation numbers.
#include <catch2/catch.hpp>

#include "gossip/incarnations.h"
#include "gossip/nonce_memory.h"

namespace wesher::gossip {

namespace {

Bytes nonce(std::uint32_t number) {
  Bytes bytes(8, 0);
  ByteWriter(bytes).u32(number);
  return bytes;
}

}  // namespace

TEST_CASE("a nonce is remembered for at least a generation and forgotten after two") {
  Rng rng = Rng::from_number(1);
  NonceMemory memory(rng, 100);
  CHECK_FALSE(memory.seen(nonce(0)));
  memory.remember(nonce(0));
  CHECK(memory.seen(nonce(0)));
  for (std::uint32_t i = 1; i <= 100; ++i)
    memory.remember(nonce(i));
  CHECK(memory.seen(nonce(0)));
  for (std::uint32_t i = 101; i <= 200; ++i)
    memory.remember(nonce(i));
  CHECK_FALSE(memory.seen(nonce(0)));
  CHECK(memory.seen(nonce(101)));
  CHECK(memory.size() <= 200);
}

TEST_CASE("incarnations go up by one or jump and stop at the reserved end") {
  Incarnations numbers(1, 10);
  CHECK(numbers.current() == 1);
  CHECK(numbers.take(0) == 2U);
  CHECK(numbers.take(7) == 7U);
  CHECK(numbers.take(3) == 8U);
  CHECK(numbers.take(0) == 9U);
  CHECK_FALSE(numbers.take(0));
  CHECK(numbers.current() == 9);
  numbers.extend(11);
  CHECK(numbers.take(0) == 10U);
}

TEST_CASE("a new block is asked for when half of the old one is used") {
  Incarnations numbers(1, 11);
  CHECK_FALSE(numbers.ask(0));
  REQUIRE(numbers.take(6));
  const auto end = numbers.ask(0);
  REQUIRE(end);
  CHECK(*end > 11);
  CHECK_FALSE(numbers.ask(0));
  numbers.extend(*end);
  CHECK_FALSE(numbers.ask(0));
}

TEST_CASE("a number beyond the block is asked for with room above it") {
  Incarnations numbers(1, 1001);
  const auto end = numbers.ask(5000000);
  REQUIRE(end);
  CHECK(*end == 5001000);
  CHECK_FALSE(numbers.ask(5000500));
  CHECK(numbers.ask(6000000) == 6001000U);
}

TEST_CASE("incarnations saturate instead of wrapping") {
  Incarnations numbers(1, 0xffffffff);
  CHECK(numbers.take(0xffffffff) == 0xfffffffeU);
  CHECK(numbers.take(0) == 0xfffffffeU);
  CHECK(numbers.take(0xffffffff) == 0xfffffffeU);
  CHECK_FALSE(numbers.ask(0xffffffff));
}

TEST_CASE("zero is never an incarnation") {
  CHECK(Incarnations(0, 0).current() == 1);
}

}  // namespace wesher::gossip
