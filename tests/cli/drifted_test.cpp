// One system after strangers were at work, as every reading command tells it: word for word.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/explain.h"
#include "cli/history.h"
#include "cli/plan_report.h"
#include "cli/selection.h"
#include "cli/state_dump.h"
#include "cli/status.h"
#include "tests/cli/support/fixture.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;
using nlohmann::json;

namespace {

std::vector<store::HistoryEntry> history_of(const Snapshot& snapshot, const std::string& name) {
  std::vector<store::HistoryEntry> out;
  for (const auto& entry : snapshot.facts.history) {
    const bool own = name == "db1" && is_own_object(entry.object);
    if (own || entry.object == "member " + name || entry.object == "peer " + name) {
      out.push_back(entry);
    }
  }
  return out;
}

ExplainReport explained(const Snapshot& snapshot, const std::string& word) {
  const Selection selection = select_nodes(snapshot, word).value();
  ExplainReport report{"wgoverlay", kNow, word, selection.size(), {}};
  if (selection.own) report.nodes.push_back(explain_own(snapshot, history_of(snapshot, "db1")));
  for (const Member* member : selection.members)
    report.nodes.push_back(explain_member(snapshot, *member, history_of(snapshot, member->name)));
  return report;
}

std::string explain(const std::string& word) {
  return explain_text(explained(drifted(), word));
}

}  // namespace

TEST_CASE("the plan of a drifted system is what the daemon would change", "[cli][drifted]") {
  const Snapshot snapshot = drifted();
  CHECK(
      plan_text(make_plan(snapshot).value(), snapshot) ==
      "wgoverlay: 5 changes\n"
      "  ~ link wgoverlay       down -> up                                    someone else set it "
      "down\n"
      "  + peer web1 (BAQE…)    10.42.149.56/32, 198.51.100.21:51820          member alive since "
      "12d, missing in the device\n"
      "  + route 10.42.51.1/32  proto wesher                                  address of member "
      "pi1, no route to it\n"
      "  + hosts db2            10.42.214.195                                 member alive since "
      "12d, missing in the file\n"
      "  - peer (CQkJ…)         CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=  no member has this "
      "key\n");
}

TEST_CASE("the status of a drifted system names every difference in its layer", "[cli][drifted]") {
  CHECK(
      render_text(build_status(drifted())) ==
      "db1  10.42.215.254  wgoverlay  cluster 3f9a-c2e1  daemon up 12d\n"
      "gossip    ok    5 members: 4 alive, 1 failed\n"
      "database  ok    generation 812, applied 812\n"
      "device    NOT OK  wgoverlay is down; 1 of 4 peers missing: web1; 1 peer of no member: "
      "CQkJ…\n"
      "routes    NOT OK  1 of 4 missing: pi1\n"
      "hosts     NOT OK  1 of 4 missing: db2\n"
      "\n"
      "NAME  OVERLAY        ENDPOINT             STATE      HANDSHAKE  RX       TX       VERSION\n"
      "db1   10.42.215.254  203.0.113.5          this host  -          -        -        2.0.0\n"
      "db2   10.42.214.195  203.0.113.6:51820    alive      41s        1.2 GiB  890 MiB  signed "
      "0202-0202\n"
      "pi1   10.42.51.1     192.0.2.80:51820     failed 2h  2h         88 MiB   12 MiB   signed "
      "0303-0303\n"
      "web1  10.42.149.56   198.51.100.21:51820  alive      -          -        -        signed "
      "0404-0404\n"
      "web2  10.42.152.233  198.51.100.99:40112  alive      20s        2.0 KiB  9.0 KiB  signed "
      "0505-0505\n"
      "\n"
      "pi1: kept for 70h more\n"
      "last drift: 4m ago, peer web1 (BAQE…) was removed, repaired in 1.2s ('wesher history')\n");
}

TEST_CASE("the history of a drifted system is told newest first", "[cli][drifted]") {
  HistoryReport report{"wgoverlay", kNow, std::nullopt, "", drifted().facts.history, false};
  const std::string expected =
      "4m ago   peer web1   + peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820  member "
      "alive "
      "since 12d, missing in the device\n"
      "2h ago   member pi1  alive -> failed                                            no answer "
      "for 30s\n"
      "3d ago   link        ~ link  down -> up                                         someone "
      "else "
      "set it down\n"
      "12d ago  daemon      started                                                    2.0.0\n";
  CHECK(history_text(report) == expected);
  keep_newest(report, 4);
  CHECK(history_text(report) == expected);
  keep_newest(report, 2);
  CHECK(
      history_text(report) ==
      "4m ago  peer web1   + peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820  member alive "
      "since 12d, missing in the device\n"
      "2h ago  member pi1  alive -> failed                                            no answer "
      "for 30s\n"
      "older entries: --limit N shows more\n");
}

TEST_CASE("explain tells this host by what is its own", "[cli][drifted]") {
  CHECK(explain("db1") ==
        "db1  10.42.215.254  this host\n"
        "gossip    announced as 203.0.113.5:7946, up 12d; identity 0101-0101, address claimed 41d "
        "ago; 5 members: 4 alive, 1 failed\n"
        "database  key AQEB…, 10.42.215.254/32 of 10.42.0.0/16, UDP 51820; generation 812, applied "
        "812\n"
        "device    differs: link: someone else set it down; the daemon repairs it within 30s\n"
        "route     none to ourselves\n"
        "hosts     no line of ours has our own name\n"
        "history   3d ago   ~ link  down -> up  someone else set it down\n"
        "          12d ago  daemon started      2.0.0\n");
}

TEST_CASE("explain says for each layer of a member whether it is as wanted", "[cli][drifted]") {
  CHECK(explain("db2") ==
        "db2  10.42.214.195  alive\n"
        "gossip    alive for 12d, incarnation 3, 203.0.113.6:7946; "
        "signed by 0202-0202, epoch 1762338112004; address claimed 41d ago\n"
        "database  peer AgIC…, 10.42.214.195/32, endpoint 203.0.113.6:51820, generation 812\n"
        "device    same, handshake 41s ago; wgoverlay is down\n"
        "route     10.42.214.195/32 dev wgoverlay: same\n"
        "hosts     /etc/hosts: missing; the daemon repairs it within 30s\n"
        "history   nothing is noted\n");
  CHECK(explain("pi1") ==
        "pi1  10.42.51.1  failed\n"
        "gossip    failed 2h ago, kept for 70h more, incarnation 3, 192.0.2.80:7946; "
        "signed by 0303-0303, epoch 1762338112004; address claimed 41d ago\n"
        "database  peer AwMD…, 10.42.51.1/32, endpoint 192.0.2.80:51820, generation 812\n"
        "device    same, handshake 2h ago; wgoverlay is down\n"
        "route     10.42.51.1/32 dev wgoverlay: missing; the daemon repairs it within 30s\n"
        "hosts     /etc/hosts line 2: same\n"
        "history   2h ago  alive -> failed  no answer for 30s\n");
  CHECK(explain("10.42.149.56") ==
        "web1  10.42.149.56  alive\n"
        "gossip    alive for 12d, incarnation 3, 198.51.100.21:7946; "
        "signed by 0404-0404, epoch 1762338112004; address claimed 41d ago\n"
        "database  peer BAQE…, 10.42.149.56/32, endpoint 198.51.100.21:51820, generation 812\n"
        "device    missing; the daemon repairs it within 30s\n"
        "route     10.42.149.56/32 dev wgoverlay: same\n"
        "hosts     /etc/hosts line 5: same\n"
        "history   4m ago  + peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820  member alive "
        "since 12d, missing in the device\n");
  CHECK(explain("198.51.100.99") ==
        "web2  10.42.152.233  alive\n"
        "gossip    alive for 12d, incarnation 3, 198.51.100.22:7946; "
        "signed by 0505-0505, epoch 1762338112004; address claimed 41d ago\n"
        "database  peer BQUF…, 10.42.152.233/32, endpoint 198.51.100.22:51820, generation 812\n"
        "device    same; endpoint now 198.51.100.99:40112 (learned by WireGuard, left alone), "
        "handshake 20s ago; wgoverlay is down\n"
        "route     10.42.152.233/32 dev wgoverlay: same\n"
        "hosts     /etc/hosts line 6: same\n"
        "history   nothing is noted\n");
}

TEST_CASE("a layer of status is in order only where the plan has nothing to do", "[cli][drifted]") {
  Snapshot snapshot = drifted();
  const auto not_ok = [&] {
    std::string out;
    for (const Layer& layer : judge_layers(snapshot))
      out += layer.ok ? "" : layer.name + " ";
    return out;
  };
  CHECK(not_ok() == "device routes hosts ");
  const Snapshot order = in_order();
  snapshot.live.observed->routes = order.live.observed->routes;
  CHECK(not_ok() == "device hosts ");
  snapshot.live.observed->hosts = order.live.observed->hosts;
  CHECK(not_ok() == "device ");
  CHECK_FALSE(make_plan(snapshot)->empty());
  snapshot.live.observed->link.up = true;
  snapshot.live.observed->peers = order.live.observed->peers;
  CHECK(not_ok().empty());
  CHECK(make_plan(snapshot)->empty());
}

TEST_CASE("history as JSON has exact times", "[cli][drifted]") {
  const HistoryReport report{
      "wgoverlay", kNow, kNow - hours{24 * 20}, "web1", history_of(drifted(), "web1"), true};
  CHECK(json::parse(history_json(report)) ==
        json::parse(R"({"schema": "wesher.history/1", "time": "2026-05-04T03:02:01.000Z",
          "interface": "wgoverlay", "since": "2026-04-14T03:02:01.000Z", "node": "web1",
          "more": true, "entries": [{"id": 9, "at": "2026-05-04T02:58:01.000Z",
          "object": "peer web1",
          "what": "+ peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820",
          "reason": "member alive since 12d, missing in the device"}]})"));
}

TEST_CASE("explain as JSON has a verdict for each layer and the facts behind it",
          "[cli][drifted]") {
  const json out = json::parse(explain_json(explained(drifted(), "10.42.0.0/16")));
  CHECK(out.at("schema") == "wesher.explain/1");
  CHECK(out.at("asked") == "10.42.0.0/16");
  CHECK(out.at("matches") == 5);
  REQUIRE(out.at("nodes").size() == 5);
  const json& own = out.at("nodes").at(0);
  CHECK(own.at("this_host") == true);
  CHECK(own.at("member").is_null());
  CHECK(own.at("layers").at("device").at("verdict") == "differs");
  const json& pi1 = out.at("nodes").at(2);
  CHECK(pi1.at("name") == "pi1");
  CHECK(pi1.at("overlay") == "10.42.51.1");
  CHECK(pi1.at("state") == "failed");
  CHECK(pi1.at("member").at("state_age_s") == 7200);
  CHECK(pi1.at("wanted").at("endpoint") == "192.0.2.80:51820");
  CHECK(pi1.at("observed").at("handshake_age_s") == 7200);
  CHECK(pi1.at("observed").at("allowed_ips") == json({"10.42.51.1/32"}));
  CHECK(pi1.at("hosts_line") == 2);
  CHECK(pi1.at("history").at(0).at("at") == "2026-05-04T01:02:01.000Z");
  CHECK(pi1.at("layers").at("route") ==
        json({{"ok", false},
              {"verdict", "missing"},
              {"text", "10.42.51.1/32 dev wgoverlay: missing; the daemon repairs it within 30s"}}));
  std::string verdicts;
  for (const json& node : out.at("nodes")) {
    for (const char* layer : {"gossip", "database", "device", "route", "hosts"})
      verdicts += node.at("layers").at(layer).at("verdict").get<std::string>() + ", ";
    verdicts += "\n";
  }
  CHECK(verdicts ==
        "this host, wanted, differs, none, none, \n"
        "alive, wanted, same, same, missing, \n"
        "failed, wanted, same, missing, same, \n"
        "alive, wanted, missing, same, same, \n"
        "alive, wanted, same, same, same, \n");
  CHECK(out.at("nodes").at(3).at("observed").is_null());
}

TEST_CASE("status and state dump as JSON have what others changed", "[cli][drifted]") {
  Snapshot snapshot = drifted();
  const json drift = json::parse(R"({"object": "peer web1",
    "what": "+ peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820",
    "reason": "member alive since 12d, missing in the device", "count": 2,
    "at": "2026-05-04T02:58:01.000Z", "repaired_ms": 1250, "fighting": false})");
  CHECK(json::parse(render_json(build_status(snapshot))).at("last_drift") == drift);
  snapshot.facts.requests = {
      {3, "leave", "{}", 0, kNow - minutes{1}, kNow, "expired", "nobody took it in time"}};
  snapshot.facts.drift.back().repaired.reset();
  const json dump = json::parse(dump_json(snapshot.facts, kNow));
  CHECK(dump.at("drift").at(0) == drift);
  CHECK(dump.at("drift").at(1).at("repaired_ms").is_null());
  CHECK(dump.at("requests") == json::parse(R"([{"id": 3, "kind": "leave", "arguments": "{}",
    "uid": 0, "created": "2026-05-04T03:01:01.000Z", "expires": "2026-05-04T03:02:01.000Z",
    "state": "expired", "result": "nobody took it in time"}])"));
  const std::string text = dump_text(snapshot.facts, kNow);
  CHECK(text.find("\ndrift\n  peer web1  4m ago  2 repairs  repaired in 1.2s") !=
        std::string::npos);
  CHECK(text.find("\nrequests (newest 50)\n  3  leave  60s ago  uid 0  expired  {}  nobody took it "
                  "in time\n") != std::string::npos);
  snapshot.facts.drift.clear();
  CHECK(json::parse(render_json(build_status(snapshot))).at("last_drift").is_null());
}
