#include "netns/support/pair_flows.h"

#include <iostream>

#include <catch2/catch.hpp>

namespace wesher::netns {

namespace {

/// Packets a second and direction: enough to see a loss of 20 ms, and little work for two cores.
constexpr int kRate = 50;

using Named = std::vector<std::pair<std::string, Flow>>;

Named between(Rig& rig, const std::vector<std::pair<int, int>>& pairs) {
  Named named;
  const auto end = [&](int number) {
    const Host& host = rig.host(number);
    return FlowEnd{host.network_namespace(), host.addresses().at(0)};
  };
  for (const auto& [a, b] : pairs)
    named.emplace_back(rig.host(a).name() + " and " + rig.host(b).name(),
                       Flow{end(a), end(b), FlowKind::both_ways, kRate});
  return named;
}

std::vector<Flow> flows_of(const Named& named) {
  std::vector<Flow> flows;
  for (const auto& [name, flow] : named)
    flows.push_back(flow);
  return flows;
}

}  // namespace

PairFlows::PairFlows(Rig& rig, const std::vector<std::pair<int, int>>& pairs)
    : named_(between(rig, pairs)), flows_(flows_of(named_)) {
  rig.require_soon("all flows arrive", 20s, [&] {
    const FlowMark since = flows_.mark();
    std::this_thread::sleep_for(10 * std::chrono::milliseconds{1000 / kRate});
    const FlowMark until = flows_.mark();
    return until != since && flows_.wait_for_arrival(since, until, 1s);
  });
  began_ = flows_.mark();
}

void PairFlows::require_none_lost() {
  const FlowMark now = flows_.mark();
  (void)flows_.wait_for_arrival(began_, now, 5s);
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < named_.size(); ++i) {
    const FlowCount count = flows_.count(i, began_, now);
    std::cout << "between " << named_[i].first << ": " << count.sent << " packets, " << count.lost
              << " lost, longest gap " << count.longest_gap.count() / 1000 << " ms"
              << (count.where.empty() ? "" : ": ") << count.where << std::endl;
    REQUIRE(count.sent > 0);
    lost += count.lost;
  }
  REQUIRE(lost == 0);
}

}  // namespace wesher::netns
