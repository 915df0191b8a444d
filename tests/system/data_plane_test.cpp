// The data plane against real WireGuard (wireguard-go, and the kernel's where it has one) and a
// real rtnetlink, in namespaces.
#include "system/data_plane.h"

#include <algorithm>
#include <array>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "system/host.h"
#include "tests/system/support/planes.h"

using namespace wesher;
using namespace wesher::system;
using namespace wesher::plan;
using namespace wesher::test;

namespace {

/// 200 peers at once.
std::vector<Action> many_peers() {
  std::vector<Action> actions;
  for (std::uint8_t n = 2; n < 202; ++n)
    actions.push_back({peer(n), "test"});
  return actions;
}

}  // namespace

TEST_CASE("a link that was made is observed as it was asked for") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    const bool kernel = backend == BackendChoice::kernel;
    EXPECT_EQ(plane->backend_text(), kernel ? "kernel WireGuard" : "wireguard-go");
    const Observed before = must(plane->observe());
    EXPECT(before.link.kind == LinkKind::absent);
    bring_up(*plane);
    apply(*plane, peer(2));
    apply(*plane, AddRoute{prefix("10.9.0.2/32")});

    const Observed seen = must(plane->observe());
    EXPECT(seen.link.kind == (kernel ? LinkKind::kernel : LinkKind::userspace));
    EXPECT_EQ(seen.link.kind_name, kernel ? "wireguard" : "tun");
    EXPECT(seen.link.up);
    EXPECT_EQ(seen.link.mtu, 1380U);
    EXPECT_EQ(seen.link.alias, link_alias("wgtest"));
    EXPECT(seen.device_key == key_of(1));
    EXPECT_EQ(seen.listen_port, 51820);
    EXPECT(seen.complete);
    EXPECT_EQ(seen.peers.size(), 1U);
    EXPECT(seen.peers[0].key == key_of(2));
    EXPECT(seen.peers[0].endpoint == endpoint("192.0.2.2:51820"));
    EXPECT(seen.peers[0].allowed_ips == std::vector{prefix("10.9.0.2/32")});
    EXPECT(!seen.peers[0].last_handshake);
    EXPECT(seen.addresses == std::vector{prefix("10.9.0.1/32")});
    EXPECT(seen.routes == std::vector{prefix("10.9.0.2/32")});
    EXPECT(shell("ip route show 10.9.0.2").find("dev wgtest proto 97 scope link") !=
           std::string::npos);
  });
}

TEST_CASE("an IPv6 address is usable at once and its route is ours") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    apply(*plane, CreateLink{"wgtest", 1420});
    apply(*plane, ConfigureDevice{key_of(1), 51820});
    apply(*plane, AddAddress{prefix("fd00:9::1/128")});
    apply(*plane, SetLinkUp{});
    apply(*plane, AddRoute{prefix("fd00:9::2/128")});
    const Observed seen = must(plane->observe());
    EXPECT(seen.addresses == std::vector{prefix("fd00:9::1/128")});
    EXPECT(seen.routes == std::vector{prefix("fd00:9::2/128")});
    EXPECT(shell("ip -6 addr show dev wgtest").find("tentative") == std::string::npos);
    apply(*plane, RemoveRoute{prefix("fd00:9::2/128")});
    apply(*plane, RemoveAddress{prefix("fd00:9::1/128")});
    const Observed after = must(plane->observe());
    EXPECT(after.addresses.empty());
    EXPECT(after.routes.empty());
  });
}

TEST_CASE("peers change one by one and the others keep what they have") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    bring_up(*plane);
    for (const auto& result : plane->apply_all(many_peers(), secret(1)))
      must(result);
    EXPECT_EQ(must(plane->observe()).peers.size(), 200U);

    // The address of node 3 moves to node 2 by node 2's message alone.
    apply(*plane, UpdatePeer{"node2", key_of(2), {}, prefix("10.9.0.3/32")});
    apply(*plane, UpdatePeer{"node4", key_of(4), endpoint("[2001:db8::4]:7"), {}});
    apply(*plane, RemovePeer{"", key_of(5)});
    apply(*plane, UpdatePeer{"ghost", key_of(250), endpoint("192.0.2.250:1"), {}});
    const Observed seen = must(plane->observe());
    const auto find = [&](std::uint8_t n) {
      return std::find_if(seen.peers.begin(), seen.peers.end(),
                          [&](const ObservedPeer& p) { return p.key == key_of(n); });
    };
    EXPECT_EQ(seen.peers.size(), 199U);
    EXPECT(find(2)->allowed_ips == std::vector{prefix("10.9.0.3/32")});
    EXPECT(find(3)->allowed_ips.empty());
    EXPECT(find(4)->endpoint == endpoint("[2001:db8::4]:7"));
    EXPECT(find(4)->allowed_ips == std::vector{prefix("10.9.0.4/32")});
    EXPECT(find(5) == seen.peers.end());
    EXPECT(find(250) == seen.peers.end());
    EXPECT(find(6)->endpoint == endpoint("192.0.2.6:51820"));
  });
}

TEST_CASE("one refused object costs one object") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    bring_up(*plane);
    shell("ip route add 10.9.0.3/32 dev lo proto static");
    std::vector<Action> actions;
    for (std::uint8_t n = 2; n < 6; ++n)
      actions.push_back({peer(n), "test"});
    // A prefix length that no address has: the system refuses this peer.
    std::get<AddPeer>(actions[1].what).allowed.length = 77;
    for (std::uint8_t n = 2; n < 6; ++n)
      actions.push_back({AddRoute{prefix("10.9.0." + std::to_string(n) + "/32")}, "test"});
    const auto results = plane->apply_all(actions, secret(1));
    EXPECT_EQ(results.size(), 8U);
    for (const std::size_t i : {0U, 2U, 3U, 4U, 6U, 7U})
      must(results[i]);
    EXPECT(!results[1]);
    EXPECT(results[1].error().detail.starts_with("cannot add peer node3 ("));
    EXPECT(!results[5]);
    EXPECT(results[5].error().code == Errc::exists);
    EXPECT(results[5].error().detail.starts_with("cannot add route 10.9.0.3/32: "));
    EXPECT(shell("ip route show 10.9.0.3").find("dev lo proto static") != std::string::npos);
    EXPECT_EQ(must(plane->observe()).routes.size(), 3U);
  });
}

TEST_CASE("what is not ours is neither observed nor removed") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    bring_up(*plane);
    shell("ip route add 10.8.0.0/16 dev wgtest proto static");
    shell("ip route add 10.7.0.0/16 dev lo proto 97");
    shell("ip route add 10.6.0.0/16 dev wgtest proto 97 table 77");
    EXPECT(must(plane->observe()).routes.empty());
    apply(*plane, RemoveRoute{prefix("10.8.0.0/16")});
    apply(*plane, RemoveRoute{prefix("10.7.0.0/16")});
    const std::string routes = shell("ip route");
    EXPECT(routes.find("10.8.0.0/16") != std::string::npos);
    EXPECT(routes.find("10.7.0.0/16") != std::string::npos);
  });
}

TEST_CASE("every change can be repeated and every removal of what is gone succeeds") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    bring_up(*plane);
    for (int i = 0; i < 2; ++i) {
      apply(*plane, peer(2));
      apply(*plane, AddRoute{prefix("10.9.0.2/32")});
      apply(*plane, AddAddress{prefix("10.9.0.1/32")});
      apply(*plane, SetLinkUp{});
    }
    for (int i = 0; i < 2; ++i) {
      apply(*plane, RemoveRoute{prefix("10.9.0.2/32")});
      apply(*plane, RemovePeer{"node2", key_of(2)});
      apply(*plane, RemoveAddress{prefix("10.9.0.1/32")});
    }
    const Observed seen = must(plane->observe());
    EXPECT(seen.peers.empty());
    EXPECT(seen.addresses.empty());
  });
}

TEST_CASE("an interface that wireguard-go made before is adopted with its peers") {
  IN_SANDBOX([] {
    shell("wireguard-go wgtest >/dev/null 2>&1");
    shell("wg set wgtest listen-port 4711 peer " + key_of(9).base64() +
          " allowed-ips 10.9.0.9/32 persistent-keepalive 25");
    DataPlaneConfig config;
    config.interface = "wgtest";
    const auto plane = must(DataPlane::open(config));
    EXPECT_EQ(plane->backend_text(), "wireguard-go");
    const Observed seen = must(plane->observe());
    EXPECT(seen.link.kind == LinkKind::userspace);
    EXPECT_EQ(seen.link.alias, "");
    EXPECT(!seen.device_key);
    EXPECT_EQ(seen.listen_port, 4711);
    EXPECT_EQ(seen.peers.size(), 1U);
    EXPECT_EQ(seen.peers[0].keepalive_s, 25);
    EXPECT(!plane->remove_link());
    apply(*plane, SetAlias{link_alias("wgtest")});
    EXPECT_EQ(must(plane->observe()).link.alias, link_alias("wgtest"));
    must(plane->remove_link());
    EXPECT(!link_exists("wgtest"));
  });
}

TEST_CASE("a removed link can be made again at once") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    for (int i = 0; i < 5; ++i) {
      bring_up(*plane);
      apply(*plane, peer(2));
      EXPECT_EQ(must(plane->observe()).peers.size(), 1U);
      must(plane->remove_link());
      // The program is gone too, not only its link.
      EXPECT(access("/var/run/wireguard/wgtest.sock", F_OK) != 0);
      EXPECT(must(plane->observe()).link.kind == LinkKind::absent);
    }
    must(plane->remove_link());
  });
}

TEST_CASE("a link of another kind is named and never touched") {
  IN_SANDBOX([] {
    shell("ip link add wgtest type veth peer name other");
    const auto plane = open_plane(BackendChoice::userspace);
    const Observed seen = must(plane->observe());
    EXPECT(seen.link.kind == LinkKind::other);
    EXPECT_EQ(seen.link.kind_name, "veth");
    EXPECT(!plane->apply({CreateLink{"wgtest", 1420}, ""}, secret(1)));
    EXPECT(!plane->apply({SetLinkUp{}, ""}, secret(1)));
    EXPECT(!plane->apply({peer(2), ""}, secret(1)));
    const auto removed = plane->remove_link();
    EXPECT(!removed);
    EXPECT(removed.error().code == Errc::exists);
    EXPECT(link_exists("wgtest"));
  });
}

TEST_CASE("a thousand peers and routes are set and seen and taken away with the link") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    bring_up(*plane);
    std::vector<Action> actions;
    for (std::uint32_t n = 0; n < 2000; ++n) {
      const auto high = static_cast<std::uint8_t>((n % 1000) >> 8);
      const auto low = static_cast<std::uint8_t>(n % 1000);
      const Prefix overlay = Prefix::host(IpAddress::v4(10, 77, high, low));
      std::array<std::uint8_t, kKeyBytes> key{9, high, low};
      if (n < 1000) {
        actions.push_back({AddPeer{"n", PublicKey(key), endpoint("192.0.2.1:1"), overlay}, "test"});
      } else {
        actions.push_back({AddRoute{overlay}, "test"});
      }
    }
    for (const auto& result : plane->apply_all(actions, secret(1)))
      must(result);
    const Observed seen = must(plane->observe());
    EXPECT(seen.complete);
    EXPECT_EQ(seen.peers.size(), 1000U);
    EXPECT_EQ(seen.routes.size(), 1000U);
    EXPECT(std::is_sorted(seen.routes.begin(), seen.routes.end()));
    EXPECT(seen.peers[999].key > seen.peers[0].key);
    must(plane->remove_link());
    EXPECT(!link_exists("wgtest"));
    EXPECT(must(plane->observe()).peers.empty());
  });
}
