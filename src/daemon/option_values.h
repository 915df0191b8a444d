// How the text of one option or variable becomes a value. Every function gives, as its error, the
// part of a sentence that follows the option's name: "70000 is out of range: 1 to 65535".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"

namespace wesher::daemon {

/// A value as a message may repeat it: printable, and never one that is a key in base64, whichever
/// option it was given to.
[[nodiscard]] std::string shown(std::string_view value);

/// The words of Go's strconv.ParseBool: 1, t, T, TRUE, true, True, 0, f, F, FALSE, false, False.
[[nodiscard]] Result<bool> parse_bool(std::string_view value);

/// A decimal number from `min` to `max`.
[[nodiscard]] Result<std::uint32_t> parse_number(std::string_view value,
                                                 std::uint32_t min,
                                                 std::uint32_t max);

/// An address that a host can have: not multicast or broadcast.
[[nodiscard]] Result<IpAddress> parse_address(std::string_view value);

/// A network with a length of 8 to 32 (IPv4) or 8 to 128 (IPv6); host bits are cleared.
[[nodiscard]] Result<Prefix> parse_overlay_net(std::string_view value);

/// One to eight such networks, separated by commas; none twice.
[[nodiscard]] Result<std::vector<Prefix>> parse_overlay_nets(std::string_view value);

/// One or more networks of any length, separated by commas.
[[nodiscard]] Result<std::vector<Prefix>> parse_networks(std::string_view value);

/// An address, and the port of "ADDR:PORT" or "[IPV6]:PORT" if there is one.
struct AddressAndPort {
  IpAddress address;
  std::optional<std::uint16_t> port;
};

/// ADDR, ADDR:PORT, [IPV6] or [IPV6]:PORT; an address that others can send to.
[[nodiscard]] Result<AddressAndPort> parse_advertise_addr(std::string_view value);

/// "45s", "15m", "1m30s", "2h", "3d", or "0"; from `min` to `max`.
[[nodiscard]] Result<Duration> parse_duration(std::string_view value, Duration min, Duration max);

/// Names of members, separated by commas; empty items are skipped.
[[nodiscard]] Result<std::vector<std::string>> parse_names(std::string_view value);

/// What the kernel takes as a new link's name (dev_valid_name: 1 to 15 bytes, not "." or "..", no
/// '/', ':' or blank), without '%', which it would fill in, and without a leading '-'; ASCII.
[[nodiscard]] Result<std::string> parse_interface(std::string_view value);

/// RFC 1123 (see is_valid_hostname).
[[nodiscard]] Result<std::string> parse_node_name(std::string_view value);

/// HOST, HOST:PORT, [IPV6]:PORT or IPV6, separated by commas; empty items are skipped. Host names
/// may bear underscores and a final dot: resolvers know such names.
[[nodiscard]] Result<std::vector<std::string>> parse_join(std::string_view value);

/// 32 bytes in base64. The error never repeats the value.
[[nodiscard]] Result<SecretKey> parse_cluster_key(std::string_view value);

/// The key in a file of at most 4 KiB; blanks and line ends around it don't count.
[[nodiscard]] Result<SecretKey> read_cluster_key(const std::string& path);

}  // namespace wesher::daemon
