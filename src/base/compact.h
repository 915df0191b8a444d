// Byte strings that take no more room than they need: for records of which there are thousands.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string_view>

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

/// Bytes of any number up to 65535 in one allocation of their own, none when there are none; a
/// pointer itself. What is longer is cut off: the caller checks first.
class PackedBytes {
 public:
  PackedBytes() = default;

  PackedBytes(ByteView bytes) { assign(bytes); }  // NOLINT(google-explicit-constructor): a copy

  PackedBytes(const Bytes& bytes)  // NOLINT(google-explicit-constructor)
      : PackedBytes(ByteView(bytes)) {}

  PackedBytes(std::initializer_list<std::uint8_t> bytes)
      : PackedBytes(ByteView(bytes.begin(), bytes.size())) {}

  PackedBytes(const PackedBytes& other) { assign(other); }

  PackedBytes(PackedBytes&&) noexcept = default;
  ~PackedBytes() = default;

  PackedBytes& operator=(const PackedBytes& other) {
    if (this != &other) assign(other);
    return *this;
  }

  PackedBytes& operator=(PackedBytes&&) noexcept = default;

  [[nodiscard]] const std::uint8_t* data() const {
    return held_ == nullptr ? nullptr : held_.get() + kSizeBytes;
  }

  [[nodiscard]] std::size_t size() const {
    std::uint16_t size = 0;
    if (held_ != nullptr) std::memcpy(&size, held_.get(), kSizeBytes);
    return size;
  }

  [[nodiscard]] bool empty() const { return held_ == nullptr; }

  [[nodiscard]] const std::uint8_t* begin() const { return data(); }

  [[nodiscard]] const std::uint8_t* end() const { return data() + size(); }

  friend bool operator==(const PackedBytes& a, const PackedBytes& b) { return same_bytes(a, b); }

  friend bool operator==(const PackedBytes& a, ByteView b) { return same_bytes(a, b); }

  friend bool operator==(const PackedBytes& a, const Bytes& b) { return same_bytes(a, b); }

 private:
  static constexpr std::size_t kSizeBytes = sizeof(std::uint16_t);

  /// `bytes` may be our own.
  void assign(ByteView bytes) {
    const std::size_t most = std::numeric_limits<std::uint16_t>::max();
    const auto size = static_cast<std::uint16_t>(std::min(bytes.size(), most));
    std::unique_ptr<std::uint8_t[]> fresh;
    if (size > 0) {
      fresh.reset(new std::uint8_t[kSizeBytes + size]);
      std::memcpy(fresh.get(), &size, kSizeBytes);
      std::memcpy(fresh.get() + kSizeBytes, bytes.data(), size);
    }
    held_ = std::move(fresh);
  }

  std::unique_ptr<std::uint8_t[]> held_;
};

}  // namespace wesher
