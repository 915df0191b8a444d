// Changes that others make to the device, the routes and the hosts file, and their repair.
#include <catch2/catch.hpp>

#include "netns/support/rig.h"

namespace wesher::netns {

TEST_CASE("a link that was set down is up again soon") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  REQUIRE(host.exec({"ip", "link", "set", "wgoverlay", "down"}).exit_code == 0);
  rig.require_soon("the link is up and carries packets", 20s, [&] { return host.pings("n2"); });
  rig.require_exactly({1, 2});
}

TEST_CASE("a peer that nobody announced is removed within the periodic look") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  REQUIRE(host.exec({"wg", "set", "wgoverlay", "peer", random_key(), "allowed-ips", "10.9.9.9/32"})
              .exit_code == 0);
  REQUIRE(host.device()->peers.size() == 2);
  // Peers have no notification: the look comes every 30 s.
  rig.require_soon("the stray peer is gone", 60s, [&] { return host.device()->peers.size() == 1; });
  rig.require_exactly({1, 2});
}

TEST_CASE("routes and hosts lines that were removed come back and those of others stay") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string peer = host.address_in_hosts("n2");
  REQUIRE(host.exec({"ip", "route", "add", "10.200.0.0/24", "dev", "eth0"}).exit_code == 0);
  REQUIRE(host.exec({"ip", "route", "del", peer, "dev", "wgoverlay"}).exit_code == 0);
  rig.require_soon("the route is back", 20s, [&] { return host.routes().size() == 1; });
  write_file(host.path("/etc/hosts"), "127.0.0.1 localhost\n10.200.0.1 other\n");
  rig.require_soon("the hosts line is back", 20s,
                   [&] { return host.address_in_hosts("n2") == peer; });
  REQUIRE(host.address_in_hosts("other") == "10.200.0.1");
  REQUIRE(host.address_in_hosts("localhost") == "127.0.0.1");
  REQUIRE(host.exec({"ip", "route", "show", "10.200.0.0/24"}).out.find("eth0") !=
          std::string::npos);
}

}  // namespace wesher::netns
