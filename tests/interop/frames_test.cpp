// Frames both ways: the library's own code reads whatever we emit, and we read whatever it makes.
#include <csignal>
#include <set>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"
#include "interop/support/capture.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Rig;

TEST_CASE("the library's frames are read in every form that its settings allow") {
  const std::string key = netns::random_key();
  std::size_t frames = 0;
  std::set<std::string> seen;
  for (const Json& made : frames_of_go(key)) {
    const Bytes frame = *from_hex(made.at("frame").get<std::string>());
    const auto objects =
        made.at("kind") == "packet" ? dump_packets(key, {frame}) : dump_streams(key, {frame});
    std::vector<std::string> messages;
    std::vector<std::string> layers;
    for (const Json& object : objects) {
      if (object.contains("message")) messages.push_back(object.at("message"));
      if (object.contains("layer")) layers.push_back(object.at("layer"));
    }
    INFO(made.dump());
    CHECK(messages == made.at("types").get<std::vector<std::string>>());
    for (const std::string layer : made.at("layers"))
      CHECK(std::count(layers.begin(), layers.end(), layer) == 1);
    seen.insert(messages.begin(), messages.end());
    ++frames;
  }
  REQUIRE(frames > 40);
  REQUIRE(seen == std::set<std::string>{"ack", "alive", "dead", "error", "indirect_ping", "nack",
                                        "ping", "push_pull", "suspect", "user"});
}

// Joins, probes, a relay, a crash with its accusations, a leave: what three of our daemons say
// meanwhile, every frame of it, through the library's decoders.
TEST_CASE("the library reads every frame that our daemons emit", "[long]") {
  need_gopeer();
  netns::need_program("nft");
  Rig rig(4);
  std::vector<std::unique_ptr<Capture>> captures;
  for (const int number : {1, 2, 3, 4})
    captures.push_back(std::make_unique<Capture>(rig.host(number)));
  rig.start_all();
  rig.require_mesh();
  // Only a relay reaches n2 from n1, and n3 over a stream.
  for (const char* protocol : {"udp", "tcp"})
    block(rig.host(2), protocol, rig.seed(1));
  block(rig.host(3), "udp", rig.seed(1));
  rig.host(4).stop_daemon(SIGKILL);
  rig.require_soon("n4 failed", 120s, [&] { return rig.host(1).member_state("n4") == "failed"; });
  REQUIRE(rig.host(3).stop_daemon(SIGTERM) == 0);
  std::vector<Bytes> datagrams;
  std::vector<Bytes> streams;
  for (const auto& capture : captures) {
    for (const CapturedPacket& packet : capture->packets())
      datagrams.push_back(packet.payload);
    for (CapturedStream& stream : capture->streams())
      if (stream.ended) streams.push_back(std::move(stream.bytes));
  }
  std::set<std::string> seen;
  const auto require_read = [&](const Json& result) {
    INFO(result.dump());
    REQUIRE_FALSE(result.contains("error"));
    for (const Json& message : result.at("result")) {
      REQUIRE(message.at("same") == true);
      seen.insert(message.at("type").get<std::string>());
    }
  };
  for (const Json& result : decode_with_go("packets", rig.key(), datagrams))
    require_read(result);
  for (const Json& result : decode_with_go("streams", rig.key(), streams))
    require_read(result);
  REQUIRE(seen == std::set<std::string>{"ack", "alive", "dead", "indirect_ping", "nack", "ping",
                                        "push_pull", "suspect"});
}

}  // namespace wesher::interop
