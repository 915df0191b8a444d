// Whole clusters of nodes over a virtual network: who learns what, and within which time. The
// bounds are those of memberlist's WAN configuration.
#include "tests/gossip/support/cluster.h"

#include <catch2/catch.hpp>

#include "gossip/lifeguard.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

/// A crash is noticed when somebody's round comes to the member (with n probers, one interval
/// after the other), plus a failed probe, plus the longest suspicion, plus a few gossip ticks.
Duration failure_bound(std::size_t n) {
  const auto bounds = suspicion_bounds(6, 6, n, 5s);
  const Duration suspicion = bounds.confirmations == 0 ? bounds.min : bounds.max;
  return Duration(5s) * (2 * n) + 5s + suspicion + 10s;
}

std::size_t failures_told(const Cluster& cluster, std::size_t i) {
  std::size_t count = 0;
  for (const Event& event : cluster.events(i))
    count += std::holds_alternative<Failed>(event) ? 1U : 0U;
  return count;
}

}  // namespace

TEST_CASE("a cluster converges within seconds") {
  const std::size_t nodes = GENERATE(std::size_t{2}, std::size_t{3}, std::size_t{20});
  Cluster cluster(nodes);
  REQUIRE(cluster.converge(10s));
}

TEST_CASE("a cluster of twenty converges although a third of all datagrams is lost") {
  Cluster cluster(20, 3, 0.33);
  REQUIRE(cluster.converge(60s));
}

TEST_CASE("nobody is declared dead in twenty quiet minutes") {
  Cluster cluster(20, 4);
  REQUIRE(cluster.converge(10s));
  cluster.run(20min);
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    CHECK(failures_told(cluster, i) == 0);
    CHECK(cluster.node(i).live() == 19);
    CHECK(cluster.node(i).health() == 0);
  }
}

TEST_CASE("a tenth of all datagrams lost kills nobody in half an hour") {
  Cluster cluster(20, 5, 0.1);
  REQUIRE(cluster.converge(30s));
  cluster.run(30min);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    CHECK(failures_told(cluster, i) == 0);
}

TEST_CASE("a killed node is failed everywhere within the bound and then reaped") {
  const std::size_t nodes = GENERATE(std::size_t{3}, std::size_t{20});
  Cluster cluster(nodes, 6);
  REQUIRE(cluster.converge(10s));
  cluster.run(30s);
  cluster.kill(1);
  const Duration took = cluster.run_until([&] { return cluster.all_hold(1, RecordState::dead); },
                                          failure_bound(nodes));
  REQUIRE(took > Duration::zero());
  CHECK(took >= suspicion_bounds(6, 6, nodes, 5s).min);
  const auto reaped = [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (i != 1 && cluster.knows(i, 1)) return false;
    }
    return true;
  };
  // One round of probes over all members passes before its end, where records are dropped.
  CHECK(cluster.run_until(reaped, 60s + Duration(5s) * (2 * nodes)) >= Duration::zero());
}

TEST_CASE("a leave is heard by everybody within one latency") {
  Cluster cluster(20, 7);
  REQUIRE(cluster.converge(10s));
  cluster.run(30s);
  cluster.act(5, [](Node& node, Instant now) { node.leave(now); });
  const Duration took =
      cluster.run_until([&] { return cluster.all_hold(5, RecordState::left); }, 10s);
  CHECK(took >= Duration::zero());
  CHECK(took <= Duration(40ms));
  for (std::size_t i = 0; i < cluster.size(); ++i)
    CHECK(failures_told(cluster, i) == 0);
  cluster.run(20s);
  std::size_t told = 0;
  for (const Event& event : cluster.events(5)) {
    if (const auto* spread = std::get_if<LeaveSpread>(&event)) told = spread->told;
  }
  CHECK(told == 19);
}

TEST_CASE("a leave reaches everybody although a third of all datagrams is lost") {
  Cluster cluster(20, 8, 0.33);
  REQUIRE(cluster.converge(60s));
  cluster.act(5, [](Node& node, Instant now) { node.leave(now); });
  CHECK(cluster.run_until([&] { return cluster.all_hold(5, RecordState::left); }, 15s) >=
        Duration::zero());
}

TEST_CASE("two halves that reaped each other are one cluster again after a single join") {
  Cluster cluster(8, 9);
  REQUIRE(cluster.converge(10s));
  for (std::size_t i = 4; i < 8; ++i)
    cluster.group(i, 1);
  cluster.run(10min);
  CHECK_FALSE(cluster.knows(0, 7));
  for (std::size_t i = 4; i < 8; ++i)
    cluster.group(i, 0);
  cluster.run(5min);
  CHECK_FALSE(cluster.knows(0, 7));
  cluster.act(2, [&](Node& node, Instant now) { node.join(cluster.endpoint(6), now); });
  const auto whole = [&] {
    for (std::size_t j = 0; j < cluster.size(); ++j) {
      if (!cluster.all_hold(j, RecordState::alive)) return false;
    }
    return true;
  };
  CHECK(cluster.run_until(whole, 30s) >= Duration::zero());
}

TEST_CASE("a short partition leaves nobody dead after it healed") {
  Cluster cluster(6, 10);
  REQUIRE(cluster.converge(10s));
  for (std::size_t i = 3; i < 6; ++i)
    cluster.group(i, 1);
  cluster.run(90s);
  for (std::size_t i = 3; i < 6; ++i)
    cluster.group(i, 0);
  const auto whole = [&] {
    for (std::size_t j = 0; j < cluster.size(); ++j) {
      if (!cluster.all_hold(j, RecordState::alive)) return false;
    }
    return true;
  };
  CHECK(cluster.run_until(whole, 5min) >= Duration::zero());
}

TEST_CASE("a restarted node with a low incarnation is back everywhere within seconds") {
  Cluster cluster(10, 11);
  REQUIRE(cluster.converge(10s));
  for (std::uint8_t i = 0; i < 5; ++i)
    cluster.act(3, [&](Node& node, Instant now) { node.update_meta({1, 2, i}, now); });
  cluster.run(20s);
  REQUIRE(cluster.node(0).find("node-3")->incarnation == 6);
  cluster.restart(3);
  cluster.start(3, 0);
  const auto fresh = [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (cluster.node(i).find("node-3")->meta != cluster.node(3).self().meta) return false;
    }
    return cluster.all_hold(3, RecordState::alive);
  };
  CHECK(cluster.run_until(fresh, 10s) >= Duration::zero());
}

TEST_CASE("a node whose UDP towards one member is cut off is not declared dead") {
  Cluster cluster(6, 12);
  REQUIRE(cluster.converge(10s));
  cluster.drop_datagrams(1, 2);
  cluster.drop_datagrams(2, 1);
  cluster.run(20min);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    CHECK(failures_told(cluster, i) == 0);
}

TEST_CASE("a node that only asked read-only is known to nobody") {
  Cluster cluster(4, 13);
  for (std::size_t i = 0; i < 3; ++i)
    cluster.start(i, 0);
  cluster.run(10s);
  cluster.act(3, [&](Node& node, Instant now) { node.probe_seed(cluster.endpoint(1), now); });
  cluster.run(2min);
  CHECK(cluster.node(3).live() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK_FALSE(cluster.knows(i, 3));
}

TEST_CASE("the same seed gives the same run") {
  const auto fingerprint = [] {
    Cluster cluster(10, 14, 0.2);
    cluster.converge(30s);
    cluster.kill(4);
    cluster.run(5min);
    return std::pair(cluster.datagrams(), cluster.events(0).size());
  };
  CHECK(fingerprint() == fingerprint());
}

}  // namespace wesher::gossip::testing
