// One running suspicion: who accused, and until when. Lifeguard's dynamic suspicion timeout as in
// memberlist suspicion.go. Value type; the caller holds the timer.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "gossip/lifeguard.h"

namespace wesher::gossip {

class SuspicionTimer {
 public:
  /// `accuser` counts as seen, not as a confirmation.
  SuspicionTimer(std::string accuser, const SuspicionBounds& bounds, Instant start)
      : accusers_{std::move(accuser)}, bounds_(bounds), start_(start) {}

  /// Whether `from` is a new voice that counted; at most k are ever kept.
  bool confirm(std::string_view from) {
    if (confirmations() >= bounds_.confirmations) return false;
    if (std::find(accusers_.begin(), accusers_.end(), from) != accusers_.end()) return false;
    accusers_.emplace_back(from);
    return true;
  }

  [[nodiscard]] unsigned confirmations() const {
    return static_cast<unsigned>(accusers_.size() - 1);
  }

  /// When the member counts as failed; may be in the past after a confirmation.
  [[nodiscard]] Instant deadline() const {
    return start_ + suspicion_timeout(bounds_, confirmations());
  }

 private:
  std::vector<std::string> accusers_;  ///< the first accuser and the confirmations
  SuspicionBounds bounds_;
  Instant start_;
};

}  // namespace wesher::gossip
