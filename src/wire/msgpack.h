// The MessagePack dialect of memberlist's messages, read and written. Format: the MessagePack
// specification as go-msgpack 0.5.5, 1.1.5 and 2.1.1 use it: structs are maps keyed by the Go
// field name, text and bytes alike are "raw" of the specification before 2013, integers minimal.
// The writer emits only that; the reader takes every form that one of those decoders takes.
// Pure; not thread safe.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/limits.h"

namespace wesher::wire {

/// Appends values to a vector that it does not own.
class MsgpackWriter {
 public:
  explicit MsgpackWriter(Bytes& out) : out_(out) {}

  /// Header of a map of `pairs` (at most 15 in this protocol: one byte).
  void map(std::uint8_t pairs) { out_.u8(static_cast<std::uint8_t>(0x80U | (pairs & 0x0fU))); }

  void nil() { out_.u8(0xc0); }

  void boolean(bool value) { out_.u8(value ? 0xc3 : 0xc2); }

  /// The shortest unsigned form: fixint, cc, cd, ce or cf.
  void integer(std::uint64_t value);
  /// Old raw: a0+length, da, db; never str8 (d9) or bin (c4–c6).
  void raw(ByteView bytes);

  void text(std::string_view value) { raw(as_bytes(value)); }

 private:
  ByteWriter out_;
};

/// Reads values from a view it does not own. The first failure sticks: `ok()` stays false and every
/// later read gives zero or empty. Never allocates from a declared length, never recurses.
class MsgpackReader {
 public:
  explicit MsgpackReader(ByteView bytes) : in_(bytes) {}

  [[nodiscard]] bool ok() const { return fault_ == nullptr; }

  /// What was wrong, as an error value; call when !ok().
  [[nodiscard]] tl::unexpected<Error> error() const { return fail(code_, fault_); }

  /// The bytes behind what was read.
  [[nodiscard]] ByteView rest() const { return in_.rest(); }

  /// Starts another message: a new budget of limits::kMsgpackItems items (every map, key and value
  /// counts as one, skipped ones too).
  void next_message() { items_left_ = limits::kMsgpackItems; }

  /// Header of a map → its pairs. Nil and arrays are refused.
  std::size_t map();
  /// A key: text in any raw, str or bin form.
  std::string_view key();

  // Values of struct fields. Nil is zero everywhere.

  /// true, false, or the integers 0 and 1.
  bool boolean();
  /// An integer of any width and sign that lies in 0…max; Errc::too_large for another.
  std::uint64_t integer(std::uint64_t max);

  /// raw, str or bin of at most `max` bytes.
  std::string text(std::size_t max) { return std::string(text_view(max)); }

  /// The same without a copy.
  std::string_view text_view(std::size_t max);
  /// raw, str, bin, or an array of integers 0…255, of at most `max` bytes. `nil` tells whether it
  /// was nil.
  Bytes bytes(std::size_t max, bool* nil = nullptr);
  /// The same without a copy, except for the array form, which is collected in `scratch`.
  ByteView bytes_view(std::size_t max, Bytes& scratch, bool* nil = nullptr);
  /// Passes over one value of any type; containers nested at most limits::kMsgpackDepth deep.
  void skip();

 private:
  enum class Kind : std::uint8_t { nil, boolean, positive, negative, real, raw, ext, array, map };

  /// One head: a scalar whole, a container by its count.
  struct Item {
    Kind kind = Kind::nil;
    std::uint64_t number = 0;  ///< value, or count of elements or pairs
    ByteView raw;
  };

  Item next();
  Item next_fixed(std::uint8_t head);
  Item counted(Kind kind, std::size_t width, std::size_t extra = 0);
  Item signed_integer(std::size_t width);
  ByteView take(std::uint64_t count);
  void set_fault(Errc code, const char* what);

  ByteReader in_;
  std::size_t items_left_ = limits::kMsgpackItems;
  Errc code_ = Errc::malformed;
  const char* fault_ = nullptr;
};

}  // namespace wesher::wire
