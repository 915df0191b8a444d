// Lets the same thing through at most once per pause. Pure and bounded.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace wesher::mesh {

class Seldom {
 public:
  /// At most `keys` different things are remembered; more of them are not let through.
  Seldom(Duration pause, std::size_t keys) : pause_(pause), keys_(keys) {}

  /// Whether `key` was not let through within the last pause; it is now, then.
  [[nodiscard]] bool pass(std::string_view key, Instant now) {
    const auto found = last_.find(key);
    if (found != last_.end()) {
      if (now < found->second + pause_) return false;
      found->second = now;
      return true;
    }
    if (last_.size() >= keys_ && now >= next_purge_) {
      next_purge_ = now + pause_ / 8;
      std::erase_if(last_, [&](const auto& item) { return now >= item.second + pause_; });
    }
    if (last_.size() >= keys_) return false;
    last_.emplace(key, now);
    return true;
  }

 private:
  Duration pause_;
  std::size_t keys_;
  std::map<std::string, Instant, std::less<>> last_;
  Instant next_purge_{};
};

}  // namespace wesher::mesh
