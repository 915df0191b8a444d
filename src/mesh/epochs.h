// The epochs of our own signed records: each record has a higher one than all before it, also after
// a crash, a restored backup or a machine set back to a snapshot. So they follow the wall clock in
// milliseconds where it is ahead, and come in blocks that the shell reserves on disk before use.
//
// No clock does harm: one in 1970 (or before) counts as nothing, and the epochs go on by one. One
// that is far ahead makes one jump, after which they go on by one until the clock has caught up; as
// it counts up to the end of the year 9999 only, it can use up 2^48 of the 2^64 numbers at most,
// and never the last.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/time.h"

namespace wesher::mesh {

/// How many epochs are reserved at a time: ten seconds of the clock, or ten thousand records.
/// Short, so that a daemon that crashes again and again does not run away from the clock.
inline constexpr std::uint64_t kEpochBlock = 10'000;

/// The lowest epoch that `now` asks for.
[[nodiscard]] inline std::uint64_t epoch_of(WallTime now) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(to_ms(now), 1, kLatestMs));
}

/// The first epoch of a new block: `used_below` is the end of the last one on disk, 0 for none.
[[nodiscard]] inline std::uint64_t epoch_block_start(std::uint64_t used_below, WallTime now) {
  return std::max(used_below, epoch_of(now));
}

/// The end of the block that starts with `first`; `first` itself at the very top.
[[nodiscard]] inline std::uint64_t epoch_block_end(std::uint64_t first) {
  return first + std::min(std::numeric_limits<std::uint64_t>::max() - first, kEpochBlock);
}

class Epochs {
 public:
  /// Epochs from `first` up to but not including `end` may be used: `end` is on disk.
  Epochs(std::uint64_t first, std::uint64_t end) : next_(first), end_(std::max(end, first)) {}

  [[nodiscard]] std::uint64_t end() const { return end_; }

  /// The next epoch: above all before, and not behind the clock. Nothing while it is not reserved.
  std::optional<std::uint64_t> take(WallTime now) { return use(wanted(now)); }

  /// The next epoch whatever the clock says, for when no more can be reserved (a full disk).
  /// Nothing when the block is used up.
  std::optional<std::uint64_t> take_reserved() { return use(next_); }

  /// The new end to reserve, if the block does not reach what `take` would give now, and what was
  /// asked for earlier would not do either. Nothing at the very top: then a node can say no more.
  std::optional<std::uint64_t> ask(WallTime now) {
    const std::uint64_t next = wanted(now);
    if (next < std::max(end_, asked_)) return std::nullopt;
    const std::uint64_t end = epoch_block_end(next);
    if (end <= next) return std::nullopt;
    asked_ = end;
    return end;
  }

  /// What was asked for is on disk.
  void extend(std::uint64_t end) { end_ = std::max(end_, end); }

  /// What was asked for could not be saved: it may be asked for again.
  void forget_request() { asked_ = 0; }

 private:
  [[nodiscard]] std::uint64_t wanted(WallTime now) const { return std::max(next_, epoch_of(now)); }

  std::optional<std::uint64_t> use(std::uint64_t epoch) {
    if (epoch >= end_) return std::nullopt;
    next_ = epoch + 1;
    return epoch;
  }

  std::uint64_t next_;
  std::uint64_t end_;
  std::uint64_t asked_ = 0;
};

}  // namespace wesher::mesh
