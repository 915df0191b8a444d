// IP addresses, endpoints and prefixes as values: parsed, printed, ordered, without any socket
// header.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace wesher {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is always held as IPv4: whoever must keep
/// the byte form that a peer used keeps the bytes themselves. Zones are not carried.
class IpAddress {
 public:
  /// 0.0.0.0.
  IpAddress() = default;

  [[nodiscard]] static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  /// Takes 4 or 16 bytes, network order; mapped IPv4 becomes IPv4.
  [[nodiscard]] static Result<IpAddress> from_bytes(ByteView bytes);
  /// Parses dotted decimal (exactly four parts, no leading zeros) or RFC 4291 text.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return v4_; }

  [[nodiscard]] bool is_v6() const { return !v4_; }

  /// 4 or 16 bytes, network order; a view into this object.
  [[nodiscard]] ByteView bytes() const {
    return v4_ ? ByteView(bytes_).first(4) : ByteView(bytes_);
  }

  /// Bits of the address: 32 or 128.
  [[nodiscard]] unsigned bits() const { return v4_ ? 32 : 128; }

  /// Canonical text (RFC 5952 for IPv6).
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;
  /// RFC 1918, RFC 6598 (as Go's sockaddr library counts them) or fc00::/7.
  [[nodiscard]] bool is_private() const;
  /// 255.255.255.255.
  [[nodiscard]] bool is_broadcast() const;

  /// IPv4 before IPv6, then numerically.
  friend std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b);
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::array<std::uint8_t, 16> bytes_{};  ///< IPv4 in the first four
};

/// An address and a UDP or TCP port.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// "192.0.2.1:51820" or "[2001:db8::1]:51820".
  [[nodiscard]] std::string text() const;
  /// Parses the form that `text` prints.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// A network: an address and a prefix length. Host bits may be set; `masked` clears them.
struct Prefix {
  IpAddress address;
  unsigned length = 0;

  /// Parses CIDR text; Errc::malformed names what is wrong with it.
  [[nodiscard]] static Result<Prefix> parse(std::string_view text);

  [[nodiscard]] static Prefix host(const IpAddress& address) { return {address, address.bits()}; }

  [[nodiscard]] std::string text() const;
  [[nodiscard]] Prefix masked() const;
  [[nodiscard]] bool contains(const IpAddress& address) const;

  [[nodiscard]] bool is_host() const { return length == address.bits(); }

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

}  // namespace wesher
