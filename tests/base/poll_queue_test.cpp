#include "base/poll_queue.h"

#include <string>

#include <catch2/catch.hpp>

namespace wesher {

TEST_CASE("what waits is polled once in the order in which it came") {
  PollQueue<std::string> queue;
  CHECK(queue.empty());
  CHECK_FALSE(queue.poll());
  queue.push("a");
  queue.push("b");
  CHECK(queue.poll() == "a");
  queue.push("c");
  CHECK_FALSE(queue.empty());
  CHECK(queue.poll() == "b");
  CHECK(queue.poll() == "c");
  CHECK(queue.empty());
  CHECK_FALSE(queue.poll());
}

TEST_CASE("thousands that waited leave a queue that goes on") {
  PollQueue<int> queue;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i)
      queue.push(i);
    for (int i = 0; i < 5000; ++i)
      REQUIRE(queue.poll() == i);
    CHECK(queue.empty());
  }
}

}  // namespace wesher
