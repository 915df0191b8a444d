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

  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

}  // namespace

Bytes Agreement::compute() const {
  Hash hash;
  const Member& self = core_.table.self();
  core_.table.for_each([&](const Member& member) {
    if (&member == &self ? !core_.announced() : member.quiet) return;
    const Record& record = member.record;
    // The length keeps name and address apart.
    hash.add(static_cast<std::uint32_t>(record.name.size()));
    hash.add(as_bytes(record.name));
    hash.add(record.address);
    hash.add(record.port);
    hash.add(record.incarnation);
    hash.add(static_cast<std::uint32_t>(record.state));
  });
  std::uint64_t value = hash.value();
  if (core_.admission != nullptr) value ^= core_.admission->user_state_digest();
  Bytes digest;
  ByteWriter(digest).u64(value);
  return digest;
}

Bytes Agreement::digest(Instant now) {
  if (!told_at_ || now - *told_at_ >= kToldFor) {
    told_ = compute();
    told_at_ = now;
  }
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
  const Bytes own = compute();
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
