// When members of the Go program are asked to ping us through the overlay. Such a member replaces
// its whole list of WireGuard peers whenever a member comes, goes or changes, and with it all its
// sessions end. The other end is not told: what it sends is lost until WireGuard gives the session
// up after 15 s, or until the Go member happens to send something, which begins a new session.
//
// So we have it send something: an indirect ping, whose target is our own overlay address. Often at
// first, as most members hear of an event at the same moment as we do and need a few milliseconds,
// then seldom, as gossip of the Go program takes up to three seconds. Where its packets don't reach
// us, plan/revival.h is left.
//
// Pure. What one event costs does not grow with the number of members: they take turns.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/time.h"

namespace wesher::mesh {

class OverlayPings {
 public:
  /// From the event until then members have their turn that often.
  struct Stage {
    Duration until;
    Duration every;
  };

  static constexpr std::array<Stage, 4> kStages{
      {{std::chrono::milliseconds{60}, std::chrono::milliseconds{5}},
       {std::chrono::milliseconds{300}, std::chrono::milliseconds{20}},
       {std::chrono::milliseconds{1000}, std::chrono::milliseconds{50}},
       {std::chrono::milliseconds{3000}, std::chrono::milliseconds{250}}}};
  /// Members that have it at one time.
  static constexpr std::size_t kAtOnce = 8;
  /// Turns a second when one event follows the other, and after a pause: one event's.
  static constexpr unsigned kPerSecond = 100;
  static constexpr std::size_t kBurst = 400;

  /// Not `enabled`: events are ignored.
  explicit OverlayPings(bool enabled = true) : enabled_(enabled) {}

  /// Something happened that makes Go members replace their peers.
  void event(Instant now);

  [[nodiscard]] std::optional<Instant> poll_timeout() const { return next_; }

  /// Whose turn of `names` it is now.
  [[nodiscard]] std::vector<std::string> take_due(const std::set<std::string, std::less<>>& names,
                                                  Instant now);

 private:
  bool enabled_;
  std::optional<Instant> next_;
  Instant event_at_;
  std::string cursor_;  ///< who had it last
  Budget budget_{kPerSecond};
};

}  // namespace wesher::mesh
