// A network that falls apart between Go nodes and ours for longer than any suspicion, and is whole
// again. The library never calls again whom it has forgotten, so the way back is ours to find.
#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Rig;

TEST_CASE("a partition between Go nodes and ours heals although a Go node has forgotten ours",
          "[long]") {
  Rig rig(4);
  netns::need_program("nft");
  const std::vector<int> ours{1, 2};
  const std::vector<int> theirs{3, 4};
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1));
  GoPeer keeps(rig.host(3), rig.key(), {"F2", "keeps", ""});
  GoPeer forgets(rig.host(4), rig.key(), {"F2", "forgets", "", 5s});
  const std::vector<GoPeer*> go{&keeps, &forgets};
  for (GoPeer* each : go)
    each->join(rig.seed(1));
  const auto require_whole = [&] {
    for (GoPeer* each : go)
      for (const int number : ours)
        require_both(rig, rig.host(number), *each);
  };
  require_whole();
  for (const int a : ours)
    for (const int b : theirs)
      for (const char* protocol : {"udp", "tcp"}) {
        block(rig.host(a), protocol, rig.seed(b));
        block(rig.host(b), protocol, rig.seed(a));
      }
  // Four members: a probe of each within 15 s, then 30 s of suspicion, which nobody can shorten.
  rig.require_soon("each side holds the other for dead, and one Go node for nothing", 150s, [&] {
    for (const int number : ours) {
      const std::string name = rig.host(number).name();
      const std::string held = keeps.state(name);
      if (held == "alive" || held == "suspect" || !forgets.state(name).empty()) return false;
      for (GoPeer* each : go)
        if (rig.host(number).member_state(each->name()) != "failed") return false;
    }
    return true;
  });
  // Each side is whole in itself, and what failed keeps its peer with us.
  for (const int number : ours)
    for (GoPeer* each : go)
      REQUIRE(has_peer(rig.host(number), each->key()));
  REQUIRE(rig.host(1).member_state("n2") == "alive");
  REQUIRE(keeps.state("forgets") == "alive");
  for (const int number : {1, 2, 3, 4})
    unblock(rig.host(number));
  // A failed member is called at least every 10 s here (30 s × 2 live ÷ (3 × 2 failed)).
  require_whole();
  for (GoPeer* each : go)
    for (const char* name : {"n1", "n2"})
      CHECK(each->heard("join", name).size() == 2);
}

}  // namespace wesher::interop
