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
constexpr std::uint32_t kTimersDividedMax = 1000;  ///< of 5 s between two probes, 5 ms
constexpr std::chrono::seconds kKeepaliveMax{
    65535};  ///< 16 bits in WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL
/// Less than the longest suspicion of a small cluster would give names away in every hiccup.
constexpr std::chrono::seconds kTakeoverMin{30};
constexpr std::chrono::minutes kRetentionMin{10};
constexpr std::chrono::days kRetentionMax{365};

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
                      [](char a, char b) { return a == b || (b >= 'a' && (a | 0x20) == b); });
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
  const auto parsed = parse_advertise_addr(v);
  if (!parsed) return tl::unexpected(parsed.error());
  o.advertise_addr = parsed->address;
  o.advertise_port = parsed->port;
  return {};
}

Result<void> set_overlay_nets(Options& o, std::string_view v) {
  auto nets = parse_overlay_nets(v);
  if (!nets) return tl::unexpected(nets.error());
  o.overlay_net = nets->front();
  o.older_nets.assign(nets->begin() + 1, nets->end());
  return {};
}

Result<void> set_keepalive(Options& o, std::string_view v) {
  const auto interval = parse_duration(v, Duration::zero(), kKeepaliveMax);
  if (!interval) return tl::unexpected(interval.error());
  o.keepalive_s = static_cast<std::uint16_t>(*interval / std::chrono::seconds{1});
  return {};
}

Result<void> set_takeover_after(Options& o, std::string_view v) {
  if (v == "never") {
    o.takeover_after.reset();
    return {};
  }
  const auto after = parse_duration(v, kTakeoverMin, kRetentionMax);
  if (!after) {
    return fail(Errc::malformed, after.error().detail + ", or never");
  }
  o.takeover_after = *after;
  return {};
}

Result<void> set_backend(Options& o, std::string_view v) {
  using system::BackendChoice;
  static constexpr std::array<Word<BackendChoice>, 3> kWords = {
      {{"auto", BackendChoice::automatic},
       {"kernel", BackendChoice::kernel},
       {"userspace", BackendChoice::userspace}}};
  return put(o.backend, choose(v, kWords, "auto, kernel or userspace"));
}

Result<void> set_meta_format(Options& o, std::string_view v) {
  static constexpr std::array<Word<MetaFormat>, 3> kWords = {
      {{"f1", MetaFormat::f1}, {"f2", MetaFormat::f2}, {"f3", MetaFormat::f3}}};
  return put(o.meta_format, choose(v, kWords, "f1, f2 or f3"));
}

Result<void> set_on_stop(Options& o, std::string_view v) {
  static constexpr std::array<Word<OnStop>, 2> kWords = {
      {{"leave", OnStop::leave}, {"keep", OnStop::keep}}};
  return put(o.on_stop, choose(v, kWords, "leave or keep"));
}

Result<void> set_log_level(Options& o, std::string_view v) {
  // All that the Go program's logger knows.
  static constexpr std::array<Word<LogLevel>, 8> kWords = {{{"trace", LogLevel::debug},
                                                            {"debug", LogLevel::debug},
                                                            {"info", LogLevel::info},
                                                            {"warn", LogLevel::warn},
                                                            {"warning", LogLevel::warn},
                                                            {"error", LogLevel::error},
                                                            {"fatal", LogLevel::error},
                                                            {"panic", LogLevel::error}}};
  return put(o.log_level, choose(v, kWords, "debug, info, warn or error"));
}

/// Checked, so that it is right when it is obeyed one day.
Result<void> set_routed_nets(Options& o, std::string_view v) {
  const auto nets = parse_networks(v);
  if (!nets) return tl::unexpected(nets.error());
  o.warnings.emplace_back(
      "--routed-net (WESHER_ROUTED_NET) is not supported yet: no network behind a host is "
      "announced "
      "or routed");
  return {};
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
    OptionRow{"advertise-addr", "WESHER_ADVERTISE_ADDR", "ADDR[:PORT]",
              "IP address that others reach this host at, if it is\n"
              "on none of its interfaces (NAT); PORT if the cluster\n"
              "port is another one there",
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
    OptionRow{"overlay-net", "WESHER_OVERLAY_NET", "NET[,OLD,...]",
              "network of the overlay addresses, in CIDR form;\n"
              "the same on all hosts. Members of the others given\n"
              "are accepted too, for the time of a move",
              "10.0.0.0/8", set_overlay_nets},
    OptionRow{"overlay-ip", "WESHER_OVERLAY_IP", "ADDR",
              "the one overlay address that this host takes; while\n"
              "another member has it, this host waits for it",
              "chosen by the name",
              [](Options& o, std::string_view v) { return put(o.overlay_ip, parse_address(v)); }},
    OptionRow{"allow-overlap", "WESHER_ALLOW_OVERLAP", "",
              "choose also overlay addresses that are addresses,\n"
              "gateways or resolvers of this host",
              "false",
              [](Options& o, std::string_view v) { return put(o.allow_overlap, parse_bool(v)); }},
    OptionRow{"pool-wait", "WESHER_POOL_WAIT", "true|0",
              "what to do while all overlay addresses are taken:\n"
              "wait for one, or with 0 end with exit code 75",
              "true",
              [](Options& o, std::string_view v) { return put(o.pool_wait, parse_bool(v)); }},
    OptionRow{"interface", "WESHER_INTERFACE", "DEV", "WireGuard interface to create and manage",
              "wgoverlay", set_interface},
    OptionRow{"mtu", "WESHER_MTU", "BYTES", "MTU of that interface, kept so",
              "1420 once, when it is created",
              [](Options& o, std::string_view v) {
                return put(o.mtu, parse_number(v, kMtuMin, kMtuMax));
              }},
    OptionRow{"keepalive-interval", "WESHER_KEEPALIVE_INTERVAL", "SPAN",
              "how often an empty packet goes to each peer, so that\n"
              "a NAT keeps the way open, e.g. 25s; 0: never",
              "left as it is, off at first", set_keepalive},
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
    OptionRow{"takeover-after", "WESHER_TAKEOVER_AFTER", "SPAN|never",
              "how long the owner of a name is silent before\n"
              "another host may join under it",
              "5m", set_takeover_after},
    OptionRow{"failed-retention", "WESHER_FAILED_RETENTION", "SPAN",
              "how long a member that is silent stays configured",
              "10 times its lifetime, 10m to 72h",
              [](Options& o, std::string_view v) {
                return put(o.failed_retention, parse_duration(v, kRetentionMin, kRetentionMax));
              }},
    OptionRow{"static", "WESHER_STATIC", "NAME,...",
              "members that stay configured however long they are\n"
              "silent, until they leave or are forgotten",
              "none",
              [](Options& o, std::string_view v) { return put(o.static_members, parse_names(v)); }},
    OptionRow{"meta-format", "WESHER_META_FORMAT", "f1|f2|f3",
              "metadata for nodes of the Go program: f1 for v0.1,\n"
              "f2 for v0.2, f3 for v0.3; each reads its own only",
              "what they speak, f2 at first", set_meta_format},
    OptionRow{"log-level", "WESHER_LOG_LEVEL", "LEVEL", "debug, info, warn or error", "warn",
              set_log_level},
    OptionRow{"routed-net", "WESHER_ROUTED_NET", "NET,...", "", "", set_routed_nets},
    OptionRow{"test-allow-loopback", "", "", "", "",
              [](Options& o, std::string_view v) { return put(o.allow_loopback, parse_bool(v)); }},
    OptionRow{"test-adopt-seconds", "", "SECONDS", "", "", set_adopt_seconds},
    OptionRow{"test-timers", "", "FACTOR", "", "",
              [](Options& o, std::string_view v) {
                return put(o.timers_divided_by, parse_number(v, 1, kTimersDividedMax));
              }},
};

}  // namespace

std::span<const OptionRow> option_table() {
  return kTable;
}

}  // namespace wesher::daemon
