// What explain says of members that are no peers, or not as they should be.
#include "cli/explain.h"

#include <catch2/catch.hpp>

#include "tests/cli/support/fixture.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

/// "verdict[!]: text" of one layer, with a '!' where it is not ok.
std::string finding(const Explanation& node, const std::string& layer) {
  for (const Finding& each : node.findings) {
    if (each.layer == layer) return each.verdict + (each.ok ? ": " : "!: ") + each.text;
  }
  return "no such layer";
}

std::string finding(const Snapshot& snapshot, const std::string& name, const std::string& layer) {
  for (const Member& member : snapshot.facts.members) {
    if (member.name == name) return finding(explain_member(snapshot, member, {}), layer);
  }
  return "no such member";
}

std::string state(Snapshot& snapshot, const std::string& name) {
  return explain_member(snapshot, member_of(snapshot, name), {}).state;
}

}  // namespace

TEST_CASE("a refused member has a reason instead of a peer", "[cli][explain]") {
  Snapshot snapshot = in_order();
  unconfigure(snapshot, "web2", Standing::refused);
  member_of(snapshot, "web2").reason = "its address 10.42.152.233 is held by pi1";
  CHECK(state(snapshot, "web2") == "alive, refused");
  CHECK(finding(snapshot, "web2", "database") ==
        "not wanted!: no peer, generation 812: refused: its address 10.42.152.233 is held by pi1");
  CHECK(finding(snapshot, "web2", "device") == "none: no peer, as wanted");
  CHECK(finding(snapshot, "web2", "route") == "none: none, as wanted");
  CHECK(finding(snapshot, "web2", "hosts") == "none: no line, as wanted");
}

TEST_CASE("a member that left and one that announced nothing are only seeds", "[cli][explain]") {
  Snapshot snapshot = in_order();
  unconfigure(snapshot, "web2", Standing::seed);
  unconfigure(snapshot, "web1", Standing::seed);
  Member& left = member_of(snapshot, "web2");
  left.state = MemberState::left;
  left.state_since = kNow - minutes{4};
  member_of(snapshot, "web1").meta.reset();
  CHECK(state(snapshot, "web2") == "left");
  CHECK(finding(snapshot, "web2", "gossip") ==
        "left: left 4m ago, incarnation 3, 198.51.100.22:7946; "
        "signed by 0505-0505, epoch 1762338112004; address claimed 41d ago");
  CHECK(finding(snapshot, "web2", "database") ==
        "not wanted: no peer, generation 812: it left; only its address is tried again");
  CHECK(state(snapshot, "web1") == "alive, not configured");
  CHECK(finding(snapshot, "web1", "database") ==
        "not wanted!: no peer, generation 812: only its address is known: nothing usable was heard "
        "from it");
  CHECK(finding(snapshot, "web1", "route") == "none: none, as wanted");
}

TEST_CASE("a configured member that lost a contest names who has what it claims",
          "[cli][explain]") {
  Snapshot snapshot = in_order();
  unconfigure(snapshot, "web2", Standing::configured);
  Member& loser = member_of(snapshot, "web2");
  CHECK(finding(snapshot, "web2", "database") ==
        "not wanted!: no peer, generation 812: its facts are newer than the desired state");
  loser.meta->overlay = ip("10.42.51.1");
  CHECK(finding(snapshot, "web2", "database") ==
        "not wanted!: no peer, generation 812: its overlay address 10.42.51.1 belongs to pi1");
  CHECK(finding(snapshot, "web2", "route") == "none: 10.42.51.1/32 is the route to pi1");
  loser.meta->key = key(3);
  CHECK(finding(snapshot, "web2", "database") ==
        "not wanted!: no peer, generation 812: its public key AwMD… belongs to pi1");
  CHECK(finding(snapshot, "web2", "device") == "none: no peer, as wanted");
}

TEST_CASE("what is left of a member that is not wanted is named", "[cli][explain]") {
  Snapshot snapshot = in_order();
  const Observed before = *snapshot.live.observed;
  unconfigure(snapshot, "web2", Standing::seed);
  member_of(snapshot, "web2").state = MemberState::left;
  snapshot.live.observed = before;
  const std::string repair = "; the daemon repairs it within 30s";
  CHECK(finding(snapshot, "web2", "device") ==
        "not wanted!: there, though not wanted, handshake 20s ago" + repair);
  CHECK(finding(snapshot, "web2", "route") ==
        "not wanted!: 10.42.152.233/32 dev wgoverlay: there, though not wanted" + repair);
  CHECK(finding(snapshot, "web2", "hosts") ==
        "not wanted!: /etc/hosts: there, though not wanted" + repair);
  snapshot.facts.adopting = true;
  CHECK(finding(snapshot, "web2", "route") ==
        "not wanted!: 10.42.152.233/32 dev wgoverlay: there, though not wanted; kept, because the "
        "database is new");
}

TEST_CASE("a difference says what is different and who stands in the way", "[cli][explain]") {
  Snapshot snapshot = in_order();
  peer_of(snapshot, "web1").allowed_ips = {Prefix::host(ip("10.9.9.9"))};
  CHECK(finding(snapshot, "web1", "device") ==
        "differs!: differs: allowed IPs are 10.9.9.9/32, handshake 65s ago; the daemon repairs it "
        "within 30s");
  snapshot.facts.applied.failed = {{"peer web1", false, "no buffer space", kNow - seconds{4}, 3}};
  CHECK(finding(snapshot, "web1", "device") ==
        "differs!: differs: allowed IPs are 10.9.9.9/32, handshake 65s ago; the last of 3 attempts "
        "failed 4s ago: no buffer space");
  snapshot.facts.applied.failed.clear();
  snapshot.facts.drift = {{"peer web1", "~ peer web1 (BAQE…)  10.42.149.56/32",
                           "allowed IPs are none", 12, kNow - seconds{3}, std::nullopt, true}};
  CHECK(
      finding(snapshot, "web1", "device") ==
      "differs!: differs: allowed IPs are 10.9.9.9/32, handshake 65s ago; somebody keeps changing "
      "it: peer web1 (BAQE…) was changed (allowed IPs are none) again 3s ago, 12 repairs so far; "
      "does NetworkManager, systemd-networkd, wg-quick or a script manage it, too?");
  snapshot.live.observed->hosts.managed[2].address = ip("10.9.9.9");
  snapshot.daemon = DaemonState::stopped;
  CHECK(finding(snapshot, "web1", "hosts") ==
        "differs!: /etc/hosts: our line says 10.9.9.9; the daemon is not running");
}

TEST_CASE("explain of this host says who changes its link and promises no quick repair then",
          "[cli][explain]") {
  Snapshot snapshot = in_order();
  snapshot.live.observed->link.up = false;
  snapshot.facts.drift = {{"link", "~ link  down -> up", "someone else set it down", 12,
                           kNow - seconds{3}, std::chrono::milliseconds{12}, true},
                          {"peer web1", "- peer web1 (BAQE…)", "why", 12, kNow - seconds{3},
                           std::chrono::milliseconds{12}, true}};
  CHECK(finding(explain_own(snapshot, {}), "device") ==
        "differs!: differs: link: someone else set it down; somebody keeps changing it: wgoverlay "
        "was set down again 3s ago, 12 repairs so far; does NetworkManager, systemd-networkd, "
        "wg-quick or a script manage it, too?");
  snapshot.live.observed->link.up = true;
  CHECK(
      finding(explain_own(snapshot, {}), "device").starts_with("same!: wgoverlay: same, kernel "));
  snapshot.facts.drift.clear();
  CHECK(finding(explain_own(snapshot, {}), "device") == "same: wgoverlay: same, kernel WireGuard");
}

TEST_CASE("a tunnel that never came up is told in the device layer", "[cli][explain]") {
  Snapshot snapshot = in_order();
  peer_of(snapshot, "web2").last_handshake.reset();
  member_of(snapshot, "web2").state_since = kNow - seconds{40};
  CHECK(state(snapshot, "web2") == "alive, no tunnel");
  CHECK(
      finding(snapshot, "web2", "device") ==
      "same!: same, never a handshake; no tunnel to web2: sent for 40s, nothing came back; is UDP "
      "51820 open at 198.51.100.22?");
}

TEST_CASE("explain works without daemon and device and says so", "[cli][explain]") {
  Snapshot snapshot = in_order();
  snapshot.daemon = DaemonState::stopped;
  snapshot.facts.self->stopped = kNow - minutes{14};
  snapshot.live.observed->link = {};
  snapshot.live.observed->peers.clear();
  CHECK(finding(snapshot, "web1", "gossip") ==
        "alive!: alive when last seen 14m ago, incarnation 3, 198.51.100.21:7946; "
        "signed by 0404-0404, epoch 1762338112004; address claimed 41d ago");
  CHECK(finding(snapshot, "web1", "device") ==
        "missing!: missing: wgoverlay is absent; the daemon is not running");
  CHECK(finding(explain_own(snapshot, {}), "gossip") ==
        "this host!: announced as 203.0.113.5:7946; identity 0101-0101, address claimed 41d ago; "
        "members as last seen 14m ago");
  CHECK(finding(explain_own(snapshot, {}), "device") ==
        "missing!: wgoverlay is absent; the daemon is not running");
  snapshot.live = {std::nullopt, "neither kernel module nor wireguard-go", ""};
  CHECK(finding(snapshot, "web1", "device") == "unknown!: neither kernel module nor wireguard-go");
  CHECK(finding(snapshot, "web1", "route") == "unknown!: not read");
  CHECK(finding(snapshot, "web1", "hosts") == "unknown!: not read");
}

TEST_CASE("a generation that is not applied yet and the member's health are told",
          "[cli][explain]") {
  Snapshot snapshot = in_order();
  snapshot.facts.applied.generation = 811;
  CHECK(finding(snapshot, "web1", "database") ==
        "waiting!: peer BAQE…, 10.42.149.56/32, endpoint 198.51.100.21:51820, generation 812; "
        "applied is only 811");
  snapshot.facts.health = {{store::HealthKind::member, "web1", false,
                            "answers on TCP 7946 but not on UDP 7946", 1, kNow}};
  CHECK(finding(snapshot, "web1", "gossip") ==
        "alive!: alive for 12d, incarnation 3, 198.51.100.21:7946; "
        "signed by 0404-0404, epoch 1762338112004; address claimed 41d ago; answers "
        "on TCP 7946 but not on "
        "UDP 7946");
  CHECK(finding(explain_own(snapshot, {}), "device") == "same: wgoverlay: same, kernel WireGuard");
}

TEST_CASE("why a wanted peer has no hosts line is told", "[cli][explain]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  observed.hosts.managed.erase(observed.hosts.managed.begin() + 2);
  CHECK(finding(snapshot, "web1", "hosts") ==
        "missing!: /etc/hosts: missing; the daemon repairs it within 30s");
  observed.hosts.foreign_names = {"web1"};
  CHECK(finding(snapshot, "web1", "hosts") == "none: none: a line that is not ours has this name");
  observed.hosts.writable = false;
  observed.hosts.why_not = "/etc/hosts is a directory";
  CHECK(finding(snapshot, "web1", "hosts") == "off!: off: /etc/hosts is a directory");
  snapshot.facts.desired->hosts = false;
  CHECK(finding(snapshot, "web1", "hosts") == "off: off (--no-etc-hosts)");
  snapshot = in_order();
  member_of(snapshot, "web1").name = "web_1";
  snapshot.facts.desired->peers[2].name = "web_1";
  snapshot.live.observed->hosts.managed.erase(snapshot.live.observed->hosts.managed.begin() + 2);
  CHECK(finding(snapshot, "web_1", "hosts") == "none: none: the name is no hostname");
}

TEST_CASE("more matches than are explained are counted", "[cli][explain]") {
  const Snapshot snapshot = in_order();
  ExplainReport report{"wgoverlay", kNow, "10.42.0.0/16", 32, {}};
  report.nodes.push_back(explain_member(snapshot, snapshot.facts.members.front(), {}));
  report.nodes.push_back(explain_member(snapshot, snapshot.facts.members.back(), {}));
  const std::string text = explain_text(report);
  CHECK(text.find("nothing is noted\n\nweb2  10.42.152.233  alive\n") != std::string::npos);
  CHECK(text.ends_with("\n\n30 more match 10.42.0.0/16: name one of them, or a longer prefix\n"));
}

TEST_CASE("a line is found among ours by address and name", "[cli][explain]") {
  const std::string banner = "# ! managed automatically by wesher interface wg0";
  const std::string text = "10.0.0.1 a # by hand\n\n 10.0.0.1\ta b\t" + banner +
                           "\n10.0.0.2 a # ! MANAGED AUTOMATICALLY !\nfd00::1 c " + banner;
  const auto line = [&](const char* address, const char* name) {
    return hosts_line_number(text, "wg0", ip(address), name);
  };
  CHECK(line("10.0.0.1", "a") == 3);
  CHECK(line("10.0.0.1", "b") == 3);
  CHECK(line("10.0.0.2", "a") == 4);
  CHECK(line("fd00::1", "c") == 5);
  CHECK(line("10.0.0.1", "managed") == 0);
  CHECK(line("10.0.0.2", "b") == 0);
  CHECK(hosts_line_number("", "wg0", ip("10.0.0.1"), "a") == 0);
}
