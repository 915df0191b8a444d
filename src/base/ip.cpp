#include "base/ip.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace wesher {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// RFC 5952, section 4: lower case, no leading zeros, "::" for the first of the longest runs of two
/// or more zero groups. inet_ntop writes ::102:304 as an IPv4-compatible address, which RFC 4291
/// has deprecated.
std::string text_v6(const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
  std::size_t run_at = groups.size();
  std::size_t run_length = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0)
      ++end;
    if (end - i > run_length) {
      run_at = i;
      run_length = end - i;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == run_at) {
      text += "::";
      i += run_length - 1;
    } else {
      text += fmt::format("{}{:x}", text.empty() || text.ends_with(':') ? "" : ":", groups[i]);
    }
  }
  return text;
}

}  // namespace

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  IpAddress ip;
  ip.bytes_ = {a, b, c, d};
  return ip;
}

Result<IpAddress> IpAddress::from_bytes(ByteView bytes) {
  if (bytes.size() == 16 && std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    bytes = bytes.subspan(kMapped.size());
  }
  if (bytes.size() != 4 && bytes.size() != 16) {
    return fail(Errc::malformed,
                "an address is 4 or 16 bytes, not " + std::to_string(bytes.size()));
  }
  IpAddress ip;
  ip.v4_ = bytes.size() == 4;
  std::copy(bytes.begin(), bytes.end(), ip.bytes_.begin());
  return ip;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> raw{};
  // A zero byte would end the text for inet_pton and hide what follows.
  const bool whole = text.find('\0') == std::string_view::npos;
  if (whole && inet_pton(AF_INET, copy.c_str(), raw.data()) == 1) {
    return from_bytes(ByteView(raw).first(4));
  }
  if (whole && inet_pton(AF_INET6, copy.c_str(), raw.data()) == 1) return from_bytes(raw);
  return fail(Errc::malformed, "not an IP address");
}

std::string IpAddress::text() const {
  return v4_ ? fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3])
             : text_v6(bytes_);
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
  return v4_ ? (bytes_[0] & 0xf0U) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  return v4_ ? bytes_[0] == 169 && bytes_[1] == 254
             : bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80;
}

bool IpAddress::is_private() const {
  if (!v4_) return (bytes_[0] & 0xfeU) == 0xfc;
  return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0U) == 16) ||
         (bytes_[0] == 192 && bytes_[1] == 168) || (bytes_[0] == 100 && (bytes_[1] & 0xc0U) == 64);
}

bool IpAddress::is_broadcast() const {
  return *this == IpAddress::v4(255, 255, 255, 255);
}

std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
  if (a.v4_ != b.v4_) return a.v4_ ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.bytes_ <=> b.bytes_;
}

std::string Endpoint::text() const {
  const std::string host = address.is_v4() ? address.text() : "[" + address.text() + "]";
  return host + ":" + std::to_string(port);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::malformed, "no port");
  Endpoint endpoint;
  if (!parse_number(text.substr(colon + 1), endpoint.port)) {
    return fail(Errc::malformed, "not a port");
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address) return tl::unexpected(address.error());
  if (bracketed != address->is_v6()) return fail(Errc::malformed, "brackets are for IPv6");
  endpoint.address = *address;
  return endpoint;
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return fail(Errc::malformed, "has no /LENGTH");
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return fail(Errc::malformed, "does not start with an IP address");
  unsigned length = 0;
  if (!parse_number(text.substr(slash + 1), length) || length > address->bits()) {
    return fail(Errc::malformed,
                "needs a prefix length from 0 to " + std::to_string(address->bits()));
  }
  return Prefix{*address, length};
}

std::string Prefix::text() const {
  return address.text() + "/" + std::to_string(length);
}

Prefix Prefix::masked() const {
  Bytes bytes(address.bytes().begin(), address.bytes().end());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t first_bit = i * 8;
    if (first_bit >= length) {
      bytes[i] = 0;
    } else if (length - first_bit < 8) {
      bytes[i] &= static_cast<std::uint8_t>(0xffU << (8 - (length - first_bit)));
    }
  }
  return {IpAddress::from_bytes(bytes).value_or(address), length};
}

bool Prefix::contains(const IpAddress& other) const {
  if (other.is_v4() != address.is_v4()) return false;
  return Prefix{other, length}.masked() == masked();
}

}  // namespace wesher
