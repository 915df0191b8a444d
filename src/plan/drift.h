// Who keeps changing our objects back. An object that is repaired too often is fought over: it is
// repaired with growing pauses from then on, until it is left in peace. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace wesher::plan {

inline constexpr std::size_t kFightRepairs = 10;  ///< more in `kFightWindow` is a fight
inline constexpr std::chrono::minutes kFightWindow{1};
inline constexpr std::chrono::seconds kFightPauseFirst{2};  ///< doubles with each repair
inline constexpr std::chrono::minutes kFightPauseMax{5};
/// Objects remembered; strangers may name any number of them.
inline constexpr std::size_t kDriftObjectsMax = 1000;

class DriftBook {
 public:
  /// False while the object is fought over and its pause lasts.
  [[nodiscard]] bool may_repair(const std::string& object, Instant now) const;

  /// Notes a repair; true if a fight begins with it.
  bool repaired(const std::string& object, Instant now);

  /// Ends the fights over objects that stayed as they are for `kFightWindow` after their last
  /// repair and pause; gives their names. Forgets what is old.
  std::vector<std::string> settle(Instant now);

  [[nodiscard]] bool is_fought_over(const std::string& object) const;
  [[nodiscard]] bool any_fight() const;
  /// When the next pause ends; nothing if none is on.
  [[nodiscard]] std::optional<Instant> next_repair(Instant now) const;

 private:
  struct Object {
    std::deque<Instant> recent;  ///< repairs in the last `kFightWindow`
    bool fight = false;
    Duration pause{};
    Instant paused_until{};
    Instant last{};
  };

  std::map<std::string, Object> objects_;
};

}  // namespace wesher::plan
