// Facts → what should be. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/member.h"
#include "model/state.h"

namespace wesher::plan {

/// What this node knows of itself and was told by its operator.
struct OwnNode {
  std::string name;
  DesiredInterface interface;
  bool hosts = true;
};

/// A member that lost a contest for an address or a key.
struct Loser {
  std::string name;
  std::string reason;
};

struct DesiredResult {
  Desired desired;            ///< generation left 0; the store counts it
  std::vector<Loser> losers;  ///< sorted by name
};

/// Members with standing `configured` become peers, whatever they claim: keys and addresses end up
/// unique (mesh/ has judged already; this is the guard behind it), ours are never given away. The
/// endpoint's port is our own WireGuard port, as in the Go program: it is the same cluster-wide.
[[nodiscard]] DesiredResult derive(const OwnNode& own, const std::vector<Member>& members);

}  // namespace wesher::plan
