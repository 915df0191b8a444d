// What `wesher status` says of partitions, of differences, and of what others changed.
#include <catch2/catch.hpp>

#include "cli/status.h"
#include "tests/cli/support/status.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

TEST_CASE("in a partition the device layer says which tunnels are left", "[cli][status]") {
  Snapshot snapshot = in_order();
  fail_member(snapshot, "pi1", minutes{4});
  fail_member(snapshot, "web1", minutes{4});
  CHECK(layer_of(snapshot, "device").text == "4 peers, kernel WireGuard");
  fail_member(snapshot, "web2", minutes{4});
  CHECK(layer_of(snapshot, "device") ==
        Layer{"device", true,
              "4 peers, kernel WireGuard; 2 of the 3 failed still have tunnels, 1 has none"});
  const std::string text = status_of(snapshot);
  CHECK(text.find("failed 4m, no tunnel  2h") != std::string::npos);
  CHECK(text.find("failed 4m, tunnel ok  65s") != std::string::npos);
  peer_of(snapshot, "web1").last_handshake = kNow - hours{1};
  CHECK(layer_of(snapshot, "device").text ==
        "4 peers, kernel WireGuard; 1 of the 3 failed still has a tunnel, 2 have none");
  peer_of(snapshot, "web2").last_handshake = kNow - hours{1};
  CHECK(layer_of(snapshot, "device").text ==
        "4 peers, kernel WireGuard; none of the 3 failed still has a tunnel");
}

TEST_CASE("what the daemon would change of things that are there is no device in order",
          "[cli][status]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  SECTION("allowed IPs") {
    peer_of(snapshot, "web1").allowed_ips.clear();
    CHECK(layer_of(snapshot, "device") ==
          Layer{"device", false, "1 peer not as wanted: web1 (allowed IPs are none)"});
  }
  SECTION("an endpoint without a handshake") {
    peer_of(snapshot, "pi1").endpoint = Endpoint{ip("192.0.2.99"), 9};
    CHECK(layer_of(snapshot, "device").text ==
          "1 peer not as wanted: pi1 (endpoint is 192.0.2.99:9, no handshake for 2h)");
  }
  SECTION("an endpoint that WireGuard learned") {
    peer_of(snapshot, "web2").endpoint = Endpoint{ip("192.0.2.99"), 9};
    CHECK(layer_of(snapshot, "device").ok);
  }
  SECTION("an address") {
    observed.addresses.push_back(Prefix::host(ip("192.0.2.7")));
    CHECK(layer_of(snapshot, "device").text == "192.0.2.7/32 is not ours");
  }
  SECTION("the MTU that was asked for") {
    snapshot.facts.desired->interface.mtu = 1400;
    CHECK(layer_of(snapshot, "device").text == "MTU 1420 instead of 1400");
  }
  SECTION("an interface of somebody else") {
    observed.link.alias.clear();
    observed.device_key = key(77);
    observed.peers.resize(1);
    observed.peers.front().key = key(78);
    CHECK(layer_of(snapshot, "device").text ==
          "wgoverlay is a WireGuard interface with 1 peer that wesher did not make; choose another "
          "--interface or delete it");
  }
}

TEST_CASE("the last drift is a remark and says how fast it was repaired", "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.facts.drift = {{"link", "~ link  down -> up", "someone else set it down", 1,
                           kNow - hours{72}, std::chrono::milliseconds{200}, false},
                          {"hosts", "+ hosts db2  10.42.214.195", "missing in the file", 1,
                           kNow - hours{96}, std::chrono::milliseconds{1}, false}};
  CHECK(build_status(snapshot).ok());
  CHECK(has_remark(snapshot,
                   "last drift: 3d ago, wgoverlay was set down, repaired in 0.2s ('wesher "
                   "history')"));
  snapshot.facts.drift.front().repaired.reset();
  CHECK(has_remark(snapshot,
                   "last drift: 3d ago, wgoverlay was set down, not repaired yet ('wesher "
                   "history')"));
}

TEST_CASE("an object that somebody keeps changing back breaks its layer", "[cli][status]") {
  Snapshot snapshot = in_order();
  const auto fight = [&](const std::string& object, const std::string& what) {
    snapshot.facts.drift = {
        {object, what, "why", 412, kNow - seconds{3}, std::chrono::milliseconds{20}, true}};
  };
  fight("link", "~ link  down -> up");
  CHECK(
      layer_of(snapshot, "device") ==
      Layer{"device", false,
            "somebody keeps changing it: wgoverlay was set down again 3s ago, 412 repairs so far; "
            "does NetworkManager, systemd-networkd, wg-quick or a script manage it, too?"});
  fight("route 10.42.51.1/32", "+ route 10.42.51.1/32  proto wesher");
  CHECK(layer_of(snapshot, "device").ok);
  CHECK(
      layer_of(snapshot, "routes") ==
      Layer{"routes", false,
            "somebody keeps changing it: route 10.42.51.1/32 was removed again 3s ago, 412 repairs "
            "so far; does a routing daemon or systemd-networkd (ManageForeignRoutes) change "
            "routes?"});
  fight("hosts", "~ hosts  our lines rewritten");
  CHECK(
      layer_of(snapshot, "hosts") ==
      Layer{"hosts", false,
            "somebody keeps changing it: hosts was changed (why) again 3s ago, 412 repairs so far; "
            "does cloud-init or another program write /etc/hosts?"});
  snapshot.facts.drift.push_back(
      {"link", "~ link  down -> up", "why", 12, kNow - seconds{9}, std::nullopt, true});
  snapshot.facts.drift.push_back({"route 10.42.51.1/32", "+ route 10.42.51.1/32  proto wesher",
                                  "why", 12, kNow - seconds{9}, std::nullopt, true});
  CHECK(layer_of(snapshot, "routes").ok);
  snapshot.facts.drift[1].object = "route 10.42.149.56/32";
  snapshot.facts.drift[1].what = "- route 10.42.149.56/32  proto wesher";
  CHECK(layer_of(snapshot, "routes").text ==
        "somebody keeps changing it: route 10.42.149.56/32 was added again 9s ago, 12 repairs so "
        "far; does a routing daemon or systemd-networkd (ManageForeignRoutes) change routes?; 1 "
        "more object likewise");
  CHECK(layer_of(snapshot, "device").ok);
  snapshot.facts.drift.front().at = kNow - minutes{11};
  CHECK(layer_of(snapshot, "hosts").ok);
  fight("hosts", "+ hosts db2  10.42.214.195");
  snapshot.facts.drift.front().fighting = false;
  CHECK(layer_of(snapshot, "hosts").ok);
}
