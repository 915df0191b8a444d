// Clusters of the Go wesher and ours, with real WireGuard on both: whoever runs reaches everybody.
#include <algorithm>
#include <iostream>

#include <catch2/catch.hpp>

#include "interop/support/mixed_cluster.h"

namespace wesher::interop {

using namespace std::chrono_literals;

namespace {

constexpr auto kAtOnce = 30s;
/// Of a silent member: found by a probe of each within 25 s, then 30 s of suspicion.
constexpr auto kFound = 90s;

/// n1 and n2 run ours, n3 to n5 the Go wesher.
void start_mixed(MixedCluster& cluster) {
  for (const int number : {1, 2})
    cluster.start_ours_with_key(number);
  for (const int number : {3, 4, 5})
    cluster.start_go(number);
  cluster.require_reach("all are up", kAtOnce);
}

void require_clean_logs(MixedCluster& cluster) {
  for (const int number : cluster.running())
    if (cluster.runs(number) == Runs::go) CHECK(cluster.go(number).errors() == "");
}

void tell(const std::string& what, std::chrono::milliseconds took) {
  std::cout << what << " after " << took.count() << " ms" << std::endl;
}

}  // namespace

TEST_CASE("a Go wesher of the rig leaves on its host what the Go program leaves there") {
  MixedCluster cluster(3, "F2");
  netns::Host& host = cluster.host(1);
  const std::string before = host.hosts_file();
  cluster.start_go(1);
  // Alone it has no interface.
  REQUIRE_FALSE(host.has_link());
  cluster.start_go(2);
  cluster.start_go(3);
  cluster.require_reach("three Go nodes", kAtOnce);
  const std::string first_key = cluster.key(1);
  REQUIRE(host.device()->public_key == first_key);
  CHECK(host.hosts_file().find("\tn2\t# ! MANAGED AUTOMATICALLY !\n") != std::string::npos);
  CHECK(host.routes().size() == 2);
  const Json state = Json::parse(netns::read_file(host.path("/var/lib/wesher/state.json")));
  CHECK(state.at("ClusterKey") == cluster.rig().key());
  CHECK(state.at("Nodes").size() == 2);
  CHECK(cluster.go(1).errors() == "");
  cluster.stop(1);
  CHECK_FALSE(host.has_link());
  CHECK(host.hosts_file() == before);
  cluster.require_reach("the other two", kAtOnce);
  // With what it stored, and a new key.
  cluster.restart_go(1);
  cluster.require_reach("it is back", kAtOnce);
  CHECK(cluster.key(1) != first_key);
  cluster.kill(1);
  CHECK(host.has_link());
  CHECK(host.hosts_file() != before);
}

TEST_CASE("in a mixed cluster all reach each other whoever is restarted or leaves and returns") {
  MixedCluster cluster(5, "F2");
  start_mixed(cluster);
  for (const int number : {3, 2}) {
    cluster.kill(number);
    if (number == 3)
      cluster.restart_go(number);
    else
      cluster.start_ours(number);
    tell("killed and started again, n" + std::to_string(number) + " is reached",
         cluster.require_reach("n" + std::to_string(number) + " was killed", kAtOnce));
  }
  for (const int number : {4, 1}) {
    cluster.stop(number);
    cluster.require_reach("n" + std::to_string(number) + " left", kAtOnce);
  }
  cluster.restart_go(4);
  cluster.start_ours(1);
  tell("two that left are back", cluster.require_reach("both are back", kAtOnce));
  require_clean_logs(cluster);
}

TEST_CASE("in a mixed cluster crashes are found and who crashed is taken back", "[long]") {
  MixedCluster cluster(5, "F2");
  start_mixed(cluster);
  cluster.kill(2);
  cluster.kill(5);
  cluster.require_reach("two crashed", kAtOnce);
  cluster.rig().require_soon("all have found both crashes", kFound, [&] {
    const auto gone = [&](const std::string& name) {
      return cluster.host(1).member_state(name) == "failed" && cluster.go(3).peer(name).is_null() &&
             cluster.go(4).peer(name).is_null();
    };
    return gone("n2") && gone("n5");
  });
  cluster.require_reach("both crashes are found", kAtOnce);
  cluster.start_ours(2);
  cluster.restart_go(5);
  tell("two that crashed are back", cluster.require_reach("both are back", kAtOnce));
  require_clean_logs(cluster);
}

TEST_CASE("Go nodes that are cut off from each other but not from ours come together", "[long]") {
  MixedCluster cluster(5, "F2");
  netns::need_program("nft");
  start_mixed(cluster);
  cluster.split({3}, {4, 5});
  cluster.require_lasting(120s, {{1, 2, 3}, {1, 2, 4, 5}});
  REQUIRE_FALSE(cluster.host(3).pings(cluster.host(4).addresses().at(0)));
  cluster.heal();
  tell("whole again", cluster.require_reach("the cut is mended", kAtOnce));
  require_clean_logs(cluster);
}

TEST_CASE("Go nodes that a partition has parted for good come together where ours are among them",
          "[long]") {
  // n1 to n3 Go, n4 and n5 ours, one on each side; and n6 to n8, Go alone, parted the same way.
  MixedCluster cluster(8, "F2");
  netns::need_program("nft");
  for (const int number : {1, 2, 3})
    cluster.start_go(number);
  for (const int number : {4, 5})
    cluster.start_ours_with_key(number);
  const std::string other_key = netns::random_key();
  for (const int number : {6, 7, 8})
    cluster.start_go_elsewhere(number, other_key, {6, 7, 8});
  const std::vector<int> beside_ours{1, 2, 3, 4, 5};
  const std::vector<int> alone{6, 7, 8};
  for (const auto& all : {beside_ours, alone})
    cluster.require_reach("all are up", kAtOnce, all);
  cluster.split({1, 4}, {2, 3, 5});
  cluster.split({6}, {7, 8});
  cluster.require_lasting(120s, {{1, 4}, {2, 3, 5}, {7, 8}});
  // From now on a Go node never calls anybody of the other side.
  cluster.rig().require_soon("the sides have forgotten each other", 120s, [&] {
    const auto forgot = [&](int number, const std::vector<int>& others) {
      return std::all_of(others.begin(), others.end(), [&](int other) {
        return cluster.go(number).record(cluster.host(other).name()).is_null();
      });
    };
    return forgot(1, {2, 3, 5}) && forgot(2, {1, 4}) && forgot(3, {1, 4}) && forgot(6, {7, 8}) &&
           forgot(7, {6}) && forgot(8, {6});
  });
  cluster.heal();
  tell("five are whole again", cluster.require_reach("healed", 60s, beside_ours));
  CHECK(cluster.go(6).members() == 1);
  CHECK(cluster.go(7).members() == 2);
  CHECK_FALSE(cluster.knows_all(alone));
  require_clean_logs(cluster);
}

TEST_CASE("command lines and variables of forks and compose files work beside a Go node") {
  MixedCluster cluster(3, "F2");
  cluster.start_go(1);
  // A fork's flags, and an address that only others see.
  const std::string advertised = "172.31.0.102";
  REQUIRE(
      cluster.host(2).exec({"ip", "address", "add", advertised + "/24", "dev", "eth0"}).exit_code ==
      0);
  cluster.start_ours(2, {"--cluster-key", cluster.rig().key(), "--join", cluster.rig().seed(1),
                         "--advertise-addr", advertised, "--keepalive-interval", "30s",
                         "--routed-net", "192.168.7.0/24", "--log-level", "info"});
  // As in a compose file: variables, some of them empty.
  cluster.start_ours(3, {},
                     {"WESHER_CLUSTER_KEY=" + cluster.rig().key(),
                      "WESHER_JOIN=" + cluster.rig().seed(1) + "," + advertised,
                      "WESHER_BIND_ADDR=" + cluster.rig().seed(3),
                      "WESHER_BIND_IFACE=", "WESHER_CLUSTER_PORT=7946",
                      "WESHER_WIREGUARD_PORT=51820", "WESHER_OVERLAY_NET=10.0.0.0/8",
                      "WESHER_INTERFACE=wgoverlay", "WESHER_NO_ETC_HOSTS=", "WESHER_INIT=false",
                      "WESHER_LOG_LEVEL=info", "WESHER_KEEPALIVE_INTERVAL=30s"});
  cluster.require_reach("all three", kAtOnce);
  CHECK(cluster.go(1).record("n2").at("address") == advertised);
  // Known, and said to be without effect.
  CHECK(cluster.host(2).daemon_err().find("--routed-net") != std::string::npos);
  for (const int number : {2, 3}) {
    const std::string keepalives =
        cluster.host(number).exec({"wg", "show", "wgoverlay", "persistent-keepalive"}).out;
    INFO(keepalives);
    CHECK(std::count(keepalives.begin(), keepalives.end(), '\n') == 2);
    CHECK(keepalives.find("\t30\n") != keepalives.rfind("\t30\n"));
  }
}

}  // namespace wesher::interop
