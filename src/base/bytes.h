// Bytes: views in, vectors out; a bounded big-endian reader and writer; hex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wesher {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The same bytes seen as text, without a copy and without a check of any encoding.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The same text seen as bytes, without a copy.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline bool same_bytes(ByteView a, ByteView b) {
  return as_text(a) == as_text(b);
}

/// Lower-case hex, two digits a byte.
[[nodiscard]] std::string to_hex(ByteView bytes);

/// Bytes of a hex text of either case; nothing for an odd length or another character.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

/// Reads big-endian integers and slices from a view it does not own. Every read checks the bytes
/// left; after the first failure `ok()` stays false and all reads give zero or empty.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }

  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

  [[nodiscard]] std::size_t offset() const { return at_; }

  /// All bytes not read so far; reads nothing.
  [[nodiscard]] ByteView rest() const { return bytes_.subspan(at_); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }

  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }

  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }

  std::uint64_t u64() { return big_endian(8); }

  /// Big-endian unsigned of 1 to 8 bytes.
  std::uint64_t big_endian(std::size_t count);
  /// The next `count` bytes as a view.
  ByteView take(std::size_t count);

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

/// Appends big-endian integers and slices to a vector that it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(v); }

  void u16(std::uint16_t v) { big_endian(v, 2); }

  void u32(std::uint32_t v) { big_endian(v, 4); }

  void u64(std::uint64_t v) { big_endian(v, 8); }

  void big_endian(std::uint64_t v, std::size_t count);

  void put(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

 private:
  Bytes& out_;
};

}  // namespace wesher
