// Sessions with members that are peers since just now. What the other end sent before our device
// knew it was lost, and WireGuard repeats a handshake after 5 s only, so whoever comes last begins
// (system/knock.h). Two ends that begin at the same moment disturb each other: each takes the
// other's initiation, forgets its own, and both wait for those 5 s. So the one with the smaller key
// begins at once, and the other one waits a little whether that happens. Members of the Go program
// begin when they have something to send, so ours wait.
#include <set>

#include "daemon/reconcile_core.h"

namespace wesher::daemon {

namespace {

/// Of one pass. A host that comes into a large cluster begins the other sessions when it needs
/// them.
constexpr std::size_t kKnocksMax = 128;
/// A handshake takes one and a half round trips, and the other end has to hear of us.
constexpr std::chrono::milliseconds kKnockLater{200};

}  // namespace

void ReconcileCore::begin_sessions(const std::vector<plan::Action>& actions,
                                   const Results& results) {
  const Instant later = clock_().at + kKnockLater;
  std::vector<IpAddress> addresses;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto* add = std::get_if<plan::AddPeer>(&actions[i].what);
    if (add == nullptr || !results[i]) continue;
    const auto member = table_.members().find(add->name);
    if (member == table_.members().end() || !is_live_state(member->second.state)) continue;
    const bool first = member->second.signed_claim && table_.own().interface.key < add->key;
    if (first && addresses.size() < kKnocksMax) addresses.push_back(add->allowed.address);
    if (!first && knocks_.size() < kKnocksMax) knocks_.emplace_back(later, add->key);
  }
  if (!addresses.empty()) parts_.data_plane->knock(addresses);
}

/// Those that had to wait, and with whom no session began meanwhile.
void ReconcileCore::begin_late_sessions() {
  const Instant now = clock_().at;
  const auto peers = parts_.data_plane->observe_peers();
  std::set<PublicKey> silent;
  for (const ObservedPeer& peer : peers.value_or(std::vector<ObservedPeer>{})) {
    if (!peer.last_handshake) silent.insert(peer.key);
  }
  std::vector<IpAddress> addresses;
  for (; !knocks_.empty() && knocks_.front().first <= now; knocks_.pop_front()) {
    const PublicKey& key = knocks_.front().second;
    const DesiredPeer* row = table_.owner(key);
    if (row != nullptr && silent.contains(key)) addresses.push_back(row->overlay);
  }
  if (!addresses.empty()) parts_.data_plane->knock(addresses);
}

}  // namespace wesher::daemon
