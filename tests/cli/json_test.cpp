// The JSON outputs: they parse, bear their schema, and hold the same facts as the text.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/members.h"
#include "cli/plan_report.h"
#include "cli/state_dump.h"
#include "cli/status.h"
#include "tests/cli/support/fixture.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;
using nlohmann::json;

TEST_CASE("status as JSON has the layers and the members with raw numbers", "[cli][json]") {
  Snapshot snapshot = in_order();
  snapshot.live.observed->link.up = false;
  const json status = json::parse(render_json(build_status(snapshot)));
  CHECK(status.at("schema") == "wesher.status/1");
  CHECK(status.at("time") == "2026-05-04T03:02:01.000Z");
  CHECK(status.at("ok") == false);
  CHECK(status.at("name") == "db1");
  CHECK(status.at("overlay") == "10.42.215.254");
  CHECK(status.at("daemon").at("state") == "running");
  CHECK(status.at("daemon").at("pid") == 812);
  CHECK(status.at("daemon").at("up_s") == 12 * 24 * 3600);
  CHECK(status.at("layers").at("gossip") == json({{"ok", true}, {"text", "5 members: 5 alive"}}));
  CHECK(status.at("layers").at("device") == json({{"ok", false}, {"text", "wgoverlay is down"}}));
  REQUIRE(status.at("members").size() == 5);
  const json& own = status.at("members").at(0);
  CHECK(own.at("this_host") == true);
  CHECK_FALSE(own.contains("rx_bytes"));
  const json& db2 = status.at("members").at(1);
  CHECK(db2.at("name") == "db2");
  CHECK(db2.at("state") == "alive");
  CHECK(db2.at("endpoint") == "203.0.113.6:51820");
  CHECK(db2.at("handshake") == "2026-05-04T03:01:20.000Z");
  CHECK(db2.at("handshake_age_s") == 41);
  CHECK(db2.at("rx_bytes") == 1288490189);
  CHECK(db2.at("tunnel") == "up");
  CHECK(db2.at("version").is_null());
  CHECK(db2.at("meta_format") == "F2");
  CHECK(db2.at("identity") == IdentityKey(key(2).bytes()).text());
  CHECK(db2.at("go_release").is_null());
  CHECK(status.at("meta_format") == "F2");
  CHECK(status.at("meta_format_fixed") == false);
  CHECK(status.at("legacy").is_null());
  CHECK(status.at("kept_out").is_null());
  CHECK(status.at("identity") == IdentityKey(key(1).bytes()).text());
  CHECK(status.at("claimed") == rfc3339(kNow - hours{41 * 24}));
}

TEST_CASE("status as JSON of a stopped daemon tells when and how it stopped", "[cli][json]") {
  Snapshot snapshot = alone();
  snapshot.daemon = DaemonState::stopped;
  snapshot.facts.self->stopped = kNow - minutes{14};
  snapshot.facts.self->stop_kind = "keep";
  const json daemon = json::parse(render_json(build_status(snapshot))).at("daemon");
  CHECK(daemon.at("state") == "stopped");
  CHECK(daemon.at("stopped") == "2026-05-04T02:48:01.000Z");
  CHECK(daemon.at("stop_kind") == "keep");
  CHECK(daemon.at("last_sign_age_s") == 14 * 60);
  CHECK_FALSE(daemon.contains("pid"));
}

TEST_CASE("bytes that are no UTF-8 still give valid JSON", "[cli][json]") {
  Snapshot snapshot = in_order();
  member_of(snapshot, "web2").name = "\xff\xfe";
  member_of(snapshot, "web1").reason = "\xc3\x28";
  snapshot.facts.history.push_back({1, kNow, "member \xff", "\xff", "\xff"});
  CHECK(json::accept(render_json(build_status(snapshot))));
  CHECK(json::accept(members_json(snapshot.facts, kNow)));
  CHECK(json::accept(dump_json(snapshot.facts, kNow)));
}

TEST_CASE("members as JSON has every member with its key and standing", "[cli][json]") {
  Snapshot snapshot = in_order();
  Member& refused = member_of(snapshot, "web2");
  refused.standing = Standing::refused;
  refused.reason = "its key is that of pi1";
  refused.meta.reset();
  const json members = json::parse(members_json(snapshot.facts, kNow));
  CHECK(members.at("schema") == "wesher.members/1");
  REQUIRE(members.at("members").size() == 5);
  CHECK(members.at("members").at(0).at("this_host") == true);
  CHECK(members.at("members").at(1).at("key") == key(2).base64());
  CHECK(members.at("members").at(1).at("state_age_s") == 12 * 24 * 3600);
  const json& last = members.at("members").at(4);
  CHECK(last.at("standing") == "refused");
  CHECK(last.at("reason") == "its key is that of pi1");
  CHECK(last.at("overlay").is_null());
}

TEST_CASE("the plan as JSON has one entry per action and what is wanted in all", "[cli][json]") {
  Snapshot snapshot = in_order();
  snapshot.live.observed->link.up = false;
  const auto plan = make_plan(snapshot);
  REQUIRE(plan.has_value());
  const json out = json::parse(plan_json(*plan, snapshot));
  CHECK(out.at("schema") == "wesher.plan/1");
  CHECK(out.at("generation") == 812);
  CHECK(out.at("in_order") == false);
  CHECK(out.at("wanted") == json({{"peers", 4}, {"routes", 4}, {"hosts_lines", 4}}));
  REQUIRE(out.at("actions").size() == 1);
  CHECK(out.at("actions").at(0).at("object") == "link");
  CHECK(out.at("actions").at(0).at("lines").at(0) == "~ link  down -> up");
  CHECK(out.at("notes").empty());
}

TEST_CASE("the state dump as JSON has all tables", "[cli][json]") {
  Snapshot snapshot = in_order();
  snapshot.facts.applied.failed = {{"peer web1", false, "no buffer space", kNow, 4}};
  snapshot.facts.health = {
      {store::HealthKind::foreign_packets, "192.0.2.1", false, "junk", 3, kNow}};
  const json dump = json::parse(dump_json(snapshot.facts, kNow));
  CHECK(dump.at("schema") == "wesher.state/1");
  CHECK(dump.at("self").at("name") == "db1");
  CHECK(dump.at("self").at("stopped").is_null());
  CHECK(dump.at("options") == json({{"interface", "wgoverlay"}, {"log-level", "warn"}}));
  CHECK(dump.at("members").size() == 5);
  CHECK(dump.at("desired").at("interface").at("listen_port") == 51820);
  CHECK(dump.at("desired").at("peers").at(3).at("endpoint") == "198.51.100.22:51820");
  CHECK(dump.at("applied").at("failed").at(0).at("attempts") == 4);
  CHECK(dump.at("adopting") == false);
  CHECK(dump.at("health").at(0).at("kind") == "foreign_packets");
  CHECK(dump.at("history").at(0).at("reason") == "member alive since 12d");
}

TEST_CASE("the address of a node as JSON names its family", "[cli][json]") {
  const json out = json::parse(ip_json({"db2", ip("fd00::5")}));
  CHECK(out ==
        json({{"schema", "wesher.ip/1"}, {"name", "db2"}, {"overlay", "fd00::5"}, {"family", 6}}));
}
