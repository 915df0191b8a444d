#include "plan/revival.h"

namespace wesher::plan {

namespace {

std::chrono::milliseconds look_after(std::size_t looks) {
  return std::chrono::milliseconds{Revival::kLooksMs.at(looks)};
}

}  // namespace

void Revival::event(Instant now) {
  event_at_ = now;
  for (auto& [key, seen] : seen_)
    seen.in_vain = 0;
  // What is noted already stays; otherwise it is noted first.
  looked_ = next_ ? 1 : 0;
  const Instant soonest = now + look_after(looked_);
  if (next_ && *next_ <= soonest) return;
  next_ = soonest;
  only_notes_ = false;
}

/// After renewals also when their handshakes are over, which are not what the next look asks for.
void Revival::plan_next(Instant now, bool renewed) {
  while (looked_ < kLooksMs.size() && event_at_ + look_after(looked_) <= now)
    ++looked_;
  if (looked_ < kLooksMs.size()) {
    next_ = event_at_ + look_after(looked_);
    only_notes_ = renewed && now + kInFlight < *next_;
    if (only_notes_) next_ = now + kInFlight;
  } else {
    next_.reset();
    seen_.clear();
  }
}

std::vector<ObservedPeer> Revival::look(const std::vector<ObservedPeer>& peers,
                                        const std::set<PublicKey>& legacy,
                                        const Moment& now) {
  const bool last = now.at >= event_at_ + look_after(kLooksMs.size() - 1);
  std::vector<ObservedPeer> renewed;
  for (const ObservedPeer& peer : peers) {
    if (!legacy.contains(peer.key)) continue;
    const auto [at, fresh] = seen_.try_emplace(peer.key);
    Seen& seen = at->second;
    const bool in_use = peer.last_handshake && now.wall - *peer.last_handshake < kSessionLife;
    const bool heard = fresh || is_heard(peer, seen, now.at);
    if (only_notes_ && !heard) continue;
    const bool renew = !heard && is_to_renew(peer, seen, last && in_use, now.at);
    if (renew) {
      renewed.push_back(peer);
      ++seen.in_vain;
      seen.begun_at = now.at;
    }
    // Without any handshake all that was sent was in vain so far. What begins one is sent again by
    // WireGuard only after 5 s (REKEY_TIMEOUT).
    const bool nothing_heard = renew || !peer.last_handshake;
    seen.rx = renew ? 0 : peer.rx_bytes;
    seen.tx = nothing_heard ? 0 : peer.tx_bytes;
    seen.handshake = renew ? std::nullopt : peer.last_handshake;
  }
  plan_next(now.at, !renewed.empty());
  return renewed;
}

/// Whether something came under a session since the last look; what came otherwise is noted.
bool Revival::is_heard(const ObservedPeer& peer, Seen& seen, Instant now) const {
  const bool more = peer.rx_bytes > seen.rx;
  if (peer.last_handshake > seen.handshake || (peer.last_handshake && more)) {
    seen.heard_at = now;
    seen.in_vain = 0;
    return true;
  }
  // Two handshakes that cross leave no session, and both ends begin again in step, every 5 s.
  if (more) seen.begun_at = now;
  return false;
}

bool Revival::is_to_renew(const ObservedPeer& peer,
                          const Seen& seen,
                          bool last,
                          Instant now) const {
  if (seen.in_vain >= kInVain) return false;
  if (seen.begun_at && !peer.last_handshake && now - *seen.begun_at < kInFlight) return false;
  return peer.tx_bytes > seen.tx || (last && seen.heard_at < event_at_ + kSpread);
}

}  // namespace wesher::plan
