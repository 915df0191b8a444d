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
constexpr std::size_t kOverlayNetsMax = 8;  ///< a change of network needs two

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

/// What stands between commas, without blanks around it; empty items are left out.
std::vector<std::string_view> items(std::string_view value) {
  std::vector<std::string_view> found;
  while (!value.empty()) {
    const std::string_view item = value.substr(0, value.find(','));
    value.remove_prefix(std::min(value.size(), item.size() + 1));
    const std::string_view text = trimmed(item);
    if (!text.empty()) found.push_back(text);
  }
  return found;
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

Result<std::vector<Prefix>> parse_overlay_nets(std::string_view value) {
  std::vector<Prefix> nets;
  for (const std::string_view item : items(value)) {
    const auto net = parse_overlay_net(item);
    if (!net) return tl::unexpected(net.error());
    if (std::find(nets.begin(), nets.end(), *net) != nets.end()) {
      return fail(Errc::malformed, shown(item) + " is given twice");
    }
    nets.push_back(*net);
  }
  if (nets.empty() || nets.size() > kOverlayNetsMax) {
    return fail(Errc::malformed,
                fmt::format("{}: must be 1 to {} networks", shown(value), kOverlayNetsMax));
  }
  return nets;
}

Result<std::vector<Prefix>> parse_networks(std::string_view value) {
  std::vector<Prefix> nets;
  for (const std::string_view item : items(value)) {
    const auto net = Prefix::parse(item);
    if (!net) {
      return fail(Errc::malformed,
                  shown(item) + " is not a network in CIDR form, e.g. 192.168.0.0/24");
    }
    nets.push_back(net->masked());
  }
  if (nets.empty()) return fail(Errc::malformed, shown(value) + ": must be one network or more");
  return nets;
}

Result<AddressAndPort> parse_advertise_addr(std::string_view value) {
  AddressAndPort out;
  std::string_view host = value;
  std::string_view port;
  const bool brackets = value.starts_with('[') && value.find(']') != std::string_view::npos;
  if (brackets) {
    host = value.substr(1, value.find(']') - 1);
    port = value.substr(value.find(']') + 1);
  } else if (const auto colon = value.find(':');
             colon != std::string_view::npos && colon == value.rfind(':')) {
    host = value.substr(0, colon);
    port = value.substr(colon);
  }
  const bool has_port = !port.empty();
  const auto address = parse_address(host);
  if (!address) return tl::unexpected(address.error());
  if (address->is_unspecified()) {
    return fail(Errc::malformed, shown(value) + " is not the address of one host");
  }
  if ((has_port && (port.front() != ':' || !is_port(port.substr(1)))) ||
      (brackets && host.find(':') == std::string_view::npos)) {
    return fail(Errc::malformed, shown(value) + " is not ADDR, ADDR:PORT or [IPV6]:PORT");
  }
  out.address = *address;
  if (has_port) out.port = static_cast<std::uint16_t>(*digits(port.substr(1)));
  return out;
}

Result<Duration> parse_duration(std::string_view value, Duration min, Duration max) {
  static constexpr std::string_view kForm = " is no span of time: 45s, 15m, 1m30s, 2h or 3d";
  Duration sum{};
  for (std::string_view rest = value == "0" ? "0s" : value; !rest.empty();) {
    const std::size_t unit = rest.find_first_not_of("0123456789");
    const auto part = parse_span(rest.substr(0, unit == std::string_view::npos ? unit : unit + 1));
    if (!part) return fail(Errc::malformed, shown(value) + std::string(kForm));
    sum += *part;
    rest.remove_prefix(unit + 1);
    if (sum > max) break;
  }
  if (sum >= min && sum <= max) return sum;
  return fail(Errc::malformed, fmt::format("{} is out of range: {} to {}", shown(value),
                                           age_text(min), age_text(max)));
}

Result<std::vector<std::string>> parse_names(std::string_view value) {
  std::vector<std::string> names;
  for (const std::string_view item : items(value)) {
    auto name = parse_node_name(item);
    if (!name) return tl::unexpected(name.error());
    names.push_back(std::move(*name));
  }
  return names;
}

Result<std::vector<std::string>> parse_join(std::string_view value) {
  std::vector<std::string> seeds;
  for (const std::string_view seed : items(value)) {
    if (!is_seed(seed)) {
      return fail(Errc::malformed, shown(seed) + " is not HOST, HOST:PORT or [IPV6]:PORT");
    }
    seeds.emplace_back(seed);
  }
  return seeds;
}

}  // namespace wesher::daemon
