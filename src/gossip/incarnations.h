// Our own incarnation numbers. They come in blocks that the shell reserves on disk before use, so
// that they never go back, not even after a crash; they saturate instead of wrapping to 0, after
// which memberlist could never refute again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "gossip/claim_check.h"

namespace wesher::gossip {

class Incarnations {
 public:
  /// `first` is in use from the start; numbers below `end` may follow.
  Incarnations(std::uint32_t first, std::uint32_t end)
      : current_(std::clamp<std::uint32_t>(first, 1, kAliveIncarnationMax)),
        end_(std::max(end, current_ + 1)),
        block_(std::max<std::uint32_t>(end_ - current_, 2)) {}

  [[nodiscard]] std::uint32_t current() const { return current_; }

  [[nodiscard]] std::uint32_t end() const { return end_; }

  /// The next number that is at least `at_least`; nothing while it is not reserved. At the top the
  /// highest number is given again and again.
  std::optional<std::uint32_t> take(std::uint32_t at_least) {
    const std::uint32_t next = wanted(at_least);
    if (next >= end_) return std::nullopt;
    current_ = next;
    return next;
  }

  /// The new end to reserve, if the block is more than half used up or does not reach `at_least`
  /// and what was asked for earlier would not do either.
  std::optional<std::uint32_t> ask(std::uint32_t at_least) {
    const std::uint32_t next = wanted(at_least);
    if (next < end_ && end_ - 1 - current_ >= block_ / 2) return std::nullopt;
    if (asked_ > end_ && next < asked_) return std::nullopt;
    const std::uint64_t reach = std::uint64_t{std::max(end_, next)} + block_;
    const auto end = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(reach, std::numeric_limits<std::uint32_t>::max()));
    if (end <= end_) return std::nullopt;
    asked_ = end;
    return end;
  }

  void extend(std::uint32_t end) { end_ = std::max(end_, end); }

 private:
  [[nodiscard]] std::uint32_t wanted(std::uint32_t at_least) const {
    return std::min(std::max(current_ + 1, at_least), kAliveIncarnationMax);
  }

  std::uint32_t current_;
  std::uint32_t end_;
  std::uint32_t block_;
  std::uint32_t asked_ = 0;
};

}  // namespace wesher::gossip
