// `members`, `ip` and `plan`, from the same small mesh.
#include "cli/members.h"

#include <catch2/catch.hpp>

#include "cli/plan_report.h"
#include "cli/state_dump.h"
#include "tests/cli/support/fixture.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

TEST_CASE("members lists refused and left members with the reason", "[cli][members]") {
  Snapshot snapshot = in_order();
  Member& pi1 = member_of(snapshot, "pi1");
  pi1.state = MemberState::left;
  pi1.state_since = kNow - hours{3};
  pi1.standing = Standing::seed;
  pi1.reason = "said goodbye";
  Member& web2 = member_of(snapshot, "web2");
  web2.standing = Standing::refused;
  web2.reason = "no metadata that is valid";
  web2.meta.reset();
  CHECK(
      members_text(snapshot.facts, kNow) ==
      "NAME  OVERLAY        GOSSIP              STATE      STANDING    KEY    META  IDENTITY   "
      "REASON\n"
      "db1   10.42.215.254  203.0.113.5:7946    this host  -           AQEB…  F2    0101-0101  -\n"
      "db2   10.42.214.195  203.0.113.6:7946    alive 12d  configured  AgIC…  F2    0202-0202  -\n"
      "pi1   10.42.51.1     192.0.2.80:7946     left 3h    seed        AwMD…  F2    0303-0303  "
      "said goodbye\n"
      "web1  10.42.149.56   198.51.100.21:7946  alive 12d  configured  BAQE…  F2    0404-0404  -\n"
      "web2  -              198.51.100.22:7946  alive 12d  refused     -      -     -          no "
      "metadata "
      "that is valid\n");
}

TEST_CASE("ip finds this host and configured members only", "[cli][ip]") {
  Snapshot snapshot = in_order();
  const auto address = [&](const std::string& node, Family family = Family::any) {
    const auto found = find_address(snapshot.facts, node, family);
    return found ? found->overlay.text() : found.error().detail;
  };
  CHECK(address("") == "10.42.215.254");
  CHECK(address("db1") == "10.42.215.254");
  CHECK(address("web1") == "10.42.149.56");
  CHECK(address("web1", Family::v4) == "10.42.149.56");
  CHECK(address("web1", Family::v6) == "web1 has no IPv6 overlay address, only 10.42.149.56");
  CHECK(address("foo") == "no member is named 'foo'; see 'wesher members'");
  unconfigure(snapshot, "web1", Standing::refused);
  member_of(snapshot, "web1").reason = "its key is that of db2";
  CHECK(address("web1") ==
        "web1 has no overlay address here (alive, refused: its key is that of db2)");
  snapshot.facts.self->stopped = kNow;
  snapshot.facts.self->stop_kind = "keep";
  CHECK(address("") == "10.42.215.254");
  snapshot.facts.self->stop_kind = "resign";
  CHECK(address("") ==
        "this host has left the mesh; it has an overlay address when wesher runs again");
  snapshot.facts.self.reset();
  CHECK(address("") == "this host has no overlay address yet");
}

TEST_CASE("a plan in order says how much is in order", "[cli][plan]") {
  const Snapshot snapshot = in_order();
  const auto plan = make_plan(snapshot);
  REQUIRE(plan.has_value());
  CHECK(plan->empty());
  CHECK(plan_text(*plan, snapshot) ==
        "wgoverlay: nothing to do (4 peers, 4 routes, 4 hosts lines)\n");
}

TEST_CASE("a plan lists changes with reasons and keeps what is adopted", "[cli][plan]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  observed.routes.insert(observed.routes.begin(), Prefix::host(ip("10.42.9.9")));
  observed.peers.erase(observed.peers.begin());
  snapshot.daemon = DaemonState::stopped;
  auto plan = make_plan(snapshot);
  REQUIRE(plan.has_value());
  const std::string text = plan_text(*plan, snapshot);
  CAPTURE(text);
  CHECK(text.starts_with("wgoverlay: 2 changes\n  + peer db2 (AgIC…)"));
  CHECK(text.find("member alive since 12d") != std::string::npos);
  CHECK(text.find("\n  - route 10.42.9.9/32") != std::string::npos);
  CHECK(text.ends_with("\nthe daemon is not running; it does this when it starts\n"));
  snapshot.facts.adopting = true;
  plan = make_plan(snapshot);
  REQUIRE(plan.has_value());
  const std::string adopting = plan_text(*plan, snapshot);
  CHECK(adopting.starts_with("wgoverlay: 1 change\n"));
  CHECK(adopting.find("- route") == std::string::npos);
  CHECK(adopting.find("nothing is removed until the mesh has confirmed it") != std::string::npos);
}

TEST_CASE("a plan refuses an interface that is not ours", "[cli][plan]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  observed.link.alias.clear();
  observed.device_key = key(77);
  for (ObservedPeer& peer : observed.peers)
    peer.key = key(78);
  const auto plan = make_plan(snapshot);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().code == Errc::exists);
  snapshot.facts.desired.reset();
  CHECK(make_plan(snapshot).error().code == Errc::not_found);
}

TEST_CASE("the state dump names every part even when it is empty", "[cli][dump]") {
  Facts facts;
  facts.interface = "wgoverlay";
  CHECK(dump_text(facts, kNow) ==
        "state of wgoverlay at 2026-05-04T03:02:01.000Z\n"
        "\nself\n  none\n"
        "\noptions\n  none\n"
        "\nmembers\n  none\n"
        "\ndesired\n  none\n"
        "\napplied\n  generation  0\n"
        "\nadopt mode\n  off\n"
        "\nhealth\n  none\n"
        "\ndrift\n  none\n"
        "\nrequests (newest 50)\n  none\n"
        "\nhistory (newest 50)\n  none\n");
}

TEST_CASE("the state dump shows rows as aligned lines", "[cli][dump]") {
  Snapshot snapshot = in_order();
  snapshot.facts.applied.failed = {{"peer web1", false, "no buffer space", kNow - minutes{4}, 4}};
  snapshot.facts.health = {
      {store::HealthKind::seed, "192.0.2.1:7946", false, "refused", 3, kNow - minutes{4}}};
  const std::string text = dump_text(snapshot.facts, kNow);
  CAPTURE(text);
  CHECK(text.find("\n  cluster         3f9a-c2e1\n") != std::string::npos);
  CHECK(text.find("\n  log-level  warn\n") != std::string::npos);
  CHECK(text.find("\n  peer web1   10.42.149.56") != std::string::npos);
  CHECK(text.find("\n  peer web1   failed 4m ago  4 attempts  no buffer space\n") !=
        std::string::npos);
  CHECK(text.find("\n  seed  192.0.2.1:7946  NOT OK  for 4m  3  refused\n") != std::string::npos);
  CHECK(text.find("\n  3h ago   peer web1  + peer web1  member alive since 12d\n") !=
        std::string::npos);
}
