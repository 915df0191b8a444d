// The nodes of a running cluster of the Go wesher are replaced by ours, one after the other, while
// packets flow between all of them.
#include <iostream>

#include <catch2/catch.hpp>

#include "interop/support/pair_flows.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::FlowKind;

namespace {

constexpr int kNodes = 5;
/// Packets a second and direction.
constexpr int kRate = 40;
/// Until all pairs reach each other.
constexpr auto kReach = 30s;
/// A one-way flow whose session one side has lost stands still for 15 s, and may lose it again.
constexpr auto kSteady = 60s;

/// What a flow may lose at a step, on average, beyond what flows between Go nodes lose: between an
/// event and the next look of ours, or packet of the Go node, which begins a new session, ours
/// still uses the old one. A step has up to three events, and costs up to four packets on a machine
/// with too much to do.
constexpr double kUntilItsNextPacket = 8;

/// Pairs of ours and Go over the whole run, in both directions.
PairLoss mixed_pairs(const PairLosses& losses) {
  PairLoss all;
  for (const PairKind kind : {PairKind::ours_go, PairKind::go_ours})
    if (const auto found = losses.find(kind); found != losses.end()) all.add(found->second);
  return all;
}

void replace_one_by_one(const std::string& format, FlowKind kind) {
  MixedCluster cluster(kNodes, format);
  for (int number = 1; number <= kNodes; ++number)
    cluster.start_go(number);
  cluster.require_reach("all Go", kReach);
  PairFlows flows(cluster, kind, kRate);
  PairLosses total;
  PairLoss mixed_beside_go;  // in steps that also have pairs of two Go nodes
  PairLoss go_beside_mixed;
  for (int number = 1; number <= kNodes; ++number) {
    const std::string step = "n" + std::to_string(number) + " replaced";
    cluster.stop(number);
    // It finds key and seeds in the Go program's state.
    cluster.start_ours(number);
    // No ping before the flows are counted: an answer would begin a session that they lack.
    cluster.require_keys(step, kReach);
    flows.require_steady(step, kSteady);
    const PairLosses losses = flows.take(number);
    cluster.require_reach(step, kReach);
    std::cout << markdown(step, losses) << "\n";
    for (const auto& [pair, loss] : losses)
      total[pair].add(loss);
    if (losses.contains(PairKind::go_go) && mixed_pairs(losses).flows > 0) {
      mixed_beside_go.add(mixed_pairs(losses));
      go_beside_mixed.add(losses.at(PairKind::go_go));
    }
  }
  std::cout << markdown(format + (kind == FlowKind::one_way ? ", one way" : ", both ways"), total)
            << std::endl;
  REQUIRE(total.at(PairKind::ours_ours).flows > 0);
  CHECK(total.at(PairKind::ours_ours).lost == 0);
  // That losses are seen at all. Go nodes that hear of an event at one moment lose nothing.
  CHECK(total.at(PairKind::changing).lost > 0);
  CHECK(mixed_beside_go.mean() <= go_beside_mixed.mean() + kUntilItsNextPacket);
}

}  // namespace

// These compare losses of pairs, which a machine that other scenarios keep busy makes at random.
TEST_CASE("a cluster of Go nodes that speak F1 is replaced by ours one by one", "[alone]") {
  replace_one_by_one("F1", FlowKind::both_ways);
}

TEST_CASE("a cluster of Go nodes that speak F2 is replaced by ours one by one", "[alone]") {
  replace_one_by_one("F2", FlowKind::both_ways);
}

TEST_CASE("a cluster of Go nodes that speak F3 is replaced by ours one by one", "[alone]") {
  replace_one_by_one("F3", FlowKind::both_ways);
}

TEST_CASE("one-way flows survive that a cluster of Go nodes is replaced by ours", "[alone]") {
  replace_one_by_one("F2", FlowKind::one_way);
}

namespace {

void roll_back(const std::string& format, const std::string& state) {
  MixedCluster cluster(4, format);
  for (int number = 1; number <= 4; ++number)
    cluster.start_go(number);
  cluster.require_reach("all Go", kReach);
  for (const int number : {3, 4}) {
    cluster.stop(number);
    cluster.start_ours(number);
  }
  cluster.require_reach("two replaced", kReach);
  for (const int number : {3, 4}) {
    netns::Host& host = cluster.host(number);
    const std::string before = netns::read_file(host.path(state));
    const netns::Output exported =
        host.wesher({"state", "export", "--format", "go", "--output", state, "--force"});
    INFO(exported.text());
    REQUIRE(exported.exit_code == 0);
    REQUIRE(netns::read_file(host.path(state)) != before);
    cluster.stop(number);
    CHECK_FALSE(host.has_link());
    cluster.restart_go(number);
    cluster.require_reach("n" + std::to_string(number) + " is back with the Go program", kReach);
  }
}

}  // namespace

TEST_CASE("a node goes back to the Go program that speaks F2 with the state that ours exports") {
  roll_back("F2", "/var/lib/wesher/state.json");
}

TEST_CASE("a node goes back to the Go program that speaks F3 with the state that ours exports") {
  roll_back("F3", "/var/lib/wesher/wgoverlay.json");
}

TEST_CASE("ours takes over device, key and names of a Go node that was killed") {
  MixedCluster cluster(3, "F2");
  for (int number = 1; number <= 3; ++number)
    cluster.start_go(number);
  cluster.require_reach("all Go", kReach);
  netns::Host& host = cluster.host(3);
  const std::string link = "/sys/class/net/wgoverlay/ifindex";
  const std::string before = host.exec({"cat", link}).out;
  const std::string key = cluster.key(3);
  cluster.kill(3);
  REQUIRE(host.device()->public_key == key);
  cluster.start_ours(3);
  // What the Go program left behind goes on working meanwhile, so that pings pass at once.
  cluster.rig().require_soon("names are ours", kReach, [&] {
    return host.hosts_file().find("MANAGED AUTOMATICALLY") == std::string::npos;
  });
  cluster.require_reach("taken over", kReach);
  CHECK(host.device()->public_key == key);
  CHECK(host.exec({"cat", link}).out == before);
  cluster.stop(3);
  CHECK_FALSE(host.has_link());
  cluster.require_reach("the other two", kReach);
}

}  // namespace wesher::interop
