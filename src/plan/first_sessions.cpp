#include "plan/first_sessions.h"

namespace wesher::plan {

bool FirstSessions::added(const PublicKey& key, bool begins, Instant now) {
  if (waiting_.size() >= kMost) return false;
  waiting_.emplace(now + (begins ? kLooks[0] : kLater), Waiting{key, begins});
  return true;
}

std::optional<Instant> FirstSessions::next() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

FirstSessions::Due FirstSessions::look(const std::vector<ObservedPeer>& peers, Instant now) {
  std::map<PublicKey, const ObservedPeer*> silent;
  for (const ObservedPeer& peer : peers) {
    if (!peer.last_handshake) silent.emplace(peer.key, &peer);
  }
  Due due;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Waiting waiting = waiting_.extract(waiting_.begin()).mapped();
    const auto found = silent.find(waiting.key);
    if (found == silent.end()) continue;
    if (!waiting.begins) {
      due.knock.push_back(waiting.key);
      continue;
    }
    // What came in without a session is the other end's initiation.
    if (found->second->rx_bytes > 0) due.renew.push_back(*found->second);
    if (++waiting.looked < kLooks.size())
      waiting_.emplace(now + kLooks.at(waiting.looked), waiting);
  }
  return due;
}

}  // namespace wesher::plan
