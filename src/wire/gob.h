// As much of Go's encoding/gob as a member's metadata needs: primitives, type definitions, and
// passing over a value by the type that its sender described. Format: the documentation of Go's
// encoding/gob, held to bytes of Go 1.19 (first user type id 65) and of newer ones (64). Input is
// hostile: every length is held against the bytes left, types are at most kGobTypes, nesting is at
// most kGobNesting. Pure; not thread safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wesher::wire {

inline constexpr std::size_t kGobTypes = 32;   ///< definitions in one stream
inline constexpr std::size_t kGobFields = 64;  ///< fields of one struct type
inline constexpr unsigned kGobNesting = 8;  ///< containers around a value, the outermost included

/// Type ids that need no definition, as they are in a type description.
enum class GobBuiltin : std::int64_t {
  boolean = 1,
  integer = 2,
  unsigned_integer = 3,
  real = 4,
  bytes = 5,
  string = 6,
  complex = 7,
  interface = 8,
};
/// The lowest id that a definition may have.
inline constexpr std::int64_t kGobFirstUserType = 64;

/// Reads primitives from a view that it does not own. The first failure sticks: `ok()` stays false,
/// later reads give zero or empty.
class GobReader {
 public:
  explicit GobReader(ByteView bytes) : in_(bytes) {}

  [[nodiscard]] bool ok() const { return fault_ == nullptr; }

  /// What was wrong, as an error value; call when !ok().
  [[nodiscard]] tl::unexpected<Error> error() const { return fail(code_, fault_); }

  /// Makes the reader fail, unless it did before. `what` is a literal.
  void set_fault(Errc code, const char* what);

  [[nodiscard]] std::size_t left() const { return in_.left(); }

  [[nodiscard]] std::size_t offset() const { return in_.offset(); }

  /// One byte under 128, or the negated count of the big-endian bytes that follow.
  std::uint64_t unsigned_integer();
  /// The sign in the lowest bit.
  std::int64_t integer();
  /// A length and as many bytes: []byte, string and the values of marshalers.
  ByteView bytes();

  std::string_view text() { return as_text(bytes()); }

  /// A number of elements, each of which takes at least one byte.
  std::size_t count();

  /// Walks a struct value: `read(number)` for every field present, fields numbered from 0. Stops at
  /// the end of the struct, or when the reader failed.
  template <class ReadField>
  void each_field(std::size_t fields, ReadField read) {
    // The running number starts one before the first field; a delta of 0 ends the struct.
    std::size_t next = 0;
    while (ok()) {
      const std::uint64_t delta = unsigned_integer();
      if (delta == 0 || !ok()) return;
      if (delta > fields - next) {
        set_fault(Errc::malformed, "a gob struct has a field that its type has not");
        return;
      }
      next += static_cast<std::size_t>(delta);
      read(next - 1);
    }
  }

 private:
  ByteReader in_;
  Errc code_ = Errc::malformed;
  const char* fault_ = nullptr;
};

/// What a definition defines; the order is that of the fields of Go's wireType.
enum class GobKind : std::uint8_t {
  array,
  slice,
  structure,
  map,
  gob_encoder,
  binary_marshaler,
  text_marshaler,
};

struct GobField {
  std::string_view name;  ///< a view into the stream
  std::int64_t type = 0;
};

/// One type as its sender described it.
struct GobType {
  std::int64_t id = 0;
  GobKind kind = GobKind::structure;
  std::vector<GobField> fields;  ///< struct
  std::int64_t key = 0;          ///< map
  std::int64_t element = 0;      ///< array, slice, map
  std::int64_t length = 0;       ///< array
};

/// The types of one stream. Keeps views into it.
class GobTypes {
 public:
  /// Reads the definition of type `id` (the body of a message whose type id was −id). A second one
  /// for the same id, an id below 64 and more than kGobTypes fail the reader.
  void define(GobReader& in, std::int64_t id);
  /// Null when it was not defined.
  [[nodiscard]] const GobType* find(std::int64_t id) const;
  /// Whether a type and all that it is made of are built in or defined; Go reads nothing of a
  /// value else.
  [[nodiscard]] bool complete(std::int64_t id) const;
  /// Passes over one value; `depth` containers are around it already. Fails the reader on nesting
  /// over kGobNesting.
  void skip(GobReader& in, std::int64_t id, unsigned depth) const;

 private:
  static void skip_builtin(GobReader& in, std::int64_t id);
  static void skip_interface(GobReader& in);

  std::vector<GobType> types_;
};

/// Appends gob primitives to a vector that it does not own.
class GobWriter {
 public:
  explicit GobWriter(Bytes& out) : out_(out) {}

  void unsigned_integer(std::uint64_t value);
  void integer(std::int64_t value);
  void bytes(ByteView value);

  void text(std::string_view value) { bytes(as_bytes(value)); }

  /// Field delta 1: the next field of the struct.
  void next_field() { out_.u8(1); }

  /// Field number `field` as the first one that is present.
  void first_field(GobKind field) { unsigned_integer(static_cast<std::uint64_t>(field) + 1); }

  void end_struct() { out_.u8(0); }

 private:
  ByteWriter out_;
};

}  // namespace wesher::wire
