// The options of the daemon: command line over environment over default, with the Go program's
// names, variables, defaults and meaning. Of the host only the file with the cluster key is read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"
#include "model/member.h"
#include "system/data_plane.h"

namespace wesher::daemon {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class OnStop : std::uint8_t { leave, keep };

/// Where --init came from decides how often it acts: typed always, else once per boot.
enum class InitRequest : std::uint8_t { none, typed, automatic };

/// How long a name's owner is silent before another node may have the name.
inline constexpr std::chrono::minutes kTakeoverAfter{5};
/// How long a failed member stays configured.
inline constexpr std::chrono::hours kFailedRetention{72};

struct Options {
  std::optional<SecretKey> cluster_key;  ///< --cluster-key, --cluster-key-file, WESHER_CLUSTER_KEY
  std::vector<std::string> join;         ///< HOST, HOST:PORT or [V6]:PORT as given
  InitRequest init = InitRequest::none;
  std::optional<IpAddress> bind_addr;
  std::string bind_iface;
  std::optional<IpAddress> advertise_addr;
  std::optional<std::uint16_t> advertise_port;  ///< of gossip; nothing: the cluster port
  std::uint16_t cluster_port = 7946;
  std::uint16_t wireguard_port = 51820;
  Prefix overlay_net;              ///< masked; default 10.0.0.0/8; addresses are chosen from it
  std::vector<Prefix> older_nets;  ///< accepted besides: the rest of --overlay-net, masked
  std::optional<IpAddress> overlay_ip;  ///< the only overlay address that this node takes
  bool allow_overlap = false;           ///< addresses that this host reaches otherwise are taken
  bool pool_wait = true;                ///< false: a full network ends the daemon
  std::string interface = "wgoverlay";
  bool interface_given = false;
  std::string node_name;    ///< empty: the hostname
  bool ip_as_name = false;  ///< hidden: the announced address is the name
  bool no_etc_hosts = false;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint16_t> keepalive_s;  ///< of every peer; 0: off; nothing: left alone
  system::BackendChoice backend = system::BackendChoice::automatic;
  std::optional<MetaFormat> meta_format;  ///< nothing: as the members of the Go program
  OnStop on_stop = OnStop::leave;
  std::optional<Duration> takeover_after = kTakeoverAfter;  ///< nothing: never
  /// Nothing: at most kFailedRetention, by lifetime (`retention_by_lifetime` of model/member.h).
  std::optional<Duration> failed_retention = std::nullopt;
  std::vector<std::string> static_members;  ///< names that are never forgotten
  LogLevel log_level = LogLevel::warn;
  std::vector<std::string> warnings;   ///< about what was given and has no effect, for the log
  bool under_service_manager = false;  ///< INVOCATION_ID or NOTIFY_SOCKET was set

  /// Set by the daemon for itself: this host runs on a copy of another's state, and becomes
  /// somebody else.
  bool renew_identity = false;

  // Hidden, for tests.
  bool allow_loopback = false;        ///< --test-allow-loopback
  std::optional<Duration> adopt_for;  ///< --test-adopt-seconds: instead of 5 minutes
  /// --test-timers: probe, gossip, suspicion, reconnect, takeover and retention intervals of the
  /// mesh are divided by it.
  std::uint32_t timers_divided_by = 1;

  Options() { overlay_net = Prefix{IpAddress::v4(10, 0, 0, 0), 8}; }

  /// All networks whose addresses members may have; `overlay_net` first.
  [[nodiscard]] std::vector<Prefix> accepted_nets() const;

  /// Names and values for the database and `state dump`: every option that lasts, under its name on
  /// the command line; empty if it was not given and has no fixed default. Never a key.
  [[nodiscard]] std::map<std::string, std::string> effective() const;
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Parses the arguments of `wesher [agent]` (without program name and subcommand). An empty
/// variable counts as unset, an empty value on the command line as the default; booleans are read
/// as Go's strconv.ParseBool does. `--join` may be repeated, of all others the last one counts.
/// Without a key the file $CREDENTIALS_DIRECTORY/cluster-key is read, if there is one.
/// Errc::malformed: one line that names option or variable and the remedy, and never repeats a key.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments,
                                            const Environment& environment);

/// The text of `wesher --help` for the daemon's options, at most 80 columns wide.
[[nodiscard]] std::string options_help();

}  // namespace wesher::daemon
