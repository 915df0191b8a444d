// Probes between our daemon and Go nodes over networks that let only a part of them through.
#include <catch2/catch.hpp>

#include "interop/support/beside.h"
#include "interop/support/capture.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Rig;

namespace {

// WAN timing: a probe every 5 s, of one member after the other.
constexpr auto kProbes = 20s;

// How often a member was accused so far, by the Go node or by ours.
std::size_t accusations(Rig& rig, Capture& capture) {
  std::vector<Bytes> datagrams;
  for (const CapturedPacket& packet : capture.packets())
    datagrams.push_back(packet.payload);
  std::size_t count = 0;
  for (const Json& object : dump_packets(rig.key(), datagrams)) {
    const std::string message = object.value("message", "");
    count += message == "suspect" || message == "dead" ? 1U : 0U;
  }
  return count;
}

void probes_without_udp(bool towards_ours, bool towards_go) {
  Rig rig(2);
  netns::need_program("nft");
  start_ours(rig, rig.host(1));
  GoPeer go(rig.host(2), rig.key(), {"F2", "go", ""});
  go.join(rig.seed(1));
  require_both(rig, rig.host(1), go);
  if (towards_ours) block(rig.host(1), "udp", rig.seed(2));
  if (towards_go) block(rig.host(2), "udp", rig.seed(1));
  Capture capture(rig.host(1));
  const auto out = [&] { return go.stats().at("streams_out").get<int>(); };
  const int before = out();
  // Both sides fall back to a ping over a stream, more than once, and nobody is accused.
  rig.require_soon("the Go node fell back to streams", kProbes * 3,
                   [&] { return out() >= before + 2; });
  rig.require_soon("ours fell back to streams", kProbes * 3, [&] {
    int pings = 0;
    for (const CapturedStream& stream : capture.streams())
      if (stream.initiator && stream.from == rig.seed(1) && stream.ended)
        for (const Json& object : dump_streams(rig.key(), {stream.bytes}))
          pings += object.value("message", "") == "ping" ? 1 : 0;
    return pings >= 2;
  });
  REQUIRE(accusations(rig, capture) == 0);
  REQUIRE(go.state("n1") == "alive");
  REQUIRE(rig.host(1).member_state("go") == "alive");
  REQUIRE(go.heard("leave", "n1").empty());
}

}  // namespace

TEST_CASE("datagrams to ours are lost: probes fall back to streams", "[long]") {
  probes_without_udp(true, false);
}

TEST_CASE("datagrams to the Go node are lost: probes fall back to streams", "[long]") {
  probes_without_udp(false, true);
}

TEST_CASE("no datagrams either way: probes fall back to streams", "[long]") {
  probes_without_udp(true, true);
}

TEST_CASE("a pair that cannot talk is kept alive by relays, ours and Go's", "[long]") {
  Rig rig(4);
  netns::need_program("nft");
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1));
  GoPeer first(rig.host(3), rig.key(), {"F2", "first", ""});
  GoPeer second(rig.host(4), rig.key(), {"F2", "second", ""});
  first.join(rig.seed(1));
  second.join(rig.seed(1));
  for (GoPeer* go : {&first, &second})
    for (const int number : {1, 2})
      require_both(rig, rig.host(number), *go);
  // n1 and the first Go node lose each other altogether.
  for (const char* protocol : {"udp", "tcp"}) {
    block(rig.host(1), protocol, rig.seed(3));
    block(rig.host(3), protocol, rig.seed(1));
  }
  Capture ours(rig.host(2));
  Capture go(rig.host(4));
  const auto relayed = [&](Capture& capture, const std::string& relay, const std::string& from) {
    std::vector<Bytes> asked;
    for (const CapturedPacket& packet : capture.packets())
      if (packet.to == relay && packet.from == from) asked.push_back(packet.payload);
    int count = 0;
    for (const Json& object : dump_packets(rig.key(), asked))
      count += object.value("message", "") == "indirect_ping" ? 1 : 0;
    return count;
  };
  for (const int from : {1, 3}) {
    rig.require_soon("our relay was asked by " + rig.seed(from), 120s,
                     [&] { return relayed(ours, rig.seed(2), rig.seed(from)) >= 2; });
    rig.require_soon("the Go relay was asked by " + rig.seed(from), 120s,
                     [&] { return relayed(go, rig.seed(4), rig.seed(from)) >= 2; });
  }
  REQUIRE(first.state("n1") == "alive");
  REQUIRE(rig.host(1).member_state("first") == "alive");
  REQUIRE(accusations(rig, ours) == 0);
  REQUIRE(accusations(rig, go) == 0);
}

}  // namespace wesher::interop
