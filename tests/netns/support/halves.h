// Two switches and one cable between them, which is pulled and plugged in again: all at once, and
// nothing on the hosts changes. What a partition is between real machines; firewall.h is for less.
#pragma once

#include <vector>

#include "netns/support/rig.h"

namespace wesher::netns {

class Halves {
 public:
  /// Plugs these hosts into a switch of their own, with the cable in place. Before their daemons
  /// start: a port that is moved loses packets.
  Halves(Rig& rig, const std::vector<int>& others);

  /// Nothing passes between the two switches.
  void part();
  void heal();
};

}  // namespace wesher::netns
