// Members of the Go program, and what they lose when something happens: overlay_pings.h.
#include "mesh/impl.h"

namespace wesher::mesh {

bool Mesh::Impl::any_legacy_live() const {
  return roster_.any_live([](const Member& member) { return !member.signed_claim; });
}

void Mesh::Impl::ask_for_pings(Instant now) {
  const Endpoint own{own_.meta().overlay, own_endpoint_.port};
  for (const std::string& name : overlay_pings_.take_due(roster_.legacy(), now)) {
    const Member* member = roster_.find(name);
    if (member->standing != Standing::configured || !own_.has_address()) continue;
    node_.ask_for_ping({member->underlay, member->gossip_port}, own);
  }
}

}  // namespace wesher::mesh
