#include "daemon/clock.h"

#include <chrono>

#include <sodium.h>

namespace wesher::daemon {

Moment now() {
  using std::chrono::duration_cast;
  const auto steady = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Instant{duration_cast<Duration>(steady)},
          WallTime{duration_cast<std::chrono::milliseconds>(wall)}};
}

Rng system_rng() {
  std::array<std::uint8_t, 32> seed{};
  randombytes_buf(seed.data(), seed.size());
  Rng rng(seed);
  sodium_memzero(seed.data(), seed.size());
  return rng;
}

}  // namespace wesher::daemon
