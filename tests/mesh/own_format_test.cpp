// The metadata format that hosts of ours speak, between whole meshes on a virtual network.
#include <catch2/catch.hpp>

#include "tests/mesh/support/three.h"

namespace wesher::mesh {

using namespace test;

namespace {

/// Hosts of ours, and unsigned ones that keep their format, as nodes of the Go program do.
struct Mixed {
  Mixed() {
    net.adjust = [this](Config& config) {
      if (config.identity_seed.is_zero()) config.format_is_fixed = true;
      if (config.gossip.name == fixed) config.format_is_fixed = true;
    };
    net.on_fact = [this](Host& host, const Fact& fact) {
      if (const auto* changed = std::get_if<MemberChanged>(&fact)) note(host, changed->member);
      if (std::holds_alternative<SpeakFormat>(fact)) spoke[host.name] = net.now().at;
    };
  }

  void note(const Host& at, const Member& member) {
    if (member.state == MemberState::failed) failed[at.name] = net.now().at;
    const bool of_ours = net.host(member.name).identity != 0;
    if (!of_ours || member.state == MemberState::left) return;
    if (!member.meta) ++without;
    if (member.meta) heard[member.name].insert(member.meta->format);
  }

  Host& ours(const std::string& name, std::uint8_t number) {
    Host& host = net.add(name, number);
    host.identity = number;
    return host;
  }

  Host& go(const std::string& name, std::uint8_t number, MetaFormat format) {
    Host& host = net.add(name, number);
    host.own.format = format;
    return host;
  }

  /// Runs until `host` has a member failed.
  void run_until_failed(const Host& host) {
    for (int i = 0; i < 300 && !failed.contains(host.name); ++i)
      net.run(1s);
    REQUIRE(failed.contains(host.name));
  }

  Network net;
  std::string fixed;                                  ///< one of ours, started with --meta-format
  std::map<std::string, std::set<MetaFormat>> heard;  ///< formats of ours, as anybody heard them
  std::size_t without = 0;                            ///< news of ours without metadata
  std::map<std::string, Instant> failed;              ///< when somebody failed there last
  std::map<std::string, Instant> spoke;               ///< when it wanted another format last
};

using Formats = std::set<MetaFormat>;

}  // namespace

TEST_CASE("A new host speaks from its first word what all nodes of the Go program speak") {
  for (const MetaFormat format : {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3}) {
    Mixed mesh;
    Host& go1 = mesh.go("go1", 1, format);
    Host& go2 = mesh.go("go2", 2, format);
    Host& db = mesh.ours("db", 3);
    mesh.net.start(go1);
    mesh.net.start(go2, {"go1"});
    mesh.net.run(5s);
    mesh.net.start(db, {"go1"});
    mesh.net.run(1min);
    CHECK(mesh.net.converged());
    CHECK(mesh.heard["db"] == Formats{format});
    CHECK(mesh.without == 0);
    CHECK(go2.member("db").meta->key == db.own.key);
    CHECK(db.count<SpeakFormat>() == (format == MetaFormat::f2 ? 0 : 1));
    mesh.net.run(5min);
    CHECK(mesh.heard["db"] == Formats{format});
  }
}

TEST_CASE("A new host keeps F2 where nodes of the Go program do not agree") {
  Mixed mesh;
  mesh.net.start(mesh.go("go1", 1, MetaFormat::f3));
  mesh.net.start(mesh.go("go2", 2, MetaFormat::f2), {"go1"});
  mesh.net.run(5s);
  mesh.net.start(mesh.ours("db", 3), {"go1"});
  mesh.net.run(10min);
  CHECK(mesh.net.converged());
  CHECK(mesh.heard["db"] == Formats{MetaFormat::f2});
}

TEST_CASE("A host that was heard before changes its format after half a minute only") {
  Mixed mesh;
  Host& go = mesh.go("go", 1, MetaFormat::f3);
  Host& db = mesh.ours("db", 2);
  mesh.net.start(go);
  mesh.net.run(5s);
  db.claim_is_new = false;
  mesh.net.start(db, {"go"});
  mesh.net.run(29s);
  CHECK(go.member("db").meta->format == MetaFormat::f2);
  CHECK(db.count<SpeakFormat>() == 0);
  mesh.net.run(2s);
  CHECK(go.member("db").meta == db.own);
  CHECK(db.own.format == MetaFormat::f3);
  CHECK(any_contains(db.notices(), "metadata format F2 -> F3: 1 live member of the Go program"));
  // A restart says at once what was stored.
  mesh.heard.clear();
  mesh.net.kill(db);
  mesh.net.start(db);
  mesh.net.run(1min);
  CHECK(mesh.heard["db"] == Formats{MetaFormat::f3});
}

TEST_CASE("When the last node that reads F2 has failed all of ours speak F3 thirty seconds later") {
  Mixed mesh;
  Host& old = mesh.go("old", 1, MetaFormat::f2);
  Host& next = mesh.go("next", 2, MetaFormat::f3);
  Host& db = mesh.ours("db", 3);
  Host& pi = mesh.ours("pi", 4);
  mesh.net.start(old);
  for (Host* host : {&next, &db, &pi}) {
    mesh.net.start(*host, {"old"});
    mesh.net.run(1s);
  }
  mesh.net.run(2min);
  CHECK(mesh.heard["db"] == Formats{MetaFormat::f2});
  CHECK(mesh.spoke.empty());
  mesh.net.kill(old);
  SECTION("for good") {
    mesh.run_until_failed(db);
    mesh.run_until_failed(pi);
    mesh.net.run(32s);
    CHECK(mesh.spoke["db"] - mesh.failed["db"] == 30s);
    CHECK(mesh.spoke["pi"] - mesh.failed["pi"] == 30s);
    CHECK(next.member("db").meta == db.own);
    CHECK(next.member("pi").meta->format == MetaFormat::f3);
    CHECK(pi.member("db").meta->format == MetaFormat::f3);
    mesh.net.run(10min);
    CHECK(db.count<SpeakFormat>() == 1);
    CHECK(mesh.without == 0);
  }
  SECTION("but it is back after twenty-nine") {
    mesh.run_until_failed(db);
    const Duration passed = mesh.net.now().at - mesh.failed["db"];
    mesh.net.run(29s - 100ms - passed);
    mesh.net.start(old);
    mesh.net.run(10min);
    CHECK(db.count<SpeakFormat>() == 0);
    CHECK(mesh.heard["db"] == Formats{MetaFormat::f2});
    CHECK(old.member("db").meta == db.own);
  }
}

TEST_CASE("What others of ours speak is no reason, nor is what nodes that are gone spoke") {
  Mixed mesh;
  mesh.fixed = "f3";
  Host& odd = mesh.ours("f3", 1);
  odd.own.format = MetaFormat::f3;
  Host& go = mesh.go("go", 2, MetaFormat::f3);
  mesh.net.start(odd);
  mesh.net.start(go, {"f3"});
  mesh.net.run(5s);
  mesh.net.leave(go);
  Host& db = mesh.ours("db", 3);
  mesh.net.start(db, {"f3"});
  mesh.net.run(10min);
  CHECK(mesh.net.converged());
  CHECK(mesh.heard["db"] == Formats{MetaFormat::f2});
  CHECK(mesh.heard["f3"] == Formats{MetaFormat::f3});
}

TEST_CASE("A fixed format is kept among nodes that cannot read it") {
  Mixed mesh;
  mesh.fixed = "db";
  mesh.net.start(mesh.go("go", 1, MetaFormat::f3));
  mesh.net.run(5s);
  Host& db = mesh.ours("db", 2);
  mesh.net.start(db, {"go"});
  mesh.net.run(10min);
  CHECK(mesh.heard["db"] == Formats{MetaFormat::f2});
  CHECK(db.count<SpeakFormat>() == 0);
}

}  // namespace wesher::mesh
