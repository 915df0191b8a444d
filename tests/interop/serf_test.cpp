// Serf's agent: another program on another build of the library. Its cluster has delegate versions
// of its own, so it takes nobody in who has none (the Go wesher neither); what it says is read.
#include <csignal>
#include <set>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"
#include "interop/support/capture.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Host;
using netns::Rig;

namespace {

netns::Process start_serf(Rig& rig, Host& host, const std::string& join = "") {
  netns::write_file(host.path("/run/serf.json"), Json{{"encrypt_key", rig.key()}}.dump());
  std::vector<std::string> argv{"serf", "agent", "-profile=wan", "-node=" + host.name(),
                                "-bind=" + host.underlay_address(), "-config-file=/run/serf.json"};
  if (!join.empty()) argv.push_back("-join=" + join);
  return host.start("serf", argv);
}

std::string members(const Host& host) {
  return host.exec({"serf", "members"}).out;
}

// The kinds of all messages so far, in datagrams and in streams that are over.
std::set<std::string> messages_in(const Rig& rig, Capture& capture) {
  std::vector<Bytes> datagrams;
  for (const CapturedPacket& packet : capture.packets())
    datagrams.push_back(packet.payload);
  std::vector<Bytes> streams;
  for (CapturedStream& stream : capture.streams())
    if (stream.ended) streams.push_back(std::move(stream.bytes));
  std::vector<Json> objects = dump_packets(rig.key(), datagrams);
  for (Json& object : dump_streams(rig.key(), streams))
    objects.push_back(std::move(object));
  std::set<std::string> kinds;
  for (const Json& object : objects)
    if (object.contains("message")) kinds.insert(object.at("message").get<std::string>());
  return kinds;
}

}  // namespace

TEST_CASE("what two serf agents say to each other is read to the last byte") {
  netns::need_program("serf");
  Rig rig(2);
  Capture capture(rig.host(1));
  netns::Process first = start_serf(rig, rig.host(1));
  rig.require_soon("the first agent is up", 20s,
                   [&] { return members(rig.host(1)).find("n1") != std::string::npos; });
  netns::Process second = start_serf(rig, rig.host(2), rig.seed(1));
  rig.require_soon("the agents know each other", 30s, [&] {
    return members(rig.host(1)).find("n2") != std::string::npos &&
           members(rig.host(2)).find("n1") != std::string::npos;
  });
  REQUIRE(rig.host(1).exec({"serf", "event", "hello", "payload"}).exit_code == 0);
  rig.require_soon("a probe of each", 30s, [&] { return messages_in(rig, capture).contains("ack"); });
  REQUIRE(first.running());
  // Its leave: an intent as a user message, then a death of its own.
  second.signal(SIGINT);
  REQUIRE(second.wait_for_end(30s));
  rig.require_soon("the first agent knows that the second left", 30s, [&] {
    return members(rig.host(1)).find("left") != std::string::npos;
  });
  const std::set<std::string> seen = messages_in(rig, capture);
  for (const char* message : {"alive", "dead", "ping", "ack", "push_pull", "user"}) {
    INFO(message);
    CHECK(seen.contains(message));
  }
}

TEST_CASE("a serf cluster under our key harms none of our members, and we none of its") {
  netns::need_program("serf");
  Rig rig(4);
  netns::Process first = start_serf(rig, rig.host(3));
  rig.require_soon("the first agent is up", 20s,
                   [&] { return members(rig.host(3)).find("n3") != std::string::npos; });
  netns::Process second = start_serf(rig, rig.host(4), rig.seed(3));
  rig.require_soon("the agents know each other", 30s,
                   [&] { return members(rig.host(3)).find("n4") != std::string::npos; });
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1) + "," + rig.seed(3));
  rig.require_mesh({1, 2});
  // Serf's words for a delegate version that it does not speak.
  rig.require_soon("serf looked at the state of ours and refused it", 30s, [&] {
    return netns::read_file(rig.host(3).path("/run/serf.out")).find("protocol version") !=
           std::string::npos;
  });
  REQUIRE(first.running());
  REQUIRE(second.running());
  REQUIRE(members(rig.host(4)).find("alive") != std::string::npos);
  REQUIRE(rig.host(1).daemon().running());
  REQUIRE(rig.host(2).daemon().running());
  rig.require_exactly({1, 2});
}

}  // namespace wesher::interop
