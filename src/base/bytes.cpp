#include "base/bytes.h"

namespace wesher {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4U]);
    out.push_back(kDigits[b & 15U]);
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

std::uint64_t ByteReader::big_endian(std::size_t count) {
  std::uint64_t value = 0;
  for (const std::uint8_t b : take(count))
    value = value << 8U | b;
  return value;
}

ByteView ByteReader::take(std::size_t count) {
  if (!ok_ || count > left()) {
    ok_ = false;
    return {};
  }
  const ByteView slice = bytes_.subspan(at_, count);
  at_ += count;
  return slice;
}

void ByteWriter::big_endian(std::uint64_t v, std::size_t count) {
  for (std::size_t i = count; i > 0; --i) {
    out_.push_back(static_cast<std::uint8_t>(v >> (8 * (i - 1))));
  }
}

}  // namespace wesher
