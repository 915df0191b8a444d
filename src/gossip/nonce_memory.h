// Which datagrams were here before: memberlist has no replay protection, a captured packet is
// valid for ever under its key. We remember the nonces of the authenticated datagrams of late and
// drop repeats. Two generations of bounded size, the older one forgotten when the newer is full.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "wire/limits.h"

namespace wesher::gossip {

/// Numbers that are random already: a table that is half empty at least, and is kept when its
/// content is forgotten.
class PrintSet {
 public:
  [[nodiscard]] bool contains(std::uint64_t print) const {
    return size_ > 0 && slots_[slot_of(print)] != kFree;
  }

  void insert(std::uint64_t print) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    std::uint64_t& slot = slots_[slot_of(print)];
    size_ += slot == kFree ? 1U : 0U;
    slot = usable(print);
  }

  void clear() {
    std::fill(slots_.begin(), slots_.end(), kFree);
    size_ = 0;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kFree = 0;
  static constexpr std::size_t kFirstSlots = 64;  ///< a power of two, as are all sizes

  static std::uint64_t usable(std::uint64_t print) { return print == kFree ? 1 : print; }

  /// Where the number is, or would be.
  [[nodiscard]] std::size_t slot_of(std::uint64_t print) const {
    print = usable(print);
    std::size_t at = print & (slots_.size() - 1);
    while (slots_[at] != kFree && slots_[at] != print)
      at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void grow() {
    std::vector<std::uint64_t> smaller(std::max(kFirstSlots, 2 * slots_.size()), kFree);
    smaller.swap(slots_);
    for (const std::uint64_t print : smaller) {
      if (print != kFree) slots_[slot_of(print)] = print;
    }
  }

  std::vector<std::uint64_t> slots_;
  std::size_t size_ = 0;
};

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
      std::swap(older_, newer_);
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
  PrintSet newer_;
  PrintSet older_;
};

}  // namespace wesher::gossip
