// When to call which failed member again: a short ping each, paced so that all live members
// together try each failed one about three times in `interval`. Pure; O(log n) per call.
//
// In the first minute after a failure every member is pinged every 2 s, since most failures are
// restarts and short losses. Later the rate is max(3·F / (A·interval), F / 5 min) pings a second
// for F failed members and A live ones, ourselves included, round robin. Never more than 50 a
// second.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace wesher::mesh {

class Reconnect {
 public:
  static constexpr Duration kFastPhase = std::chrono::minutes{1};
  static constexpr Duration kFastPause = std::chrono::seconds{2};
  static constexpr Duration kSlowestRound = std::chrono::minutes{5};
  static constexpr Duration kShortestPause = std::chrono::milliseconds{20};  ///< 50 a second

  explicit Reconnect(Duration interval) : interval_(interval) {}

  /// `name` failed just now, or is to be looked for from now on. Known ones start anew.
  void add(const std::string& name, Instant now);
  void remove(std::string_view name);

  [[nodiscard]] bool contains(std::string_view name) const { return ring_.contains(name); }

  [[nodiscard]] std::size_t size() const { return ring_.size(); }

  /// The member to call now, if one is due; call until empty. `live`: live members and ourselves.
  [[nodiscard]] std::optional<std::string> take(std::size_t live, Instant now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

 private:
  struct Fast {
    Instant due;
    Instant until;
  };

  void schedule_slow(std::size_t live, Instant now);

  Duration interval_;
  std::set<std::string, std::less<>> ring_;          ///< everybody
  std::map<std::string, Fast, std::less<>> fast_;    ///< those in their first minute
  std::set<std::pair<Instant, std::string>> queue_;  ///< `fast_` by the next ping
  std::string cursor_;                               ///< the last one of the slow round
  std::optional<Instant> slow_due_;
  Instant not_before_{};
};

}  // namespace wesher::mesh
