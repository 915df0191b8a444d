// The whole text of `wesher status` in the situations that an operator meets.
#include "cli/status.h"

#include <catch2/catch.hpp>

#include "daemon/options.h"
#include "mesh/mesh.h"
#include "tests/cli/support/status.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

TEST_CASE("status of a mesh in order shows five ok layers and no remark", "[cli][status]") {
  CHECK(
      status_of(in_order()) ==
      "db1  10.42.215.254  wgoverlay  cluster 3f9a-c2e1  daemon up 12d\n"
      "gossip    ok    5 members: 5 alive\n"
      "database  ok    generation 812, applied 812\n"
      "device    ok    4 peers, kernel WireGuard\n"
      "routes    ok    4\n"
      "hosts     ok    4 lines in /etc/hosts\n"
      "\n"
      "NAME  OVERLAY        ENDPOINT             STATE      HANDSHAKE  RX       TX       VERSION\n"
      "db1   10.42.215.254  203.0.113.5          this host  -          -        -        2.0.0\n"
      "db2   10.42.214.195  203.0.113.6:51820    alive      41s        1.2 GiB  890 MiB  signed "
      "0202-0202\n"
      "pi1   10.42.51.1     192.0.2.80:51820     alive      2h         88 MiB   12 MiB   signed "
      "0303-0303\n"
      "web1  10.42.149.56   198.51.100.21:51820  alive      65s        40 MiB   38 MiB   signed "
      "0404-0404\n"
      "web2  10.42.152.233  198.51.100.22:51820  alive      20s        2.0 KiB  9.0 KiB  "
      "signed 0505-0505\n");
}

TEST_CASE("status names a failed member that is kept and a tunnel that never came up",
          "[cli][status]") {
  Snapshot snapshot = in_order();
  fail_member(snapshot, "pi1", hours{2});
  Member& web2 = member_of(snapshot, "web2");
  web2.state_since = kNow - seconds{40};
  ObservedPeer& peer = peer_of(snapshot, "web2");
  peer.last_handshake.reset();
  peer.rx_bytes = 0;
  snapshot.facts.health.push_back({store::HealthKind::member, "web1", false,
                                   "answers on TCP 7946 but not on UDP 7946", 1, kNow});
  CHECK(
      status_of(snapshot) ==
      "db1  10.42.215.254  wgoverlay  cluster 3f9a-c2e1  daemon up 12d\n"
      "gossip    ok    5 members: 4 alive, 1 failed\n"
      "database  ok    generation 812, applied 812\n"
      "device    NOT OK  no tunnel to web2: sent for 40s, nothing came back; is UDP 51820 open at "
      "198.51.100.22?\n"
      "routes    ok    4\n"
      "hosts     ok    4 lines in /etc/hosts\n"
      "\n"
      "NAME  OVERLAY        ENDPOINT             STATE             HANDSHAKE  RX       TX       "
      "VERSION\n"
      "db1   10.42.215.254  203.0.113.5          this host         -          -        -        "
      "2.0.0\n"
      "db2   10.42.214.195  203.0.113.6:51820    alive             41s        1.2 GiB  890 MiB  "
      "signed 0202-0202\n"
      "pi1   10.42.51.1     192.0.2.80:51820     failed 2h         2h         88 MiB   12 MiB   "
      "signed 0303-0303\n"
      "web1  10.42.149.56   198.51.100.21:51820  alive             65s        40 MiB   38 MiB   "
      "signed 0404-0404\n"
      "web2  10.42.152.233  198.51.100.22:51820  alive, no tunnel  never      0        9.0 KiB  "
      "signed 0505-0505\n"
      "\n"
      "pi1: kept for 70h more\n"
      "web1: answers on TCP 7946 but not on UDP 7946\n");
}

TEST_CASE("status with a stopped daemon says since when and still shows the kernel",
          "[cli][status]") {
  Snapshot snapshot = alone();
  snapshot.daemon = DaemonState::stopped;
  snapshot.facts.self->stopped = kNow - minutes{14};
  snapshot.facts.self->stop_kind = "keep";
  CHECK(status_of(snapshot) ==
        "db1  10.42.215.254  wgoverlay  cluster 3f9a-c2e1  daemon NOT RUNNING since 14m\n"
        "gossip    NOT OK  members as last seen 14m ago\n"
        "database  ok    generation 812, applied 812\n"
        "device    ok    0 peers, kernel WireGuard\n"
        "routes    ok    0\n"
        "hosts     ok    0 lines in /etc/hosts\n"
        "\n"
        "NAME  OVERLAY        ENDPOINT     STATE      HANDSHAKE  RX  TX  VERSION\n"
        "db1   10.42.215.254  203.0.113.5  this host  -          -   -   2.0.0\n");
}

TEST_CASE("status after a crash says that the stop was not orderly", "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.daemon = DaemonState::stopped;
  const std::string text = status_of(snapshot);
  CHECK(
      text.starts_with("db1  10.42.215.254  wgoverlay  cluster 3f9a-c2e1  daemon NOT RUNNING (no "
                       "orderly stop, last sign of it 9m ago)\n"
                       "gossip    NOT OK  members as last seen 9m ago\n"));
}

TEST_CASE("status after leaving says so and why the interface is absent", "[cli][status]") {
  Snapshot snapshot = alone();
  snapshot.daemon = DaemonState::stopped;
  snapshot.facts.self->stopped = kNow - hours{5};
  snapshot.facts.self->stop_kind = GENERATE("leave", "resign");
  snapshot.live.observed = Observed{};
  CHECK(status_of(snapshot).find("daemon NOT RUNNING since 5h (left the mesh)\n") !=
        std::string::npos);
  CHECK(layer_of(snapshot, "device") ==
        Layer{"device", false, "wgoverlay is absent since this host left the mesh"});
}

TEST_CASE("alone with a seed that does not answer is not ok and says what the seed did",
          "[cli][status]") {
  Snapshot snapshot = alone();
  CHECK(layer_of(snapshot, "gossip") == Layer{"gossip", true, "1 member: this host"});
  snapshot.facts.health.push_back({store::HealthKind::seed, "203.0.113.5:7946", false,
                                   "connected, no answer (another cluster key?)", 14,
                                   kNow - minutes{6}});
  CHECK(layer_of(snapshot, "gossip") ==
        Layer{"gossip", false,
              "alone; seed 203.0.113.5:7946: connected, no answer (another cluster key?), 14 tries "
              "in 6m"});
}

TEST_CASE("a seed that fails while others are alive is a remark and no broken layer",
          "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.facts.health.push_back(
      {store::HealthKind::seed, "192.0.2.99:7946", false, "no route to host", 3, kNow - hours{3}});
  CHECK(layer_of(snapshot, "gossip").ok);
  CHECK(has_remark(snapshot, "seed 192.0.2.99:7946: no route to host, for 3h"));
}

TEST_CASE("half of the members failing together is called a partition", "[cli][status]") {
  Snapshot snapshot = in_order();
  fail_member(snapshot, "web1", minutes{4});
  CHECK(layer_of(snapshot, "gossip").ok);
  fail_member(snapshot, "web2", minutes{4} + seconds{5});
  CHECK(layer_of(snapshot, "gossip").ok);
  fail_member(snapshot, "pi1", minutes{4} + seconds{12});
  CHECK(layer_of(snapshot, "gossip") ==
        Layer{"gossip", false,
              "3 of 5 members failed within 12s, 4m ago: a partition? trying all 3"});
  fail_member(snapshot, "pi1", hours{5});
  CHECK(layer_of(snapshot, "gossip") ==
        Layer{"gossip", false, "3 of 5 members failed, the last 4m ago"});
  fail_member(snapshot, "db2", hours{6});
  CHECK(layer_of(snapshot, "gossip") ==
        Layer{"gossip", false, "alone; 4 of 5 members failed, the last 4m ago"});
}

TEST_CASE("a failed member with a fresh handshake still has a tunnel", "[cli][status]") {
  Snapshot snapshot = in_order();
  fail_member(snapshot, "db2", minutes{4});
  CHECK(status_of(snapshot).find("failed 4m, tunnel ok  41s") != std::string::npos);
  peer_of(snapshot, "db2").last_handshake = kNow - minutes{6};
  CHECK(status_of(snapshot).find("tunnel ok") == std::string::npos);
}

TEST_CASE("a refused member is counted and its reason stands in a remark", "[cli][status]") {
  Snapshot snapshot = in_order();
  unconfigure(snapshot, "web2", Standing::refused);
  member_of(snapshot, "web2").reason = "its address 10.42.152.233 is held by pi1";
  CHECK(build_status(snapshot).ok());
  CHECK(layer_of(snapshot, "gossip").text == "5 members: 5 alive; 1 refused");
  CHECK(status_of(snapshot).find("alive, refused  -          -        -") != std::string::npos);
  CHECK(has_remark(snapshot, "web2: refused: its address 10.42.152.233 is held by pi1"));
}

TEST_CASE("a host that is kept out of the mesh says so in the gossip layer", "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.facts.self->kept_out = "the name db1 is taken";
  CHECK(layer_of(snapshot, "gossip") ==
        Layer{"gossip", false, "NOT IN THE MESH: the name db1 is taken"});
}

TEST_CASE("a host without an overlay address says why and misses none", "[cli][status]") {
  Snapshot snapshot = alone();
  snapshot.facts.self->overlay.reset();
  snapshot.facts.self->claimed.reset();
  snapshot.facts.self->kept_out = "10.9.0.0/29 is full (6 of 6)";
  snapshot.facts.desired->interface.overlay = IpAddress();
  snapshot.live.observed->addresses.clear();
  const std::string text = status_of(snapshot);
  CHECK(
      text.starts_with("db1  no overlay address  wgoverlay  cluster 3f9a-c2e1  daemon up 12d\n"
                       "gossip    NOT OK  NOT IN THE MESH: 10.9.0.0/29 is full (6 of 6)\n"));
  CHECK(layer_of(snapshot, "device").ok);
}

TEST_CASE("a failed member is kept as long as the daemon's options say", "[cli][status]") {
  Snapshot snapshot = in_order();
  fail_member(snapshot, "pi1", hours{2});
  snapshot.facts.options["failed-retention"] = "6h";
  CHECK(has_remark(snapshot, "pi1: kept for 4h more"));
  snapshot.facts.options["static"] = "db9,pi1";
  CHECK(has_remark(snapshot, "pi1: kept: named by --static"));
}

TEST_CASE("the database layer names what lags and what failed", "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.facts.applied.generation = 811;
  CHECK(layer_of(snapshot, "database") == Layer{"database", false, "generation 812, applied 811"});
  snapshot.facts.applied.generation = 812;
  snapshot.facts.applied.failed = {{"peer web1", false, "peer web1: no buffer space", kNow, 4}};
  CHECK(layer_of(snapshot, "database") ==
        Layer{"database", false,
              "generation 812, applied 812; failed: peer web1: peer web1: no buffer space (4 "
              "attempts)"});
  snapshot.facts.applied.failed.clear();
  snapshot.facts.adopting = true;
  CHECK(layer_of(snapshot, "database") ==
        Layer{"database", true, "generation 812, applied 812; rebuilt, nothing is removed yet"});
  snapshot.facts.desired.reset();
  CHECK(layer_of(snapshot, "database") == Layer{"database", false, "no desired state yet"});
}

TEST_CASE("the device layer names every difference from what is wanted", "[cli][status]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  SECTION("down") {
    observed.link.up = false;
    CHECK(layer_of(snapshot, "device") == Layer{"device", false, "wgoverlay is down"});
  }
  SECTION("absent") {
    observed = Observed{};
    CHECK(layer_of(snapshot, "device") == Layer{"device", false, "wgoverlay is absent"});
  }
  SECTION("another kind of link") {
    observed.link.kind = LinkKind::other;
    observed.link.kind_name = "dummy";
    CHECK(layer_of(snapshot, "device") ==
          Layer{"device", false, "wgoverlay is a link of kind dummy, not WireGuard"});
  }
  SECTION("settings") {
    observed.device_key = key(9);
    observed.listen_port = 51821;
    observed.addresses.clear();
    CHECK(layer_of(snapshot, "device").text ==
          "the device has another key than this node; listens on UDP 51821 instead of 51820; "
          "10.42.215.254 is missing");
  }
  SECTION("peers") {
    observed.peers.front().key = key(9);
    CHECK(layer_of(snapshot, "device").text ==
          "1 of 4 peers missing: db2; 1 peer of no member: CQkJ…");
    snapshot.facts.adopting = true;
    CHECK(layer_of(snapshot, "device").text == "1 of 4 peers missing: db2");
  }
  SECTION("not readable") {
    snapshot.live = {std::nullopt, "neither kernel module nor wireguard-go", ""};
    CHECK(layer_of(snapshot, "device") ==
          Layer{"device", false, "neither kernel module nor wireguard-go"});
    CHECK(layer_of(snapshot, "routes") == Layer{"routes", false, "not read"});
    CHECK(layer_of(snapshot, "hosts") == Layer{"hosts", false, "not read"});
  }
}

TEST_CASE("missing and unwanted routes and hosts lines are named", "[cli][status]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  observed.routes.erase(
      std::find(observed.routes.begin(), observed.routes.end(), Prefix::host(ip("10.42.149.56"))));
  observed.routes.insert(observed.routes.begin(), Prefix::host(ip("10.42.9.9")));
  CHECK(layer_of(snapshot, "routes") ==
        Layer{"routes", false, "1 of 4 missing: web1; 1 of no member: 10.42.9.9/32"});
  observed.hosts.managed.pop_back();
  observed.hosts.managed.push_back({ip("10.42.9.9"), {"old3"}});
  CHECK(layer_of(snapshot, "hosts") ==
        Layer{"hosts", false, "1 of 4 missing: web2; 1 line not wanted"});
}

TEST_CASE("hosts lines that are switched off are ok and those that cannot be written are not",
          "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.live.observed->hosts = {};
  snapshot.live.observed->hosts.writable = false;
  snapshot.live.observed->hosts.why_not = "/etc/hosts is a symbolic link";
  CHECK(layer_of(snapshot, "hosts") == Layer{"hosts", false, "off: /etc/hosts is a symbolic link"});
  snapshot.facts.desired->hosts = false;
  CHECK(layer_of(snapshot, "hosts") == Layer{"hosts", true, "off (--no-etc-hosts)"});
}

TEST_CASE("a tunnel is called silent only when we sent long enough to an alive member",
          "[cli][status]") {
  Snapshot snapshot = in_order();
  ObservedPeer& peer = peer_of(snapshot, "web2");
  peer.last_handshake.reset();
  Member& member = member_of(snapshot, "web2");
  CHECK(judge_tunnel(member, nullptr, snapshot) == Tunnel::no_peer);
  CHECK(judge_tunnel(member, &peer, snapshot) == Tunnel::silent);
  SECTION("nothing was sent") {
    peer.tx_bytes = 0;
  }
  SECTION("alive for a short time") {
    member.state_since = kNow - seconds{30};
  }
  SECTION("this daemon runs for a short time") {
    snapshot.facts.self->started = kNow - seconds{9};
  }
  SECTION("the member failed") {
    member.state = MemberState::failed;
  }
  SECTION("the daemon does not run") {
    snapshot.daemon = DaemonState::stopped;
  }
  CHECK(judge_tunnel(member, &peer, snapshot) == Tunnel::idle);
}

TEST_CASE("foreign packets and another daemon version and a foreign MTU are remarks",
          "[cli][status]") {
  Snapshot snapshot = in_order();
  snapshot.facts.health.push_back(
      {store::HealthKind::foreign_packets, "198.51.100.40", false, "", 31, kNow - minutes{10}});
  snapshot.facts.self->version = "1.9.0";
  snapshot.live.observed->link.mtu = 1380;
  CHECK(has_remark(snapshot,
                   "31 packets from 198.51.100.40 cannot be decrypted, for 10m: another cluster's "
                   "key, or junk"));
  CHECK(has_remark(snapshot, "the daemon is version 1.9.0, this program 2.0.0; restart it"));
  CHECK(has_remark(snapshot, "wgoverlay has MTU 1380, not 1420; it is left alone, --mtu sets it"));
  snapshot.facts.desired->interface.mtu = 1380;
  CHECK_FALSE(
      has_remark(snapshot, "wgoverlay has MTU 1380, not 1420; it is left alone, --mtu sets it"));
}

TEST_CASE("members that left are counted and not listed by status", "[cli][status]") {
  Snapshot snapshot = in_order();
  unconfigure(snapshot, "web2", Standing::seed);
  member_of(snapshot, "web2").state = MemberState::left;
  CHECK(layer_of(snapshot, "gossip").text == "4 members: 4 alive");
  CHECK(status_of(snapshot).find("\nweb2") == std::string::npos);
  CHECK(has_remark(snapshot, "1 member left or gone, not shown ('wesher members')"));
}

TEST_CASE("a hostile member name cannot break the table or the terminal", "[cli][status]") {
  Snapshot snapshot = in_order();
  unconfigure(snapshot, "web2", Standing::refused);
  Member& member = member_of(snapshot, "web2");
  member.name = "a\x1b[2J\nb";
  member.reason = "not a\nhostname";
  const std::string text = status_of(snapshot);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("a\\x1b[2J\\x0ab  ") != std::string::npos);
  CHECK(text.find("a\\x1b[2J\\x0ab: refused: not a?hostname\n") != std::string::npos);
}

TEST_CASE("the retention that status counts down is the one of the mesh", "[cli][status]") {
  CHECK(daemon::kFailedRetention == mesh::Config{}.failed_retention);
}
