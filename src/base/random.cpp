#include "base/random.h"

#include <algorithm>

#include <sodium.h>

namespace wesher {

Rng::Rng(const std::array<std::uint8_t, 32>& seed) : seed_(seed) {}

Rng::~Rng() {
  sodium_memzero(seed_.data(), seed_.size());
  sodium_memzero(block_.data(), block_.size());
}

Rng Rng::from_number(std::uint64_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  return Rng(bytes);
}

void Rng::refill() {
  std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
  for (std::size_t i = 0; i < 8; ++i)
    nonce[i] = static_cast<std::uint8_t>(counter_ >> (8 * i));
  ++counter_;
  crypto_stream_chacha20(block_.data(), block_.size(), nonce.data(), seed_.data());
  used_ = 0;
}

void Rng::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (used_ == block_.size()) refill();
    const std::size_t n = std::min(out.size(), block_.size() - used_);
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(used_), n, out.begin());
    used_ += n;
    out = out.subspan(n);
  }
}

std::uint64_t Rng::u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill(bytes);
  std::uint64_t value = 0;
  for (const std::uint8_t b : bytes)
    value = value << 8U | b;
  return value;
}

std::uint32_t Rng::u32() {
  return static_cast<std::uint32_t>(u64());
}

std::uint64_t Rng::below(std::uint64_t bound) {
  // Rejection keeps it uniform: draws under 2^64 mod bound would make small values likelier.
  const std::uint64_t reject_below = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t draw = u64();
    if (draw >= reject_below) return draw % bound;
  }
}

double Rng::unit() {
  return static_cast<double>(u64() >> 11U) * 0x1.0p-53;
}

Duration Rng::below(Duration bound) {
  if (bound <= Duration::zero()) return Duration::zero();
  return Duration{static_cast<Duration::rep>(below(static_cast<std::uint64_t>(bound.count())))};
}

}  // namespace wesher
