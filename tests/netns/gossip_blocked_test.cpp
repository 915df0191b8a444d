// The membership protocol is blocked between all hosts, WireGuard is not: silence is no departure.
#include <catch2/catch.hpp>

#include "netns/support/firewall.h"
#include "netns/support/pair_flows.h"

namespace wesher::netns {

TEST_CASE("the gossip port blocked between all hosts costs no packet and no peer",
          "[long][input]") {
  Rig rig(4);
  need_program("nft");
  rig.start_all({"--test-timers", "10"});
  rig.require_mesh();
  std::vector<std::string> fingerprints;
  for (const auto& host : rig.hosts())
    fingerprints.push_back(host->fingerprint(Fingerprint::without_state));
  PairFlows flows(rig, {{1, 2}, {2, 3}, {3, 4}, {4, 1}});
  for (const auto& host : rig.hosts())
    for (const auto& other : rig.hosts())
      for (const char* protocol : {"udp", "tcp"})
        if (host != other) block(*host, protocol, other->underlay_address());
  const auto all_failed = [&] {
    for (const auto& host : rig.hosts())
      for (const auto& [name, state] : host->member_states())
        if (name != host->name() && state != "failed") return false;
    return true;
  };
  rig.require_repair("everybody has lost everybody", 60s, all_failed);
  // Several times as long as that takes: probes every half second, suspicion of some seconds.
  REQUIRE_FALSE(wait_for([&] { return !all_failed(); }, 10s));
  for (std::size_t i = 0; i < rig.hosts().size(); ++i)
    REQUIRE(rig.hosts()[i]->fingerprint(Fingerprint::without_state) == fingerprints[i]);
  for (const auto& host : rig.hosts())
    unblock(*host);
  rig.require_alive({1, 2, 3, 4}, 30s);
  rig.require_exactly({1, 2, 3, 4});
  flows.require_none_lost();
}

}  // namespace wesher::netns
