// Sessions with members that are peers since just now: plan/first_sessions.h.
#include "daemon/reconcile_core.h"

namespace wesher::daemon {

void ReconcileCore::begin_sessions(const std::vector<plan::Action>& actions,
                                   const Results& results) {
  const Instant now = clock_().at;
  std::vector<IpAddress> addresses;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto* add = std::get_if<plan::AddPeer>(&actions[i].what);
    if (add == nullptr || !results[i]) continue;
    const auto member = table_.members().find(add->name);
    if (member == table_.members().end() || !is_live_state(member->second.state)) continue;
    plan::Beginner beginner = plan::Beginner::nobody;
    if (member->second.signed_claim) {
      const bool first = table_.own().interface.key < add->key;
      beginner = first ? plan::Beginner::we : plan::Beginner::they;
    }
    if (first_sessions_.added(add->key, beginner, now) && beginner == plan::Beginner::we)
      addresses.push_back(add->allowed.address);
  }
  if (!addresses.empty()) parts_.data_plane->knock(addresses);
}

/// With whom no session began meanwhile.
void ReconcileCore::begin_late_sessions() {
  const auto peers = parts_.data_plane->observe_peers();
  const plan::FirstSessions::Due due =
      first_sessions_.look(peers.value_or(std::vector<ObservedPeer>{}), clock_().at);
  renew_sessions(due.renew, "both ends began a session at the same moment, so that there is none");
  std::vector<IpAddress> addresses;
  for (const PublicKey& key : due.knock) {
    if (const DesiredPeer* row = table_.owner(key)) addresses.push_back(row->overlay);
  }
  if (!addresses.empty()) parts_.data_plane->knock(addresses);
}

}  // namespace wesher::daemon
