// Which datagrams were here before: memberlist has no replay protection, a captured packet is
// valid for ever under its key. We remember the nonces of the authenticated datagrams of late and
// drop repeats. Two generations of bounded size, the older one forgotten when the newer is full.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "base/bytes.h"
#include "base/random.h"
#include "wire/limits.h"

namespace wesher::gossip {

class NonceMemory {
 public:
  /// Nonces are kept as salted 64-bit fingerprints: senders can't choose colliding ones.
  explicit NonceMemory(Rng& rng, std::size_t generation = limits::kNonceMemory)
      : salt_{rng.u64(), rng.u64() | 1U}, generation_(generation) {}

  [[nodiscard]] bool seen(ByteView nonce) const {
    const std::uint64_t print = fingerprint(nonce);
    return newer_.contains(print) || older_.contains(print);
  }

  void remember(ByteView nonce) {
    if (newer_.size() >= generation_) {
      older_.swap(newer_);
      newer_.clear();
    }
    newer_.insert(fingerprint(nonce));
  }

  [[nodiscard]] std::size_t size() const { return newer_.size() + older_.size(); }

 private:
  /// Mixes byte by byte like FNV-1a, with a secret start and a secret odd factor.
  [[nodiscard]] std::uint64_t fingerprint(ByteView nonce) const {
    std::uint64_t h = salt_[0];
    for (const std::uint8_t byte : nonce) {
      h = (h ^ byte) * salt_[1];
      h ^= h >> 32U;
    }
    return h;
  }

  std::uint64_t salt_[2];
  std::size_t generation_;
  std::unordered_set<std::uint64_t> newer_;
  std::unordered_set<std::uint64_t> older_;
};

}  // namespace wesher::gossip
