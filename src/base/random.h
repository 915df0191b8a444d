// Randomness as an argument. The daemon seeds one Rng from the operating system, the simulator from
// its seed; the same code then draws from either.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"

namespace wesher {

/// A stream of ChaCha20 output under a 32-byte seed: good enough for GCM nonces and keys, and the
/// same for the same seed. Not thread safe; move-only, so that no stream is ever used twice.
class Rng {
 public:
  explicit Rng(const std::array<std::uint8_t, 32>& seed);
  ~Rng();
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;
  Rng(Rng&&) = default;
  Rng& operator=(Rng&&) = default;

  /// A stream for tests and simulations, from a number that a person can type.
  [[nodiscard]] static Rng from_number(std::uint64_t seed);

  void fill(std::span<std::uint8_t> out);
  std::uint32_t u32();
  std::uint64_t u64();
  /// Uniform in [0, bound); bound >= 1.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();
  /// Uniform in [0, bound); zero for a bound of zero or less.
  Duration below(Duration bound);

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[below(i)]);
  }

 private:
  void refill();

  std::array<std::uint8_t, 32> seed_;
  std::array<std::uint8_t, 512> block_{};
  std::size_t used_ = 512;
  std::uint64_t counter_ = 0;
};

}  // namespace wesher
