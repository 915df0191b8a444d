#include "gossip/broadcast_queue.h"

#include <catch2/catch.hpp>

namespace wesher::gossip {

namespace {

Bytes message(std::size_t size, std::uint8_t fill) {
  return Bytes(size, fill);
}

/// First bytes of the messages drawn.
std::string drawn(BroadcastQueue& queue, std::size_t budget, unsigned limit = 100) {
  wire::PacketParts parts;
  queue.draw(parts, budget, 127, limit);
  Bytes plain;
  parts.write_to(plain);
  if (parts.count() < 2) return std::string(as_text(plain).substr(0, 1));
  std::string text;
  ByteReader lengths(ByteView(plain).subspan(2, 2 * parts.count()));
  ByteReader bytes(ByteView(plain).subspan(2 + 2 * parts.count()));
  for (std::size_t i = 0; i < parts.count(); ++i)
    text += as_text(bytes.take(lengths.u16())).front();
  return text;
}

}  // namespace

TEST_CASE("a newer message about a member replaces the older one") {
  BroadcastQueue queue(10);
  queue.put("x", message(10, 'a'));
  queue.put("x", message(5, 'b'));
  CHECK(queue.size() == 1);
  CHECK(drawn(queue, 1000) == "b");
}

TEST_CASE("the largest message that fits goes first and of equals the newest") {
  BroadcastQueue queue(10);
  queue.put("x", message(10, 'a'));
  queue.put("y", message(30, 'b'));
  queue.put("z", message(10, 'c'));
  queue.put("w", message(20, 'd'));
  CHECK(drawn(queue, 1000) == "bdca");
}

TEST_CASE("each message is charged its length and two bytes") {
  BroadcastQueue queue(10);
  queue.put("x", message(10, 'a'));
  queue.put("y", message(10, 'b'));
  CHECK(drawn(queue, 11).empty());
  CHECK(drawn(queue, 12) == "b");
  CHECK(drawn(queue, 24) == "ab");
  CHECK(drawn(queue, 23) == "a");
}

TEST_CASE("the least sent go first even if a larger one would fit") {
  BroadcastQueue queue(10);
  queue.put("x", message(30, 'a'));
  CHECK(drawn(queue, 32) == "a");
  queue.put("y", message(10, 'b'));
  CHECK(drawn(queue, 1000) == "ba");
}

TEST_CASE("what does not fit in its turn leaves room to a smaller one that was sent more often") {
  BroadcastQueue queue(10);
  queue.put("x", message(10, 'a'));
  CHECK(drawn(queue, 100) == "a");
  queue.put("y", message(50, 'b'));
  CHECK(drawn(queue, 40) == "a");
  CHECK(drawn(queue, 100) == "ba");
}

TEST_CASE("a message is gone after its transmissions") {
  BroadcastQueue queue(10);
  queue.put("x", message(10, 'a'));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(queue.contains("x"));
    REQUIRE(drawn(queue, 100, 4) == "a");
  }
  CHECK_FALSE(queue.contains("x"));
  CHECK(queue.empty());
  CHECK(drawn(queue, 100, 4).empty());
}

TEST_CASE("a replaced message starts its transmissions anew") {
  BroadcastQueue queue(10);
  queue.put("x", message(10, 'a'));
  CHECK(drawn(queue, 100, 2) == "a");
  queue.put("x", message(10, 'b'));
  CHECK(drawn(queue, 100, 2) == "b");
  CHECK(drawn(queue, 100, 2) == "b");
  CHECK(queue.empty());
}

TEST_CASE("a draw takes no more parts than allowed and each only once") {
  BroadcastQueue queue(1000);
  for (int i = 0; i < 100; ++i)
    queue.put(std::to_string(i), message(1, 'a'));
  wire::PacketParts some;
  queue.draw(some, 100000, 60, 100);
  CHECK(some.count() == 60);
  wire::PacketParts all;
  queue.draw(all, 100000, 127, 100);
  CHECK(all.count() == 100);
}

TEST_CASE("a full queue lets the most sent message go") {
  BroadcastQueue queue(2);
  queue.put("x", message(10, 'a'));
  CHECK(drawn(queue, 100) == "a");
  queue.put("y", message(10, 'b'));
  queue.put("z", message(10, 'c'));
  CHECK(queue.size() == 2);
  CHECK_FALSE(queue.contains("x"));
}

TEST_CASE("an empty message is not taken") {
  BroadcastQueue queue(2);
  queue.put("x", {});
  CHECK(queue.empty());
}

TEST_CASE("a message that fits in no datagram waits without harm") {
  BroadcastQueue queue(10);
  queue.put("x", message(2000, 'a'));
  queue.put("y", message(10, 'b'));
  CHECK(drawn(queue, 1369) == "b");
  CHECK(queue.contains("x"));
}

}  // namespace wesher::gossip
