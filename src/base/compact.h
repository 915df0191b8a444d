// Byte strings that take no more room than they need: for records of which there are thousands.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace wesher {

/// Up to `Max` (at most 255) bytes in place. What is longer is cut off: the caller checks first.
template <std::size_t Max>
class InlineBytes {
 public:
  static_assert(Max <= std::numeric_limits<std::uint8_t>::max());

  InlineBytes() = default;

  InlineBytes(ByteView bytes)  // NOLINT(google-explicit-constructor): a copy of the bytes
      : size_(static_cast<std::uint8_t>(std::min(bytes.size(), Max))) {
    std::copy_n(bytes.begin(), size_, bytes_.begin());
  }

  InlineBytes(const Bytes& bytes)  // NOLINT(google-explicit-constructor)
      : InlineBytes(ByteView(bytes)) {}

  InlineBytes(std::initializer_list<std::uint8_t> bytes)
      : InlineBytes(ByteView(bytes.begin(), bytes.size())) {}

  [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] const std::uint8_t* begin() const { return data(); }

  [[nodiscard]] const std::uint8_t* end() const { return data() + size_; }

  friend bool operator==(const InlineBytes& a, const InlineBytes& b) { return same_bytes(a, b); }

  friend bool operator==(const InlineBytes& a, ByteView b) { return same_bytes(a, b); }

  friend bool operator==(const InlineBytes& a, const Bytes& b) { return same_bytes(a, b); }

 private:
  std::array<std::uint8_t, Max> bytes_{};
  std::uint8_t size_ = 0;
};

/// Bytes of any number up to 65535 in one allocation, none when there are none; a pointer itself.
/// They don't change, so copies share them. What is longer is cut off: the caller checks first.
class PackedBytes {
 public:
  PackedBytes() = default;

  PackedBytes(ByteView bytes) {  // NOLINT(google-explicit-constructor): a copy of the bytes
    const auto size = static_cast<std::uint16_t>(std::min(bytes.size(), Head::kMost));
    if (size == 0) return;
    held_ = new (::operator new(sizeof(Head) + size)) Head{};
    held_->size = size;
    std::memcpy(content(), bytes.data(), size);
  }

  PackedBytes(const Bytes& bytes)  // NOLINT(google-explicit-constructor)
      : PackedBytes(ByteView(bytes)) {}

  PackedBytes(std::initializer_list<std::uint8_t> bytes)
      : PackedBytes(ByteView(bytes.begin(), bytes.size())) {}

  PackedBytes(const PackedBytes& other) : held_(other.held_) {
    if (held_ != nullptr) held_->users.fetch_add(1, std::memory_order_relaxed);
  }

  PackedBytes(PackedBytes&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}

  ~PackedBytes() {
    if (held_ != nullptr && held_->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      held_->~Head();
      ::operator delete(held_);
    }
  }

  PackedBytes& operator=(PackedBytes other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }

  [[nodiscard]] const std::uint8_t* data() const { return held_ == nullptr ? nullptr : content(); }

  [[nodiscard]] std::size_t size() const { return held_ == nullptr ? 0 : held_->size; }

  [[nodiscard]] bool empty() const { return held_ == nullptr; }

  [[nodiscard]] const std::uint8_t* begin() const { return data(); }

  [[nodiscard]] const std::uint8_t* end() const { return data() + size(); }

  friend bool operator==(const PackedBytes& a, const PackedBytes& b) {
    return a.held_ == b.held_ || same_bytes(a, b);
  }

  friend bool operator==(const PackedBytes& a, ByteView b) { return same_bytes(a, b); }

  friend bool operator==(const PackedBytes& a, const Bytes& b) { return same_bytes(a, b); }

 private:
  /// What stands before the bytes.
  struct Head {
    static constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();

    std::atomic<std::uint32_t> users{1};
    std::uint16_t size = 0;
  };

  [[nodiscard]] std::uint8_t* content() const {
    return reinterpret_cast<std::uint8_t*>(held_) + sizeof(Head);
  }

  Head* held_ = nullptr;
};

}  // namespace wesher
