// The mesh of the loss rig: twelve flows between hosts that stay, and hosts to which things happen.
//
// WireGuard repairs a lost session at once where packets flow both ways, and after 15 s where they
// do not: each flow has a pair of hosts of its own, so that none of them helps another. Three hubs
// (n1 to n3) have flows with two hosts next to them (n4, n5) and with two far ones (n6, n7, a round
// trip of 50 ms away); n8 and n9 have none.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "netns/support/flow.h"
#include "netns/support/rig.h"

namespace wesher::netns {

struct FlowShape {
  FlowKind kind = FlowKind::one_way;
  int rate = 100;
  bool far = false;

  [[nodiscard]] std::string name() const;
};

/// One-way, both ways, request and answer × 100 and 1,000 a second (300 in the
/// routine on wireguard-go and in a guest) × round trip 0 and 50 ms.
[[nodiscard]] const std::vector<FlowShape>& flow_shapes();

class FlowMesh {
 public:
  /// Starts everybody but n8, waits for the mesh, then for the flows. Of one-way flows and requests
  /// the hubs send those to the near hosts and receive those of the far ones; `reversed`: the other
  /// way round.
  explicit FlowMesh(bool reversed);

  Rig& rig() { return rig_; }

  Host& host(int number) { return rig_.host(number); }

  [[nodiscard]] static std::vector<int> hubs() { return {1, 2, 3}; }

  [[nodiscard]] static std::vector<int> partners() { return {4, 5, 6, 7}; }

  [[nodiscard]] static std::vector<int> ends() { return {1, 2, 3, 4, 5, 6, 7}; }

  /// The host that things happen to, and one that only is there.
  static constexpr int kOther = 8;
  static constexpr int kBystander = 9;

  /// Lets something happen, lets the flows go on for `after`, and counts what was sent since the
  /// last count: nothing falls between two of them. One count a shape.
  [[nodiscard]] std::vector<FlowCount> watch(const std::function<void(FlowMesh&)>& event,
                                             std::chrono::milliseconds after);

  /// Waits while the flows send for that long.
  void let_flow(std::chrono::milliseconds time);

  /// On each end of a flow, replaces all peers of the device by the same peers: first where one-way
  /// flows begin, half a second later where they end, as when a change is gossiped among programs
  /// that set the whole list at each change.
  void replace_all_peers();

  /// Sockets and devices that dropped packets, as text: where a loss was none of the daemons'.
  [[nodiscard]] std::string drops();

 private:
  void start_flows();

  Rig rig_{kBystander};
  bool reversed_;
  std::unique_ptr<Flows> flows_;
  FlowMark counted_;
};

}  // namespace wesher::netns
