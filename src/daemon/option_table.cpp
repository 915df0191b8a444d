#include "daemon/option_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "daemon/option_values.h"

namespace wesher::daemon {

namespace {

constexpr std::uint32_t kPortMax = 65535;
constexpr std::uint32_t kMtuMin = 576;  ///< RFC 791: what every IPv4 host takes
constexpr std::uint32_t kMtuMax = 65535;
constexpr std::uint32_t kAdoptSecondsMax = 3600;

/// Puts a parsed value into its place, or hands the error on.
template <class Target, class T>
Result<void> put(Target& target, Result<T> parsed) {
  if (!parsed) return tl::unexpected(std::move(parsed.error()));
  target = static_cast<Target>(std::move(*parsed));
  return {};
}

template <class T>
struct Word {
  std::string_view text;
  T value;
};

/// The value of a word, in either case of letters.
template <class T, std::size_t N>
Result<T> choose(std::string_view value,
                 const std::array<Word<T>, N>& words,
                 std::string_view must_be) {
  const auto same = [&](const Word<T>& word) {
    return std::equal(value.begin(), value.end(), word.text.begin(), word.text.end(),
                      [](char a, char b) { return a == b || (b != '-' && (a | 0x20) == b); });
  };
  const auto it = std::find_if(words.begin(), words.end(), same);
  if (it != words.end()) return it->value;
  return fail(Errc::malformed, fmt::format("{}: must be {}", shown(value), must_be));
}

Result<void> set_join(Options& o, std::string_view v) {
  return put(o.join, parse_join(v));
}

Result<void> set_cluster_key(Options& o, std::string_view v) {
  return put(o.cluster_key, parse_cluster_key(v));
}

Result<void> set_cluster_key_file(Options& o, std::string_view v) {
  return put(o.cluster_key, read_cluster_key(std::string(v)));
}

Result<void> set_init(Options& o, std::string_view v) {
  const auto on = parse_bool(v);
  if (!on) return tl::unexpected(on.error());
  o.init = *on ? InitRequest::typed : InitRequest::none;
  return {};
}

Result<void> set_interface(Options& o, std::string_view v) {
  o.interface_given = true;
  return put(o.interface, parse_interface(v));
}

Result<void> set_advertise_addr(Options& o, std::string_view v) {
  const auto address = parse_address(v);
  if (address && address->is_unspecified()) {
    return fail(Errc::malformed, shown(v) + " is not the address of one host");
  }
  return put(o.advertise_addr, address);
}

Result<void> set_backend(Options& o, std::string_view v) {
  using system::BackendChoice;
  static constexpr std::array<Word<BackendChoice>, 3> kWords = {
      {{"auto", BackendChoice::automatic},
       {"kernel", BackendChoice::kernel},
       {"userspace", BackendChoice::userspace}}};
  return put(o.backend, choose(v, kWords, "auto, kernel or userspace"));
}

Result<void> set_on_stop(Options& o, std::string_view v) {
  static constexpr std::array<Word<OnStop>, 2> kWords = {
      {{"leave", OnStop::leave}, {"keep", OnStop::keep}}};
  return put(o.on_stop, choose(v, kWords, "leave or keep"));
}

Result<void> set_log_level(Options& o, std::string_view v) {
  static constexpr std::array<Word<LogLevel>, 5> kWords = {{{"debug", LogLevel::debug},
                                                            {"info", LogLevel::info},
                                                            {"warn", LogLevel::warn},
                                                            {"warning", LogLevel::warn},
                                                            {"error", LogLevel::error}}};
  return put(o.log_level, choose(v, kWords, "debug, info, warn or error"));
}

Result<void> set_adopt_seconds(Options& o, std::string_view v) {
  const auto seconds = parse_number(v, 0, kAdoptSecondsMax);
  if (!seconds) return tl::unexpected(seconds.error());
  o.adopt_for = std::chrono::seconds{*seconds};
  return {};
}

constexpr std::array kTable = {
    OptionRow{"cluster-key", "WESHER_CLUSTER_KEY", "KEY",
              "shared key of the cluster: 32 bytes in base64. Other\n"
              "users may see the command line: better use a file",
              "the stored one, else a new one", set_cluster_key},
    OptionRow{"cluster-key-file", "WESHER_CLUSTER_KEY_FILE", "FILE",
              "file that holds the cluster key", "the systemd credential cluster-key",
              set_cluster_key_file},
    OptionRow{"join", "WESHER_JOIN", "HOST,...",
              "members to join through: names or addresses, each with\n"
              ":PORT if it is not the cluster port",
              "members known from before", set_join},
    OptionRow{"init", "WESHER_INIT", "", "start anew: forget key and members of previous runs",
              "false", set_init},
    OptionRow{"bind-addr", "WESHER_BIND_ADDR", "ADDR", "own IP address to use between members",
              "detected",
              [](Options& o, std::string_view v) { return put(o.bind_addr, parse_address(v)); }},
    OptionRow{"bind-iface", "WESHER_BIND_IFACE", "DEV",
              "interface whose address to use between members", "",
              [](Options& o, std::string_view v) { return put(o.bind_iface, parse_interface(v)); }},
    OptionRow{"advertise-addr", "WESHER_ADVERTISE_ADDR", "ADDR",
              "IP address that others reach this host at, if it is\n"
              "on none of its interfaces (NAT)",
              "the one bound to", set_advertise_addr},
    OptionRow{"cluster-port", "WESHER_CLUSTER_PORT", "PORT",
              "port of the membership protocol, UDP and TCP; the\n"
              "same on all hosts",
              "7946",
              [](Options& o, std::string_view v) {
                return put(o.cluster_port, parse_number(v, 1, kPortMax));
              }},
    OptionRow{"wireguard-port", "WESHER_WIREGUARD_PORT", "PORT",
              "port of WireGuard, UDP; the same on all hosts", "51820",
              [](Options& o, std::string_view v) {
                return put(o.wireguard_port, parse_number(v, 1, kPortMax));
              }},
    OptionRow{
        "overlay-net", "WESHER_OVERLAY_NET", "ADDR/LENGTH",
        "network of the overlay addresses, in CIDR form;\n"
        "the same on all hosts",
        "10.0.0.0/8",
        [](Options& o, std::string_view v) { return put(o.overlay_net, parse_overlay_net(v)); }},
    OptionRow{"interface", "WESHER_INTERFACE", "DEV", "WireGuard interface to create and manage",
              "wgoverlay", set_interface},
    OptionRow{"mtu", "WESHER_MTU", "BYTES", "MTU of that interface, kept so",
              "1420 once, when it is created",
              [](Options& o, std::string_view v) {
                return put(o.mtu, parse_number(v, kMtuMin, kMtuMax));
              }},
    OptionRow{"backend", "WESHER_BACKEND", "auto|kernel|userspace", "which WireGuard to use",
              "auto", set_backend},
    OptionRow{"node-name", "WESHER_NODE_NAME", "NAME", "name of this host in the cluster",
              "the hostname",
              [](Options& o, std::string_view v) { return put(o.node_name, parse_node_name(v)); }},
    OptionRow{"ip-as-name", "WESHER_IP_AS_NAME", "", "", "",
              [](Options& o, std::string_view v) { return put(o.ip_as_name, parse_bool(v)); }},
    OptionRow{"no-etc-hosts", "WESHER_NO_ETC_HOSTS", "", "write no lines for members to /etc/hosts",
              "false",
              [](Options& o, std::string_view v) { return put(o.no_etc_hosts, parse_bool(v)); }},
    OptionRow{"on-stop", "WESHER_ON_STOP", "leave|keep",
              "what a stop by signal does: leave the cluster and\n"
              "remove everything, or keep all for the next start",
              "leave", set_on_stop},
    OptionRow{"log-level", "WESHER_LOG_LEVEL", "LEVEL", "debug, info, warn or error", "warn",
              set_log_level},
    OptionRow{"test-allow-loopback", "", "", "", "",
              [](Options& o, std::string_view v) { return put(o.allow_loopback, parse_bool(v)); }},
    OptionRow{"test-adopt-seconds", "", "SECONDS", "", "", set_adopt_seconds},
};

}  // namespace

std::span<const OptionRow> option_table() {
  return kTable;
}

}  // namespace wesher::daemon
