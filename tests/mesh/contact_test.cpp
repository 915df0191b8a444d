// Whom a mesh calls and when, between whole meshes: start, seeds, missing members, partitions.
#include "tests/mesh/support/three.h"
#include "wire/node_meta.h"
#include "wire/packet.h"

namespace wesher::mesh {

using namespace test;

TEST_CASE("A host whose seeds are silent announces after the time given") {
  Network net;
  Host& host = net.add("db1", 1);
  net.add("gone", 9);
  net.start(host, {"gone"});
  CHECK_FALSE(host.mesh->announced());
  net.run(2s - 1us);
  CHECK_FALSE(host.mesh->announced());
  net.run(1us);
  CHECK(host.mesh->announced());
}

TEST_CASE("A host restarted from its rows finds the mesh without a seed") {
  Three mesh;
  mesh.restart(mesh.web);
  mesh.net.run(2s);
  CHECK(mesh.net.converged());
}

TEST_CASE("Hosts that all failed at once and start again find each other from their rows alone") {
  Three mesh;
  for (Host* host : {&mesh.db1, &mesh.db2, &mesh.web}) {
    mesh.net.kill(*host);
    host->seeds.clear();
  }
  mesh.net.run(5min);
  for (Host* host : {&mesh.db1, &mesh.db2, &mesh.web})
    mesh.net.start(*host);
  mesh.net.run(15s);
  CHECK(mesh.net.converged());
}

TEST_CASE("Hosts that all left one after the other find each other from their rows alone") {
  Three mesh;
  mesh.net.leave(mesh.db1);
  mesh.net.leave(mesh.db2);
  mesh.net.leave(mesh.web);
  for (Host* host : {&mesh.web, &mesh.db1, &mesh.db2}) {
    host->seeds.clear();
    mesh.net.start(*host);
    mesh.net.run(20s);
  }
  mesh.net.run(90s);
  CHECK(mesh.net.converged());
}

TEST_CASE("A restored member that does not answer has failed half a minute after the start") {
  Three mesh;
  mesh.net.kill(mesh.db2);
  mesh.net.kill(mesh.web);
  mesh.db1.facts.clear();
  mesh.restart(mesh.db1);
  CHECK(mesh.db1.member("web").state == MemberState::alive);
  CHECK(mesh.db1.member("web").standing == Standing::configured);
  CHECK(mesh.db1.mesh->live() == 0);
  mesh.net.run(33s);
  CHECK(mesh.db1.member("web").state == MemberState::failed);
  CHECK(mesh.db1.member("web").standing == Standing::configured);
  const auto told = changes(mesh.db1.facts);
  REQUIRE(told.size() == 2);
  CHECK(told[0].why == "no answer since we started");
}

TEST_CASE("An answer to the ping of a missing member is followed by a push/pull at once") {
  Three mesh;
  for (Host* host : {&mesh.db2, &mesh.web})
    mesh.net.kill(*host);
  mesh.net.adjust = [](Config& config) { config.seed_retry_first = 60s; };
  mesh.restart(mesh.db1);
  mesh.net.run(15s);  // the questions at the start have failed by now
  wire::Keyring ring;
  REQUIRE(ring.add(Bytes(32, 1)));
  mesh.net.on_datagram = [&](Station& sender, const gossip::Transmit& transmit) {
    const auto opened = wire::open_packet(ring, transmit.datagram);
    for (const wire::PacketMessage& message : opened.messages) {
      const auto* ping = std::get_if<wire::Ping>(&message);
      if (ping == nullptr || &sender != &mesh.db1 || ping->node != "web") continue;
      mesh.net.on_datagram = nullptr;
      Rng rng = Rng::from_number(3);
      const std::vector<Bytes> ack = {wire::encode(wire::Ack{ping->sequence, {}, true})};
      const std::uint64_t streams = mesh.net.streams;
      mesh.net.inject(mesh.db1, mesh.web.endpoint, wire::seal_packet(ring, wire::pack(ack), rng));
      CHECK(mesh.net.streams == streams + 1);
      CHECK(mesh.net.calls.at(mesh.web.endpoint).back() == mesh.net.now().at - at(0us).at);
      return;
    }
  };
  mesh.net.run(10s);
  CHECK_FALSE(mesh.net.on_datagram);
}

// It may hold us for dead: others brought it back, and it calls nobody whom it holds for that.
TEST_CASE(
    "A member that others saw come back and that signs nothing is asked for its table at once") {
  Three mesh;
  const Member before = mesh.db1.member("web");
  mesh.net.cut({"web"});
  mesh.net.run(3min);  // calls to it go out every few seconds by now, not every two
  REQUIRE(mesh.db1.member("web").state == MemberState::failed);
  wire::Alive back;
  back.incarnation = before.incarnation + 1;
  back.node = "web";
  back.address = before.underlay_bytes;
  back.port = before.gossip_port;
  back.meta = wire::encode_node_meta(*before.meta);
  back.versions = {1, 5, 2, 0, 0, 0};
  const std::size_t called = mesh.net.calls[mesh.web.endpoint].size();
  wire::Keyring ring;
  REQUIRE(ring.add(Bytes(32, 1)));
  Rng rng = Rng::from_number(3);
  const std::vector<Bytes> told{wire::encode(back)};
  const auto hear = [&] {
    mesh.net.inject(mesh.db1, mesh.db2.endpoint, wire::seal_packet(ring, wire::pack(told), rng));
  };
  hear();
  REQUIRE(mesh.db1.member("web").state == MemberState::alive);
  CHECK(mesh.net.calls[mesh.web.endpoint].size() == called + 1);
  hear();  // a second one is no return
  CHECK(mesh.net.calls[mesh.web.endpoint].size() == called + 1);
}

TEST_CASE("A partition of ten minutes heals within half a minute and no peer is touched") {
  Three mesh;
  mesh.net.cut({"web"});
  mesh.net.run(10min);
  CHECK(mesh.db1.member("web").state == MemberState::failed);
  CHECK(mesh.db1.member("web").standing == Standing::configured);
  CHECK(mesh.web.member("db1").standing == Standing::configured);
  CHECK(mesh.web.mesh->live() == 0);
  mesh.net.heal();
  mesh.net.run(30s);
  CHECK(mesh.net.converged());
  for (const Host* host : {&mesh.db1, &mesh.db2, &mesh.web}) {
    for (const MemberChanged& changed : changes(host->facts))
      CHECK(changed.member.standing == Standing::configured);
  }
}

TEST_CASE("A seed with another key is reported once and retried with growing pauses for ever") {
  Network net;
  Host& seed = net.add("seed", 1);
  seed.cluster_key = 99;
  net.start(seed);
  Host& host = net.add("host", 2);
  net.start(host, {"seed"});
  net.run(30min);
  CHECK(count_containing(host.notices(), "most likely its cluster key is not ours (3f9a-c2e1)") ==
        1);
  const auto& calls = net.calls.at(seed.endpoint);
  REQUIRE(calls.size() > 30);
  CHECK(calls[2] - calls[1] < 5s);
  CHECK(calls[calls.size() - 1] - calls[calls.size() - 2] > 50s);
  CHECK(host.mesh->live() == 0);
  SECTION("and joined through once its key is ours") {
    net.kill(seed);
    seed.cluster_key = 1;
    net.start(seed);
    net.run(61s);
    CHECK(net.converged());
    const auto known = std::find_if(host.facts.rbegin(), host.facts.rend(), [](const Fact& fact) {
      return std::holds_alternative<SeedHealth>(fact);
    });
    REQUIRE(known != host.facts.rend());
    CHECK(std::get<SeedHealth>(*known).ok);
  }
}

TEST_CASE("A seed that is an alive member is not asked again") {
  Three mesh;
  mesh.net.run(2min);
  const std::size_t streams = mesh.net.calls.at(mesh.db1.endpoint).size();
  const auto joins = count_containing(mesh.web.notices(), "joined through");
  mesh.net.cut({"web"});
  mesh.net.run(5min);
  CHECK(mesh.net.calls.at(mesh.db1.endpoint).size() > streams + 3);
  CHECK(joins == 1);
}

TEST_CASE("Leaving ends all attempts to reach anybody") {
  Network net;
  Host& host = net.add("db1", 1);
  net.add("gone", 9);
  net.start(host, {"gone"});
  net.run(1min);
  host.mesh->leave(1s, false, net.now());
  net.run(2s);
  const std::uint64_t streams = net.streams;
  net.run(10min);
  CHECK(net.streams == streams);
  CHECK(host.count<LeaveDone>() == 1);
}

}  // namespace wesher::mesh
