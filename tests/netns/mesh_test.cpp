// Hosts that find each other: how many, in which order, over which kinds of network.
#include <csignal>

#include <catch2/catch.hpp>

#include "netns/support/rig.h"

namespace wesher::netns {

TEST_CASE("three hosts reach each other by name") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  rig.require_exactly({1, 2, 3});
  // What the hosts file says is what the device lets through.
  const auto device = rig.host(1).device();
  REQUIRE(device.has_value());
  for (const int number : {2, 3}) {
    const std::string overlay = rig.host(1).address_in_hosts(rig.host(number).name());
    REQUIRE(rig.host(number).addresses() == std::vector<std::string>{overlay});
    const auto peer =
        std::find_if(device->peers.begin(), device->peers.end(),
                     [&](const DevicePeer& each) { return each.allowed_ips == overlay + "/32"; });
    REQUIRE(peer != device->peers.end());
    REQUIRE(peer->public_key == rig.host(number).device()->public_key);
    REQUIRE(peer->endpoint == rig.host(number).underlay_address() + ":51820");
  }
}

TEST_CASE("five hosts reach each other by name") {
  Rig rig(5);
  rig.start_all();
  rig.require_mesh(90s);
  rig.require_exactly({1, 2, 3, 4, 5});
}

TEST_CASE("three hosts started at once find each other whoever comes first", "[input]") {
  Rig rig(3);
  for (int number = 1; number <= 3; ++number) {
    std::string others;
    for (int other = 1; other <= 3; ++other)
      if (other != number) others += (others.empty() ? "" : ",") + rig.seed(other);
    rig.host(number).start_daemon({"--join", others}, {"WESHER_CLUSTER_KEY=" + rig.key()});
  }
  // A seed that was not up yet is tried again, at the latest after a minute.
  rig.require_mesh(100s);
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("a lone first host has its interface and address before anyone joins") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({});
  rig.require_soon("the interface has one address", 20s,
                   [&] { return host.addresses().size() == 1; });
  REQUIRE(host.addresses()[0].rfind("10.", 0) == 0);
  rig.require_soon("the interface has its key and port", 20s, [&] {
    const auto device = host.device();
    return device && device->listen_port == 51820 && device->public_key != "(none)";
  });
  REQUIRE(host.pings(host.addresses()[0]));
  REQUIRE(host.device()->peers.empty());
  // No terminal: the key is not shown, and the way to it is.
  REQUIRE(host.daemon_out().find("new cluster key generated") == std::string::npos);
  REQUIRE(host.daemon_err().find("wesher key show") != std::string::npos);
  const Output key = host.wesher({"key", "show"});
  REQUIRE(key.exit_code == 0);
  REQUIRE(key.out.size() == 45);
}

TEST_CASE("an IPv6 overlay carries the names and the packets") {
  Rig rig(2);
  rig.start_all({"--overlay-net", "fd42:77::/64"});
  rig.require_mesh();
  rig.require_exactly({1, 2});
  REQUIRE(rig.host(1).address_in_hosts("n2").rfind("fd42:77:", 0) == 0);
  REQUIRE(rig.host(2).routes()[0].rfind("fd42:77:", 0) == 0);
}

TEST_CASE("hosts that have only IPv6 below the overlay become a mesh") {
  Rig rig(3, Underlay::ipv6);
  rig.start_all();
  rig.require_mesh();
  rig.require_exactly({1, 2, 3});
  REQUIRE(rig.host(1).device()->peers[0].endpoint.rfind("[fd77::", 0) == 0);
}

TEST_CASE("two clusters on one host live side by side through restarts") {
  Rig rig(3);
  const std::string key_a = random_key();
  const std::string key_b = random_key();
  // n1 is in both, n2 only in a, n3 only in b.
  const std::vector<std::string> a{"--interface", "wga", "--overlay-net", "10.1.0.0/16"};
  const std::vector<std::string> b{"--interface",    "wgb",  "--overlay-net",    "10.2.0.0/16",
                                   "--cluster-port", "7947", "--wireguard-port", "51821"};
  const auto joining = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--join", rig.seed()});
    return options;
  };
  Host& both = rig.host(1);
  both.start_daemon(a, {"WESHER_CLUSTER_KEY=" + key_a}, "a");
  both.start_daemon(b, {"WESHER_CLUSTER_KEY=" + key_b}, "b");
  rig.host(2).start_daemon(joining(a), {"WESHER_CLUSTER_KEY=" + key_a});
  rig.host(3).start_daemon(joining(b), {"WESHER_CLUSTER_KEY=" + key_b});
  const auto whole = [&] {
    rig.require_soon("n1 reaches n2 and n3, each through its cluster", 60s, [&] {
      return both.address_in_hosts("n2").rfind("10.1.", 0) == 0 &&
             both.address_in_hosts("n3").rfind("10.2.", 0) == 0 && both.pings("n2") &&
             both.pings("n3") && rig.host(2).pings("n1") && rig.host(3).pings("n1");
    });
    REQUIRE(rig.host(2).address_in_hosts("n3").empty());
    REQUIRE(both.device("wga")->peers.size() == 1);
    REQUIRE(both.device("wgb")->peers.size() == 1);
  };
  whole();
  both.stop_daemon(SIGKILL, "a");
  REQUIRE(both.stop_daemon(SIGTERM, "b") == 0);
  // The one that left took its own lines along, and only these.
  REQUIRE(both.address_in_hosts("n2").rfind("10.1.", 0) == 0);
  REQUIRE(both.address_in_hosts("n3").empty());
  REQUIRE_FALSE(both.has_link("wgb"));
  both.start_daemon(a, {}, "a");
  both.start_daemon(b, {}, "b");
  whole();
}

}  // namespace wesher::netns
