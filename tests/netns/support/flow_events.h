// What happens in the mesh of the loss rig while its flows go on.
#pragma once

#include <string>
#include <vector>

#include "netns/support/flow_mesh.h"

namespace wesher::netns {

struct FlowEvent {
  std::string name;
  /// Lets it happen and waits until the mesh has seen it. Begins with what it needs: n8 a member,
  /// or none.
  void (*happen)(FlowMesh& mesh);
};

/// All of them, in an order in which few of them need a preparation.
[[nodiscard]] const std::vector<FlowEvent>& flow_events();

}  // namespace wesher::netns
