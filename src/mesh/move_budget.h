// How often we give our overlay address up because of somebody's claim. A liar who holds the
// cluster key can sign older claims for whatever address we take; after a few of them we stay. Pure
// and bounded.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "base/time.h"

namespace wesher::mesh {

class MoveBudget {
 public:
  static constexpr std::size_t kMoves = 3;  ///< of one accuser within kWindow
  static constexpr Duration kWindow = std::chrono::hours{24};

  /// Whether we move for `accuser` now; counts it.
  [[nodiscard]] bool take(const std::string& accuser, Instant now) {
    for (auto& [who, times] : moves_) {
      while (!times.empty() && now - times.front() >= kWindow)
        times.pop_front();
    }
    std::erase_if(moves_, [](const auto& item) { return item.second.empty(); });
    std::deque<Instant>& of = moves_[accuser];
    if (of.size() >= kMoves) return false;
    of.push_back(now);
    return true;
  }

 private:
  std::map<std::string, std::deque<Instant>> moves_;  ///< grows by our own moves only
};

}  // namespace wesher::mesh
