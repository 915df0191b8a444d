// The rig itself: what scenarios take for granted about it.
#include "netns/support/rig.h"

#include <catch2/catch.hpp>

namespace wesher::netns {

TEST_CASE("the rig joins hosts below the overlay and keeps their files apart") {
  Rig rig(2);
  REQUIRE(rig.host(1).pings(rig.host(2).underlay_address()));
  REQUIRE(rig.host(1).exec({"hostname"}).out == "n1\n");
  REQUIRE(rig.host(1)
              .exec({"sh", "-c", "echo 10.1.1.1 other > /etc/h && mv /etc/h /etc/hosts"})
              .exit_code == 0);
  REQUIRE(rig.host(1).address_in_hosts("other") == "10.1.1.1");
  REQUIRE(rig.host(2).address_in_hosts("other").empty());
  REQUIRE(rig.host(2).address_in_hosts("localhost") == "127.0.0.1");
}

TEST_CASE("the rig joins hosts over IPv6 alone") {
  Rig rig(2, Underlay::ipv6);
  REQUIRE(rig.host(2).pings("fd77::1"));
  REQUIRE(rig.host(2).exec({"ip", "-4", "-br", "address", "show", "dev", "eth0"}).out.find('/') ==
          std::string::npos);
}

TEST_CASE("addresses of other interfaces are not reached below the overlay") {
  Rig rig(2);
  // Hosts have a default route to each other's cable: a ping that misses the overlay goes there.
  REQUIRE(rig.host(2).exec({"ip", "address", "add", "10.1.1.1/32", "dev", "lo"}).exit_code == 0);
  REQUIRE(rig.host(2).pings("10.1.1.1"));
  REQUIRE_FALSE(rig.host(1).pings("10.1.1.1"));
}

TEST_CASE("the rig has WireGuard of the kind that it was asked for") {
  Rig rig(1);
  const std::vector<std::string> create =
      uses_kernel() ? std::vector<std::string>{"ip", "link", "add", "wgtry", "type", "wireguard"}
                    : std::vector<std::string>{"wireguard-go", "wgtry"};
  REQUIRE(rig.host(1).exec(create).exit_code == 0);
  const auto device = rig.host(1).device("wgtry");
  REQUIRE(device.has_value());
  REQUIRE(device->peers.empty());
}

}  // namespace wesher::netns
