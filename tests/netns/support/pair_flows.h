// Flows both ways between pairs of hosts, of which none may lose a packet.
#pragma once

#include <utility>
#include <vector>

#include "netns/support/flow.h"
#include "netns/support/rig.h"

namespace wesher::netns {

class PairFlows {
 public:
  /// Begins when the first packets of each pair have arrived. What is lost before that is not
  /// counted: it is what the first handshake may cost.
  PairFlows(Rig& rig, const std::vector<std::pair<int, int>>& pairs);

  /// Fails the scenario unless all that was sent so far has arrived, and something was sent.
  void require_none_lost();

 private:
  std::vector<std::pair<std::string, Flow>> named_;
  Flows flows_;
  FlowMark began_;
};

}  // namespace wesher::netns
