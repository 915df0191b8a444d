// Waiting for something to become true, with a bound: the only way in which scenarios wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace wesher::netns {

using namespace std::chrono_literals;

/// How often conditions are looked at.
inline constexpr std::chrono::milliseconds kPollPeriod{50};

/// Looks every 50 ms until `condition()` is true, or `bound` is over: then once more. Gives back
/// the last answer. Where looking itself takes long (a program's start under emulation), the pause
/// is three times that, so that waiting leaves the processors to those who are waited for.
template <class Condition>
[[nodiscard]] bool wait_for(Condition&& condition, std::chrono::milliseconds bound) {
  const auto until = std::chrono::steady_clock::now() + bound;
  while (std::chrono::steady_clock::now() < until) {
    const auto began = std::chrono::steady_clock::now();
    if (condition()) return true;
    const auto took = std::chrono::steady_clock::now() - began;
    std::this_thread::sleep_for(std::max<std::chrono::nanoseconds>(kPollPeriod, 3 * took));
  }
  return condition();
}

}  // namespace wesher::netns
