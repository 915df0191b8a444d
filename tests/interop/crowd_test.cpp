// Thirty nodes, half of them ours: all know all, and go on so while some of each kind come and go.
#include <algorithm>
#include <csignal>
#include <memory>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Rig;

TEST_CASE("thirty nodes of both kinds know each other, through leaves and joins", "[long]") {
  constexpr int kNodes = 30;
  Rig rig(kNodes);
  std::vector<std::unique_ptr<GoPeer>> go;
  start_ours(rig, rig.host(1));
  for (int number = 2; number <= kNodes; number += 2)
    go.push_back(std::make_unique<GoPeer>(
        rig.host(number), rig.key(), GoPeerSettings{"F2", rig.host(number).name(), ""}));
  for (int number = 3; number <= kNodes; number += 2)
    start_ours(rig, rig.host(number), rig.seed(1));
  // Half of the Go nodes join one of theirs that has joined ours.
  go[0]->join(rig.seed(1));
  for (std::size_t i = 1; i < go.size(); ++i)
    go[i]->join(i % 2 == 0 ? rig.seed(1) : rig.seed(2));
  const auto all_know = [&](std::size_t nodes) {
    for (int number = 1; number <= kNodes; number += 2) {
      const auto device = rig.host(number).device();
      if (!device || device->peers.size() != nodes - 1) return false;
    }
    return std::all_of(go.begin(), go.end(), [&](const auto& each) {
      if (!each->running()) return true;
      return each->members() == nodes;
    });
  };
  rig.require_soon("all thirty know all", 120s, [&] { return all_know(kNodes); });
  // Nobody lost anybody on the way.
  for (const auto& each : go)
    for (int number = 1; number <= kNodes; ++number)
      CHECK(each->heard("leave", rig.host(number).name()).empty());
  go.back()->leave();
  REQUIRE(rig.host(kNodes - 1).stop_daemon(SIGTERM) == 0);
  rig.require_soon("the others know that two left", 60s, [&] {
    const auto device = rig.host(1).device();
    return device && device->peers.size() == kNodes - 3 && go[0]->members() == kNodes - 2;
  });
  rig.host(kNodes - 1).start_daemon({});
  GoPeer again(rig.host(kNodes), rig.key(), {"F2", rig.host(kNodes).name(), ""});
  again.join(rig.seed(3));
  rig.require_soon("all thirty know all again", 120s,
                   [&] { return all_know(kNodes) && again.members() == kNodes; });
}

}  // namespace wesher::interop
