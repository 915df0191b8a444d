#include "wire/usual_form.h"

#include <cstring>
#include <limits>

#include "wire/limits.h"

namespace wesher::wire {

namespace {

constexpr std::size_t kAddressBytes = 16;  ///< the longer of the two forms of an address

/// Takes one value after the other from the front; each gives false where it finds another one.
class Values {
 public:
  explicit Values(ByteView in) : in_(in) {}

  [[nodiscard]] ByteView rest() const { return in_; }

  /// Heads and keys that are always the same.
  template <std::size_t N>
  bool same(const char (&expected)[N]) {  // NOLINT(modernize-avoid-c-arrays): a literal
    constexpr std::size_t size = N - 1;
    if (in_.size() < size || std::memcmp(in_.data(), expected, size) != 0) return false;
    in_ = in_.subspan(size);
    return true;
  }

  /// fixraw or raw16 of at most `max` bytes.
  bool raw(std::size_t max, ByteView& value) {
    if (in_.empty()) return false;
    const std::uint8_t head = in_.front();
    std::size_t size = head & 0x1fU;
    std::size_t at = 1;
    if (head == 0xda && in_.size() >= 3) {
      size = std::size_t{in_[1]} << 8U | in_[2];
      at = 3;
    } else if (head < 0xa0 || head > 0xbf) {
      return false;
    }
    if (size > max || size > in_.size() - at) return false;
    value = in_.subspan(at, size);
    in_ = in_.subspan(at + size);
    return true;
  }

  bool raw_or_nil(std::size_t max, ByteView& value, bool& nil) {
    nil = !in_.empty() && in_.front() == 0xc0;
    if (!nil) return raw(max, value);
    value = {};
    in_ = in_.subspan(1);
    return true;
  }

  bool text(std::size_t max, std::string_view& value) {
    ByteView bytes;
    if (!raw(max, bytes)) return false;
    value = as_text(bytes);
    return true;
  }

  /// fixint, u8, u16 or u32.
  template <class Unsigned>
  bool number(Unsigned& value) {
    if (in_.empty()) return false;
    const std::uint8_t head = in_.front();
    std::uint32_t number = head;
    std::size_t size = 0;
    if (head >= 0xcc && head <= 0xce) {
      size = std::size_t{1} << (head - 0xccU);
      if (in_.size() <= size) return false;
      number = 0;
      for (const std::uint8_t byte : in_.subspan(1, size))
        number = number << 8U | byte;
    } else if (head > 0x7f) {
      return false;
    }
    if (number > std::numeric_limits<Unsigned>::max()) return false;
    value = static_cast<Unsigned>(number);
    in_ = in_.subspan(1 + size);
    return true;
  }

 private:
  ByteView in_;
};

constexpr std::size_t kVersions = std::tuple_size_v<Versions>;

}  // namespace

bool read_usual(ByteView& in, EntryView& entry) {
  Values values(in);
  AliveView& m = entry.member;
  const bool read = values.same(
                        "\x87\xa4"
                        "Addr") &&
                    values.raw(kAddressBytes, m.address) &&
                    values.same(
                        "\xab"
                        "Incarnation") &&
                    values.number(m.incarnation) &&
                    values.same(
                        "\xa4"
                        "Meta") &&
                    values.raw_or_nil(limits::kMetaBytes, m.meta, m.nil_meta) &&
                    values.same(
                        "\xa4"
                        "Name") &&
                    values.text(limits::kNameBytes, m.node) &&
                    values.same(
                        "\xa4"
                        "Port") &&
                    values.number(m.port) &&
                    values.same(
                        "\xa5"
                        "State") &&
                    values.number(entry.state) &&
                    values.same(
                        "\xa3"
                        "Vsn") &&
                    values.raw(kVersions, m.versions);
  if (read) in = values.rest();
  return read;
}

bool read_usual(ByteView body, AliveView& m) {
  Values values(body);
  return values.same(
             "\x86\xa4"
             "Addr") &&
         values.raw(kAddressBytes, m.address) &&
         values.same(
             "\xab"
             "Incarnation") &&
         values.number(m.incarnation) &&
         values.same(
             "\xa4"
             "Meta") &&
         values.raw_or_nil(limits::kMetaBytes, m.meta, m.nil_meta) &&
         values.same(
             "\xa4"
             "Node") &&
         values.text(limits::kNameBytes, m.node) &&
         values.same(
             "\xa4"
             "Port") &&
         values.number(m.port) &&
         values.same(
             "\xa3"
             "Vsn") &&
         values.raw(kVersions, m.versions);
}

}  // namespace wesher::wire
