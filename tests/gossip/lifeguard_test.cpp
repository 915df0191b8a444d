// The formulas against the values that memberlist computes.
#include "gossip/lifeguard.h"

#include <catch2/catch.hpp>

#include "gossip/suspicion.h"

namespace wesher::gossip {

using namespace std::chrono_literals;

TEST_CASE("the shortest suspicion grows with the logarithm of the members") {
  const auto min = [](std::size_t n) { return suspicion_bounds(6, 6, n, 5s).min; };
  CHECK(min(0) == 30s);
  CHECK(min(1) == 30s);
  CHECK(min(10) == 30s);
  CHECK(min(31) == 44730ms);
  CHECK(min(99) == 59850ms);
  CHECK(min(100) == 60s);
  CHECK(min(1000) == 90s);
}

TEST_CASE("confirmations count only where enough others could confirm") {
  const auto k = [](std::size_t n) { return suspicion_bounds(6, 6, n, 5s).confirmations; };
  CHECK(k(1) == 0);
  CHECK(k(5) == 0);
  CHECK(k(6) == 4);
  CHECK(k(1000) == 4);
  CHECK(suspicion_bounds(1, 6, 100, 5s).confirmations == 0);
}

TEST_CASE("each confirmation shortens a suspicion as Lifeguard has it") {
  const SuspicionBounds bounds{30s, 180s, 4};
  CHECK(suspicion_timeout(bounds, 0) == 180s);
  CHECK(suspicion_timeout(bounds, 1) == 115398ms);
  CHECK(suspicion_timeout(bounds, 2) == 77609ms);
  CHECK(suspicion_timeout(bounds, 3) == 50797ms);
  CHECK(suspicion_timeout(bounds, 4) == 30s);
  CHECK(suspicion_timeout(bounds, 5) == 30s);
  CHECK(suspicion_timeout({30s, 180s, 0}, 0) == 30s);
}

TEST_CASE("a broadcast is sent four times for each digit of the members") {
  CHECK(retransmit_limit(4, 0) == 0);
  CHECK(retransmit_limit(4, 1) == 4);
  CHECK(retransmit_limit(4, 9) == 4);
  CHECK(retransmit_limit(4, 10) == 8);
  CHECK(retransmit_limit(4, 99) == 8);
  CHECK(retransmit_limit(4, 100) == 12);
  CHECK(retransmit_limit(4, 999) == 12);
}

TEST_CASE("push and pull gets rarer with every doubling above thirty-two") {
  CHECK(push_pull_period(60s, 1) == 60s);
  CHECK(push_pull_period(60s, 32) == 60s);
  CHECK(push_pull_period(60s, 33) == 120s);
  CHECK(push_pull_period(60s, 64) == 120s);
  CHECK(push_pull_period(60s, 65) == 180s);
  CHECK(push_pull_period(60s, 128) == 180s);
  CHECK(push_pull_period(60s, 129) == 240s);
}

TEST_CASE("the health score stays between zero and seven") {
  Awareness health(8);
  health.improve();
  CHECK(health.score() == 0);
  CHECK(health.scale(5s) == 5s);
  health.worsen(3);
  CHECK(health.scale(5s) == 20s);
  health.worsen(4000000000U);
  CHECK(health.score() == 7);
  health.improve();
  CHECK(health.score() == 6);
}

TEST_CASE("an accuser counts once and the first one not at all") {
  const Instant start{1h};
  SuspicionTimer timer("a", {30s, 180s, 4}, start);
  CHECK(timer.deadline() == start + 180s);
  CHECK_FALSE(timer.confirm("a"));
  CHECK(timer.confirm("b"));
  CHECK_FALSE(timer.confirm("b"));
  CHECK(timer.deadline() == start + 115398ms);
  CHECK(timer.confirm("c"));
  CHECK(timer.confirm("d"));
  CHECK(timer.confirm("e"));
  CHECK(timer.deadline() == start + 30s);
  CHECK_FALSE(timer.confirm("f"));
  CHECK(timer.confirmations() == 4);
}

}  // namespace wesher::gossip
