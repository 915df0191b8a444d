// LZW with codes of 9 to 12 bits, least significant bit first, as Go's compress/lzw reads and
// writes it with 8-bit literals. Terms: 256 clears the table, 257 ends; after c codes since the
// last clear the next code to be assigned is 257 + c, and it sets the width of what follows.
//
// Decoding keeps no string table: the string of every code stands in the output already, because a
// code is assigned as "previous string and one byte more", which is what was just written. So the
// table is a place and a length per code.
#include "wire/lzw.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace wesher::wire {

namespace {

constexpr std::uint32_t kClear = 256;
constexpr std::uint32_t kEnd = 257;
constexpr std::uint32_t kFirstWidth = 9;
constexpr std::uint32_t kLastWidth = 12;
constexpr std::uint32_t kCodes = 1U << kLastWidth;

/// The width of the code that follows when `newest` is the code just counted.
std::uint32_t grown(std::uint32_t width, std::uint32_t newest) {
  return width < kLastWidth && newest == 1U << width ? width + 1 : width;
}

class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}

  void put(std::uint32_t code, std::uint32_t width) {
    bits_ |= code << count_;
    for (count_ += width; count_ >= 8; count_ -= 8) {
      out_.push_back(static_cast<std::uint8_t>(bits_));
      bits_ >>= 8U;
    }
  }

  void flush() {
    if (count_ > 0) out_.push_back(static_cast<std::uint8_t>(bits_));
  }

 private:
  Bytes& out_;
  std::uint32_t bits_ = 0;
  std::uint32_t count_ = 0;
};

class BitReader {
 public:
  explicit BitReader(ByteView in) : in_(in) {}

  /// The next code, or kCodes when the bits are used up.
  std::uint32_t get(std::uint32_t width) {
    if (count_ < width && !refill(width)) return kCodes;
    const auto code = static_cast<std::uint32_t>(bits_ & ((1U << width) - 1U));
    bits_ >>= width;
    count_ -= width;
    return code;
  }

 private:
  bool refill(std::uint32_t width) {
    for (; count_ <= 56 && at_ < in_.size(); count_ += 8)
      bits_ |= std::uint64_t{in_[at_++]} << count_;
    return count_ >= width;
  }

  ByteView in_;
  std::size_t at_ = 0;
  std::uint64_t bits_ = 0;
  std::uint32_t count_ = 0;
};

/// What was decompressed so far, with room behind it, so that short strings are copied in pieces of
/// a fixed size that may reach beyond their end.
class Unpacked {
 public:
  Unpacked(std::size_t room, std::size_t limit) : limit_(limit) {
    bytes_.resize(std::min(limit, room) + kPiece);
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] bool fits(std::size_t more) const { return more <= limit_ - size_; }

  void add(std::uint8_t byte) {
    make_room(1);
    bytes_[size_++] = byte;
  }

  /// `length` bytes, at least 2, of those from `at` on; the last may be the first that is added.
  void add(std::size_t at, std::size_t length) {
    make_room(length);
    const std::uint8_t* from = bytes_.data() + at;
    std::uint8_t* to = bytes_.data() + size_;
    const std::uint8_t first = *from;
    const bool onto_itself = at + length > size_;
    if (length <= kPiece && at + kPiece <= size_) {
      std::memcpy(to, from, kPiece);
    } else {
      std::memcpy(to, from, onto_itself ? length - 1 : length);
    }
    if (onto_itself) to[length - 1] = first;
    size_ += length;
  }

  [[nodiscard]] Bytes take() && {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  static constexpr std::size_t kPiece = 16;

  void make_room(std::size_t more) {
    if (bytes_.size() - size_ >= more + kPiece) return;
    bytes_.resize(std::min(limit_, std::max(2 * bytes_.size(), size_ + more)) + kPiece);
  }

  Bytes bytes_;
  std::size_t size_ = 0;
  std::size_t limit_;
};

/// (string, byte) → the code of the longer string: open addressing in a table four times as large
/// as the number of codes.
class StringTable {
 public:
  void clear() { slots_.fill(kFree); }

  /// The code of `prefix` followed by `byte`, if assigned; else assigns `code` to it and gives 0.
  std::uint32_t find_or_assign(std::uint32_t prefix, std::uint8_t byte, std::uint32_t code) {
    const std::uint32_t key = prefix << 8U | byte;
    std::size_t slot = (key * 0x9e3779b1U) >> (32U - kBits);
    while (slots_[slot] != kFree && slots_[slot] >> kLastWidth != key)
      slot = (slot + 1) % slots_.size();
    if (slots_[slot] != kFree) return slots_[slot] & (kCodes - 1);
    slots_[slot] = key << kLastWidth | code;
    return 0;
  }

 private:
  static constexpr std::uint32_t kBits = 14;
  static constexpr std::uint32_t kFree = 0;  ///< no string has code 0
  std::array<std::uint32_t, 1U << kBits> slots_{};
};

}  // namespace

Bytes lzw_compress(ByteView plain) {
  Bytes out;
  out.reserve(plain.size() / 2 + 8);
  BitWriter bits(out);
  StringTable table;
  std::uint32_t width = kFirstWidth;
  std::uint32_t newest = kEnd;
  bits.put(kClear, width);
  // Counts a code that was written. A table that is used up starts anew.
  const auto counted = [&] {
    width = grown(width, ++newest);
    if (newest != kCodes - 1) return;
    bits.put(kClear, width);
    width = kFirstWidth;
    newest = kEnd;
    table.clear();
  };
  if (!plain.empty()) {
    std::uint32_t current = plain.front();
    for (const std::uint8_t byte : plain.subspan(1)) {
      const std::uint32_t longer = table.find_or_assign(current, byte, newest + 1);
      if (longer != 0) {
        current = longer;
        continue;
      }
      bits.put(current, width);
      current = byte;
      counted();
    }
    bits.put(current, width);
    counted();
  }
  bits.put(kEnd, width);
  bits.flush();
  return out;
}

Result<Bytes> lzw_decompress(ByteView packed, std::size_t limit) {
  struct Place {
    std::uint32_t at;
    std::uint32_t length;
  };

  // Not cleared: a code is only looked up after it was assigned, and a datagram may hold many small
  // compressed parts.
  std::array<Place, kCodes> table;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  limit = std::min<std::size_t>(limit, std::numeric_limits<std::uint32_t>::max());
  Unpacked out(packed.size() * 2, limit);
  BitReader bits(packed);
  std::uint32_t width = kFirstWidth;
  std::uint32_t newest = kEnd;  // the code that the next one counted will exceed by one
  Place previous{};             // of length 0 directly after a clear
  for (;;) {
    const std::uint32_t code = bits.get(width);
    if (code == kCodes) return fail(Errc::malformed, "LZW data without its end code");
    if (code == kEnd) return std::move(out).take();
    if (code == kClear) {
      width = kFirstWidth;
      newest = kEnd;
      previous = {};
      continue;
    }
    // The code to be assigned is a legal one too: the previous string and its own first byte.
    if (previous.length != 0 && newest < kCodes) table[newest] = {previous.at, previous.length + 1};
    const bool literal = code < kClear;
    if (!literal && (previous.length == 0 || code > newest))
      return fail(Errc::malformed, "an LZW code that was not assigned");
    const Place source = literal ? Place{0, 1} : table[code];
    if (!out.fits(source.length))
      return fail(Errc::too_large, "compressed data grows larger than is accepted");
    previous = {static_cast<std::uint32_t>(out.size()), source.length};
    if (literal) {
      out.add(static_cast<std::uint8_t>(code));
    } else {
      out.add(source.at, source.length);
    }
    if (newest < kCodes) width = grown(width, ++newest);
  }
}

}  // namespace wesher::wire
