#include "daemon/option_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace wesher::daemon {

namespace {

/// Space, tab and the like: what isspace() knows in the C locale.
constexpr std::string_view kBlanks = " \t\r\n\v\f";

constexpr std::size_t kInterfaceNameMax = 15;  ///< IFNAMSIZ without its final zero
constexpr std::size_t kHostNameMax = 253;
constexpr unsigned kPrefixLengthMin = 8;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Digits only; nothing for another text or more than 64 bits.
std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_port(std::string_view text) {
  const auto number = digits(text);
  return number && *number >= 1 && *number <= 65535;
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > kHostNameMax + 1) return false;
  if (text.front() == '-' || text.front() == '.') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

bool is_seed(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const auto address = IpAddress::parse(text.substr(1, close - 1));
    const std::string_view behind = text.substr(close + 1);
    const bool port = behind.empty() || (behind.front() == ':' && is_port(behind.substr(1)));
    return address && text.substr(1, close - 1).find(':') != std::string_view::npos && port;
  }
  if (IpAddress::parse(text)) return true;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return is_host(text);
  return is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1));
}

}  // namespace

std::string shown(std::string_view value) {
  for (const std::string_view part : {value, value.substr(value.find('=') + 1)}) {
    if (SecretKey::parse(trimmed(part))) return "(a key, not shown)";
  }
  return value.empty() ? "(empty)" : printable(value);
}

Result<bool> parse_bool(std::string_view value) {
  static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> kFalse = {"0",     "f",     "F",
                                                             "FALSE", "false", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), value) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), value) != kFalse.end()) return false;
  return fail(Errc::malformed, shown(value) + ": must be true or false");
}

Result<std::uint32_t> parse_number(std::string_view value, std::uint32_t min, std::uint32_t max) {
  const auto number = digits(value);
  if (number && *number >= min && *number <= max) return static_cast<std::uint32_t>(*number);
  const bool numeric =
      !value.empty() &&
      value.find_first_not_of("0123456789", value.front() == '-' ? 1 : 0) == std::string_view::npos;
  return fail(Errc::malformed, fmt::format("{} is {}: {} to {}", shown(value),
                                           numeric ? "out of range" : "not a number", min, max));
}

Result<IpAddress> parse_address(std::string_view value) {
  const auto address = IpAddress::parse(value);
  if (!address) return fail(Errc::malformed, shown(value) + " is not an IP address");
  if (address->is_multicast() || address->is_broadcast()) {
    return fail(Errc::malformed, shown(value) + " is not the address of one host");
  }
  return *address;
}

Result<Prefix> parse_overlay_net(std::string_view value) {
  static constexpr std::string_view kRemedy = "; give it in CIDR form, e.g. 10.0.0.0/8";
  const std::size_t slash = value.find('/');
  if (slash == std::string_view::npos) {
    return fail(Errc::malformed, fmt::format("{} has no /LENGTH{}", shown(value), kRemedy));
  }
  const auto address = IpAddress::parse(value.substr(0, slash));
  if (!address) {
    return fail(Errc::malformed,
                fmt::format("{} does not start with an IP address{}", shown(value), kRemedy));
  }
  const auto length = digits(value.substr(slash + 1));
  if (!length || *length < kPrefixLengthMin || *length > address->bits()) {
    return fail(Errc::malformed,
                fmt::format("{} has a bad /LENGTH: {} to {} for {}", shown(value), kPrefixLengthMin,
                            address->bits(), address->is_v4() ? "IPv4" : "IPv6"));
  }
  const Prefix net = Prefix{*address, static_cast<unsigned>(*length)}.masked();
  if (net.address.is_loopback() || net.address.is_multicast() || net.address.is_unspecified() ||
      net.address.is_broadcast()) {
    return fail(Errc::malformed,
                shown(value) + " has no addresses for hosts; take a private one, e.g. 10.0.0.0/8");
  }
  return net;
}

Result<std::string> parse_interface(std::string_view value) {
  const bool characters = std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '/' && c != ':' && c != '%';
  });
  if (value.empty() || value.size() > kInterfaceNameMax || !characters || value == "." ||
      value == ".." || value.front() == '-') {
    return fail(Errc::malformed, shown(value) +
                                     " is not an interface name: 1 to 15 ASCII characters without "
                                     "blanks, '/', ':' or '%'");
  }
  return std::string(value);
}

Result<std::string> parse_node_name(std::string_view value) {
  if (is_valid_hostname(value)) return std::string(value);
  return fail(Errc::malformed,
              shown(value) +
                  " is not a hostname: letters, digits and inner hyphens, parts of 1 to 63 "
                  "characters joined by dots, at most 253 in all");
}

Result<std::vector<std::string>> parse_join(std::string_view value) {
  std::vector<std::string> seeds;
  while (!value.empty()) {
    const std::string_view item = value.substr(0, value.find(','));
    value.remove_prefix(std::min(value.size(), item.size() + 1));
    const std::string_view seed = trimmed(item);
    if (seed.empty()) continue;
    if (!is_seed(seed)) {
      return fail(Errc::malformed, shown(seed) + " is not HOST, HOST:PORT or [IPV6]:PORT");
    }
    seeds.emplace_back(seed);
  }
  return seeds;
}

}  // namespace wesher::daemon
