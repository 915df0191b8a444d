// The digest of agreement.h.
#include "gossip/agreement.h"

#include <algorithm>
#include <utility>

namespace wesher::gossip {

namespace {

/// FNV-1a, 64 bits.
class Hash {
 public:
  void add(ByteView bytes) {
    for (const std::uint8_t byte : bytes)
      value_ = (value_ ^ byte) * 0x100000001b3U;
  }

  void add(std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8)
      value_ = (value_ ^ (number >> shift & 0xffU)) * 0x100000001b3U;
  }

  /// Spread over all bits, so that a sum of such values hides no difference.
  [[nodiscard]] std::uint64_t value() const {
    std::uint64_t mixed = value_;
    mixed = (mixed ^ mixed >> 33U) * 0xff51afd7ed558ccdU;
    mixed = (mixed ^ mixed >> 33U) * 0xc4ceb9fe1a85ec53U;
    return mixed ^ mixed >> 33U;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

/// Metadata end with a signature or a key. A member of the Go program that starts anew has the
/// numbers of its last life again, with another key.
constexpr std::size_t kMark = 16;

ByteView mark_of(ByteView meta) {
  return meta.last(std::min(meta.size(), kMark));
}

std::uint64_t hash_of(const Record& record) {
  Hash hash;
  // The length keeps name and address apart.
  hash.add(static_cast<std::uint32_t>(record.name.size()));
  hash.add(as_bytes(record.name));
  hash.add(record.address);
  hash.add(record.port);
  hash.add(record.incarnation);
  hash.add(static_cast<std::uint32_t>(record.state));
  hash.add(mark_of(record.meta));
  return hash.value();
}

}  // namespace

Agreement::Digest Agreement::compute() {
  // A sum: two tables need not be in the same order.
  std::uint64_t value = core_.table.sum(
      [](const Member& member) { return member.quiet ? 0 : hash_of(member.record); });
  if (core_.announced()) value += hash_of(core_.table.self().record);
  if (core_.admission != nullptr) value ^= core_.admission->user_state_digest();
  Digest digest;
  for (std::uint8_t& byte : digest) {
    byte = static_cast<std::uint8_t>(value >> 56U);
    value <<= 8U;
  }
  return digest;
}

ByteView Agreement::digest() {
  told_ = compute();
  return told_;
}

void Agreement::news(Instant now) {
  if (looks_ == 0) {
    pause_ = kLook;
    exchange_after_ = now;
  }
  looks_ = kLooks;
}

bool Agreement::heard(ByteView payload, Instant now) {
  const Digest own = compute();
  const bool same = std::ranges::equal(payload, own);
  ++(same ? same_ : different_);
  if (looks_ == 0) return false;
  if (same) {
    looks_ = 0;
    return false;
  }
  if (payload.size() != own.size()) {
    --looks_;
    return false;
  }
  if (now < exchange_after_) return false;
  exchange_after_ = now + pause_;
  pause_ *= 2;
  if (pause_ > core_.config.push_pull_interval) looks_ = 0;
  return true;
}

bool Agreement::take() {
  const std::uint32_t same = std::exchange(same_, 0);
  return std::exchange(different_, 0) == 0 && same > 0;
}

}  // namespace wesher::gossip
