// Waiting for something to become true, with a bound: the only way in which scenarios wait.
#pragma once

#include <chrono>
#include <thread>

namespace wesher::netns {

using namespace std::chrono_literals;

/// How often conditions are looked at.
inline constexpr std::chrono::milliseconds kPollPeriod{50};

/// Looks every 50 ms until `condition()` is true, or `bound` is over: then once more. Gives back
/// the last answer.
template <class Condition>
[[nodiscard]] bool wait_for(Condition&& condition, std::chrono::milliseconds bound) {
  const auto until = std::chrono::steady_clock::now() + bound;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(kPollPeriod);
  }
  return condition();
}

}  // namespace wesher::netns
