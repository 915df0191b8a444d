#include "plan/first_sessions.h"

#include <utility>

namespace wesher::plan {

void FirstSessions::start(const std::vector<ObservedPeer>& peers) {
  for (const ObservedPeer& peer : peers) {
    if (!peer.last_handshake) unanswered_.insert(peer.key);
  }
}

bool FirstSessions::added(const PublicKey& key, Beginner beginner, Instant now) {
  if (waiting_.size() >= kMost) return false;
  unanswered_.erase(key);
  const bool knocked = beginner == Beginner::we;
  waiting_.emplace(now + (knocked ? kLooks[0] : kLater), Waiting{key, beginner, knocked});
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
    if (!std::exchange(waiting.knocked, true)) {
      if (found->second->tx_bytes > 0) continue;
      due.knock.push_back(waiting.key);
      unanswered_.insert(waiting.key);
      if (waiting.beginner == Beginner::nobody) waiting_.emplace(now + kLooks[0], waiting);
      continue;
    }
    // What came in without a session is the other end's initiation.
    if (found->second->rx_bytes > 0) due.renew.push_back(*found->second);
    if (++waiting.looked < kLooks.size())
      waiting_.emplace(now + kLooks.at(waiting.looked), waiting);
  }
  return due;
}

const std::set<PublicKey>& FirstSessions::unanswered(const std::vector<ObservedPeer>& peers) {
  if (unanswered_.empty()) return unanswered_;
  std::set<PublicKey> still;
  for (const ObservedPeer& peer : peers) {
    if (!peer.last_handshake && unanswered_.contains(peer.key)) still.insert(peer.key);
  }
  unanswered_ = std::move(still);
  return unanswered_;
}

}  // namespace wesher::plan
