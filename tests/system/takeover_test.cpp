// What the data plane does with a device that somebody else made: its key is read, its routes
// change hands.
#include <catch2/catch.hpp>

#include "tests/system/support/planes.h"

using namespace wesher;
using namespace wesher::system;
using namespace wesher::plan;
using namespace wesher::test;

namespace {

/// wgtest without our alias.
std::unique_ptr<DataPlane> unmarked(BackendChoice backend) {
  auto plane = open_plane(backend);
  bring_up(*plane);
  shell("ip link set wgtest alias ''");
  return plane;
}

std::string route_to(const std::string& destination) {
  return shell("ip route show " + destination);
}

}  // namespace

TEST_CASE("the private key of a device is the one that it was given") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    EXPECT(plane->private_key().error().code == Errc::not_found);
    apply(*plane, CreateLink{"wgtest", 1420});
    EXPECT(plane->private_key().error().code == Errc::not_found);
    apply(*plane, ConfigureDevice{key_of(1), 51820});
    const SecretKey key = must(plane->private_key());
    EXPECT(x25519_public(key) == key_of(1));
  });
}

TEST_CASE("routes as the Go program makes them are seen on a link without our alias") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = unmarked(backend);
    shell("ip route add 10.9.0.2/32 dev wgtest scope link");
    shell("ip -6 route add fd00:9::2/128 dev wgtest");
    shell("ip route add 10.9.0.3/32 dev wgtest scope link proto static");
    shell("ip route add 10.8.0.0/16 dev wgtest scope link");
    shell("ip route add 10.9.0.4/32 dev wgtest scope global");
    shell("ip route add 10.9.0.5/32 dev wgtest scope link table 77");
    shell("ip route add 10.9.0.6/32 dev lo scope link");
    shell("ip route append 10.9.0.6/32 dev wgtest scope link");
    const Observed seen = must(plane->observe());
    EXPECT(seen.unmarked_routes == (std::vector{prefix("10.9.0.2/32"), prefix("fd00:9::2/128")}));
    EXPECT(seen.routes.empty());
    apply(*plane, SetAlias{link_alias("wgtest")});
    EXPECT(must(plane->observe()).unmarked_routes.empty());
  });
}

TEST_CASE("a route that is taken over is never missing") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = unmarked(backend);
    shell("ip route add 10.9.0.2/32 dev wgtest scope link");
    shell("ip -6 route add fd00:9::2/128 dev wgtest");
    // Until it is seen that it sees.
    shell(
        "(timeout 60 ip monitor route >/run/seen 2>&1 & echo $! >/run/pid);"
        "for i in $(seq 100); do ip route add 10.255.0.1 dev lo; ip route del 10.255.0.1 dev lo;"
        "grep -q 10.255.0.1 /run/seen && break; sleep 0.1; done");
    const std::vector<Action> take{{AddRoute{prefix("10.9.0.2/32"), true}, "test"},
                                   {AddRoute{prefix("fd00:9::2/128"), true}, "test"},
                                   {SetAlias{link_alias("wgtest")}, "test"}};
    for (const auto& result : plane->apply_all(take, secret(1)))
      must(result);
    EXPECT_EQ(route_to("10.9.0.2"), "10.9.0.2 dev wgtest proto 97 scope link \n");
    EXPECT(shell("ip -6 route show fd00:9::2").starts_with("fd00:9::2 dev wgtest proto 97 "));
    EXPECT(must(plane->observe()).routes ==
           (std::vector{prefix("10.9.0.2/32"), prefix("fd00:9::2/128")}));
    const std::string monitored = shell(
        "for i in $(seq 100); do grep -q 'fd00:9::2.*proto 97' /run/seen && break; sleep 0.1; done;"
        "kill $(cat /run/pid); cat /run/seen");
    EXPECT(monitored.find("proto 97") != std::string::npos);
    EXPECT(monitored.find("Deleted 10.9.0.2") == std::string::npos);
    EXPECT(monitored.find("Deleted fd00:9::2") == std::string::npos);
  });
}

TEST_CASE("a link is not marked as ours while a route of it could not be taken over") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = unmarked(backend);
    shell("ip link set wgtest down");  // no route can be made
    const std::vector<Action> take{{AddRoute{prefix("10.9.0.2/32"), true}, "test"},
                                   {SetAlias{link_alias("wgtest")}, "test"}};
    const auto results = plane->apply_all(take, secret(1));
    EXPECT(!results[0]);
    EXPECT(!results[1]);
    EXPECT(results[1].error().code == Errc::busy);
    EXPECT(must(plane->observe()).link.alias.empty());
  });
}
