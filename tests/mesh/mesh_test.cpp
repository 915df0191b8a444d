// The rules of mesh.h between whole meshes on a virtual network: who stands as what.
#include "tests/mesh/support/three.h"
#include "wire/keyring.h"
#include "wire/messages.h"
#include "wire/node_meta.h"
#include "wire/packet.h"

namespace wesher::mesh {

using namespace test;

TEST_CASE("Hosts that join through one of them configure each other exactly") {
  Three mesh;
  CHECK(mesh.db1.standings() == Lines{"db2: configured", "web: configured"});
  CHECK(mesh.web.standings() == Lines{"db1: configured", "db2: configured"});
  const Member& seen = mesh.web.member("db2");
  CHECK(seen.underlay_bytes == Bytes{192, 0, 2, 2});
  CHECK(seen.underlay == ip("192.0.2.2"));
  CHECK(seen.gossip_port == 7946);
  CHECK(seen.meta == mesh.db2.own);
  CHECK(mesh.web.mesh->live() == 2);
  CHECK(mesh.web.mesh->is_member_address(ip("192.0.2.2")));
  CHECK_FALSE(mesh.web.mesh->is_member_address(ip("192.0.2.77")));
  CHECK(any_contains(mesh.web.notices(), "joined through db1 (192.0.2.1:7946)"));
}

TEST_CASE("Every host that met another one has seen a whole table of an alive member") {
  Three mesh;
  CHECK(mesh.db1.count<Synced>() >= 1);
  CHECK(mesh.db2.count<Synced>() >= 1);
  CHECK(mesh.web.count<Synced>() >= 1);
}

TEST_CASE("A host with nobody to ask announces at once and is not synced") {
  Network net;
  Host& alone = net.add("db1", 1);
  net.start(alone);
  CHECK(alone.mesh->announced());
  net.run(10min);
  CHECK(alone.count<Synced>() == 0);
  CHECK(net.streams == 0);
}

TEST_CASE("A new key of a running host is everywhere at once and its address stays its own") {
  Three mesh;
  mesh.net.change_key(mesh.web, key(77));
  mesh.net.run(1s);
  CHECK(mesh.db1.member("web").meta == mesh.web.own);
  CHECK(mesh.db2.member("web").meta == mesh.web.own);
  CHECK(mesh.net.converged());
  // What bears the new key from elsewhere is refused as ours, as the old one was.
  Host& thief = mesh.net.add("thief", 77);
  mesh.net.start(thief, {"db1"});
  mesh.net.run(10s);
  CHECK(mesh.web.member("thief").standing == Standing::refused);
}

TEST_CASE("A settled mesh says nothing and writes nothing") {
  Three mesh;
  mesh.net.run(5min);
  const std::size_t before = mesh.db1.facts.size() + mesh.db2.facts.size() + mesh.web.facts.size();
  mesh.net.run(30min);
  CHECK(mesh.db1.facts.size() + mesh.db2.facts.size() + mesh.web.facts.size() == before);
}

TEST_CASE("A member that leaves is a seed everywhere at once and the leaver is told by how many") {
  Three mesh;
  const auto told = mesh.net.leave(mesh.web);
  REQUIRE(told);
  CHECK(*told == 2);
  for (Host* host : {&mesh.db1, &mesh.db2}) {
    CHECK(host->member("web").state == MemberState::left);
    CHECK(host->member("web").standing == Standing::seed);
    CHECK(any_contains(host->notices(), "web (192.0.2.3) left"));
  }
  CHECK(mesh.db1.member("db2").standing == Standing::configured);
}

TEST_CASE("A record from before a goodbye brings nobody back but the member itself") {
  Three mesh;
  wire::Keyring ring;
  REQUIRE(ring.add(Bytes(32, 1)));
  Rng rng = Rng::from_number(3);
  const Member before = mesh.db1.member("web");
  wire::Alive alive;
  alive.incarnation = before.incarnation;
  alive.node = "web";
  alive.address = before.underlay_bytes;
  alive.port = before.gossip_port;
  alive.meta = wire::encode_node_meta(*before.meta);
  alive.versions = {1, 5, 2, 0, 0, 0};
  mesh.net.leave(mesh.web);
  mesh.net.run(10min);  // gossip has forgotten it
  const auto repeat = [&] {
    const std::vector<Bytes> claims{wire::encode(alive)};
    for (Host* host : {&mesh.db1, &mesh.db2})
      mesh.net.inject(*host, mesh.web.endpoint, wire::seal_packet(ring, wire::pack(claims), rng));
    mesh.net.run(20s);
  };
  SECTION("while it is gone") {
    repeat();
    CHECK(mesh.db1.member("web").state == MemberState::left);
    CHECK(mesh.db2.member("web").state == MemberState::left);
  }
  SECTION("when it is there again without its disk") {
    mesh.web.incarnation = 1;
    mesh.web.rows.clear();
    mesh.net.start(mesh.web);
    repeat();
    CHECK(mesh.net.converged());
  }
}

TEST_CASE("A forged goodbye takes nobody out of the mesh and is over within a second") {
  Three mesh;
  wire::Keyring ring;
  REQUIRE(ring.add(Bytes(32, 1)));
  Rng rng = Rng::from_number(3);
  const std::vector<Bytes> forged{wire::encode(wire::Dead{1000, "web", "web"})};
  const Bytes datagram = wire::seal_packet(ring, wire::pack(forged), rng);
  for (Host* host : {&mesh.db1, &mesh.db2})
    mesh.net.inject(*host, Endpoint{IpAddress::v4(203, 0, 113, 66), 7946}, datagram);
  mesh.net.run(300ms);
  for (Host* host : {&mesh.db1, &mesh.db2}) {
    CHECK(host->member("web").state == MemberState::alive);
    CHECK(host->member("web").standing == Standing::configured);
    CHECK_FALSE(any_contains(host->notices(), "left"));
  }
  mesh.net.run(1min);
  CHECK(mesh.net.converged());
}

TEST_CASE("A leave that nobody hears is done within the time given") {
  Three mesh;
  mesh.net.cut({"web"});
  CHECK(mesh.net.leave(mesh.web, 3s).has_value());
}

TEST_CASE("What others do after our own leave changes no row of ours") {
  Three mesh;
  const auto rows = mesh.web.rows;
  mesh.web.mesh->leave(30s, false, mesh.net.now());
  mesh.net.leave(mesh.db1);
  mesh.net.run(10s);
  CHECK(mesh.web.rows == rows);
}

TEST_CASE(
    "A killed member has failed, stays configured after gossip forgot it, and is called when it is "
    "gone") {
  Network net;
  net.adjust = [](Config& config) { config.failed_retention = 1h; };
  Host& db1 = net.add("db1", 1);
  Host& db2 = net.add("db2", 2);
  Host& web = net.add("web", 3);
  net.start(db1);
  net.start(db2, {"db1"});
  net.start(web, {"db1"});
  net.run(30s);
  net.kill(web);
  net.run(3min);
  REQUIRE(db1.member("web").state == MemberState::failed);
  CHECK(db1.member("web").standing == Standing::configured);
  CHECK(any_contains(db1.notices(), "web failed: "));
  CHECK(any_contains(db1.notices(), "it stays configured for 60m"));
  const auto rows = db1.rows;
  net.run(30min);  // gossip reaps after a minute
  CHECK(db1.rows == rows);
  CHECK(db1.member("web").standing == Standing::configured);
  net.run(35min);
  CHECK(db1.member("web").state == MemberState::gone);
  CHECK(db1.member("web").standing == Standing::seed);
  // It is called now and then, for a month.
  net.start(web);
  net.run(3min);
  CHECK(net.converged());
}

TEST_CASE("A restored owner keeps its address against a restored claimant of a smaller name") {
  Three mesh;
  Host& late = mesh.net.add("app", 9);
  late.own.overlay = mesh.web.own.overlay;
  mesh.net.start(late, {"db1"});
  mesh.net.run(20s);
  REQUIRE(mesh.db1.member("app").standing == Standing::refused);
  mesh.db1.facts.clear();
  mesh.restart(mesh.db1);
  mesh.net.run(10s);
  CHECK(mesh.db1.member("web").standing == Standing::configured);
  CHECK(changes(mesh.db1.facts).empty());
}

TEST_CASE("A member with a bad announcement is refused and costs nobody else anything") {
  Three mesh;
  const auto before = mesh.db1.standings();
  Host& bad = mesh.net.add("zbad", 9);
  bad.own.overlay = ip("10.9.0.1");
  mesh.net.adjust = [](Config& config) {
    config.overlay_net = Prefix::parse("10.0.0.0/8").value();
  };
  mesh.net.start(bad, {"db1"});
  mesh.net.run(20s);
  CHECK(mesh.db1.member("zbad").standing == Standing::refused);
  CHECK(mesh.db1.member("zbad").reason == "announces 10.9.0.1, outside 10.42.0.0/16");
  CHECK(mesh.db1.standings() == Lines{"db2: configured", "web: configured", "zbad: refused"});
  CHECK(count_containing(mesh.db1.notices(), "is not configured: announces 10.9.0.1") == 1);
}

TEST_CASE("Whoever announces our address or our key is refused by us") {
  Three mesh;
  Host& thief = mesh.net.add("thief", 9);
  thief.own = mesh.db1.own;
  mesh.net.start(thief, {"db2"});
  mesh.net.run(20s);
  CHECK(mesh.db1.member("thief").reason == "announces 10.42.0.1, our own address");
  CHECK(mesh.db2.member("thief").standing == Standing::refused);
  CHECK(mesh.db2.member("db1").standing == Standing::configured);
}

TEST_CASE("The second claimant of an address is refused until the first one leaves") {
  Three mesh;
  Host& late = mesh.net.add("app", 9);
  late.own.overlay = mesh.web.own.overlay;
  mesh.net.start(late, {"db1"});
  mesh.net.run(20s);
  CHECK(mesh.db1.member("app").reason == "10.42.0.3 is held by web");
  CHECK(mesh.db1.member("web").standing == Standing::configured);
  mesh.net.leave(mesh.web);
  CHECK(mesh.db1.member("app").standing == Standing::configured);
  CHECK(mesh.db1.member("web").standing == Standing::seed);
}

TEST_CASE("A host restarted under another name replaces its older name at once") {
  Three mesh;
  mesh.net.kill(mesh.web);
  Host& renamed = mesh.net.add("renamed", 3);
  mesh.net.start(renamed, {"db1"});
  mesh.net.run(5s);
  CHECK(mesh.db1.member("renamed").standing == Standing::configured);
  CHECK(mesh.db1.member("web").standing == Standing::seed);
  CHECK(mesh.db1.member("web").reason == "its key is now announced by renamed");
  mesh.net.run(10min);
  CHECK(mesh.db1.member("renamed").standing == Standing::configured);
}

TEST_CASE("Junk from somewhere is counted per source and told once") {
  Three mesh;
  for (int i = 0; i < 31; ++i) {
    mesh.net.inject(mesh.db1, endpoint("198.51.100.22:7946"), Bytes(64, 0x01));
    mesh.net.run(100ms);
  }
  mesh.net.run(20s);
  CHECK(any_contains(mesh.db1.notices(), "31 packets from 198.51.100.22 cannot be decrypted"));
  CHECK(mesh.db1.count<ForeignPackets>() == 1);
}

TEST_CASE("A second host of our name is refused and both names and the remedy are told") {
  Three mesh;
  Host& twin = mesh.net.add("twin", 9);
  mesh.net.adjust = [](Config& config) { config.gossip.name = "web"; };
  mesh.net.start(twin, {"db1", "web"});
  mesh.net.run(1min);
  CHECK(mesh.db1.member("web").underlay == ip("192.0.2.3"));
  CHECK(any_contains(twin.notices(), "the name web is also announced by 192.0.2.3:7946"));
  CHECK(any_contains(mesh.db1.notices(), "192.0.2.9:7946 announces the name web of the member at"));
  CHECK(any_contains(mesh.web.notices(), "the name web is also announced by 192.0.2.9:7946"));
  CHECK(any_contains(mesh.web.notices(), "--node-name NAME"));
}

TEST_CASE("A host that runs out of incarnations asks for more and goes on with those") {
  Network net;
  net.adjust = [](Config& config) {
    config.gossip.incarnation_first = 1000;
    config.gossip.incarnation_end = 1002;
  };
  Host& db1 = net.add("db1", 1);
  Host& db2 = net.add("db2", 2);
  net.start(db1);
  net.start(db2, {"db1"});
  for (int accusations = 0; accusations < 6; ++accusations) {
    net.run(1min);
    REQUIRE(net.converged());
    net.cut({"db2"});
    net.run(15s);
    net.heal();
  }
  net.run(1min);
  CHECK(net.converged());
  CHECK(db1.count<ReserveIncarnations>() + db2.count<ReserveIncarnations>() >= 1);
  CHECK(db1.member("db2").incarnation > 1003);
}

}  // namespace wesher::mesh
