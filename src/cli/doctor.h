// `wesher doctor`: whether this host has what a start of the daemon needs, also where it is to take
// the place of the Go program. What the host is, is gathered into plain values first
// (doctor_gather.cpp); judging them is pure. Nothing is changed, and no daemon is needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "base/time.h"
#include "daemon/options.h"
#include "store/paths.h"

namespace wesher::cli {

enum class KernelWireGuard : std::uint8_t {
  loaded,     ///< the module is, or it is built in
  on_disk,    ///< the kernel loads it when it is asked for
  not_found,  ///< neither is to be seen
};

/// Who has a port, as /proc tells.
struct PortFact {
  std::uint16_t port = 0;
  bool held = false;
  std::string program{};  ///< empty: the kernel, or a process that may not be seen
  std::uint32_t pid = 0;
};

/// The link under the interface's name.
struct LinkFact {
  std::string kind{};     ///< empty without `exists`, or a physical one
  std::string problem{};  ///< why a start would be refused
  bool exists = false;
  bool ours = false;    ///< bears our alias
  bool judged = false;  ///< peers and key were looked at
};

struct FileFact {
  enum class Is : std::uint8_t { absent, good, unseen, bad };

  Is is = Is::absent;
  std::string path{};
  std::string detail{};  ///< what is wrong, or a few words about what is in it
};

struct RouteFact {
  Prefix destination{};
  std::string device{};
};

/// The host, and what the daemon was to be started with.
struct HostFacts {
  std::string interface {};
  system::BackendChoice backend = system::BackendChoice::automatic;
  Prefix overlay_net{};
  bool allow_overlap = false;
  bool hosts_wanted = true;

  bool root = false;
  bool net_admin = false;
  KernelWireGuard kernel = KernelWireGuard::not_found;
  std::string program{};         ///< of userspace WireGuard, as it is called
  std::string program_path{};    ///< empty: it is not installed
  std::string tun_problem{};     ///< why /dev/net/tun can't be used; empty: it can
  std::uint32_t daemon_pid = 0;  ///< of our daemon on that interface; 0: it does not run
  std::string ports_problem{};   ///< why nothing is known of ports
  PortFact gossip_tcp{};
  PortFact gossip_udp{};
  PortFact wireguard{};
  LinkFact link{};
  std::string links_problem{};  ///< why nothing is known of links and routes

  FileFact keys{};
  FileFact database{};
  FileFact go_state{};
  std::string identity_problem{};  ///< why a start would be refused with these options and files
  bool copied = false;             ///< the state comes from another machine
  std::string name{};
  std::string name_problem{};
  std::string name_before{};                   ///< in the key file
  std::vector<std::string> names_of_others{};  ///< in the Go program's state and our hosts lines
  std::optional<IpAddress> overlay{};          ///< kept, asked for, or by the name
  bool overlay_is_kept = false;                ///< of the key file
  bool overlay_is_given = false;               ///< --overlay-ip
  std::vector<IpAddress> occupied{};           ///< addresses, gateways, resolvers of this host
  std::vector<RouteFact> routes{};             ///< of other links, without default routes
  std::string hosts_problem{};                 ///< why the hosts file can't be written
  WallTime now{};
  std::optional<WallTime> highest_time{};  ///< ever saved
};

enum class Verdict : std::uint8_t { ok, warn, fail };

struct Check {
  std::string name;
  Verdict verdict = Verdict::ok;
  std::string text;    ///< what is
  std::string remedy;  ///< what to do; empty if nothing

  friend bool operator==(const Check&, const Check&) = default;
};

/// All checks, each exactly once, in the order in which they are shown.
[[nodiscard]] std::vector<Check> judge_host(const HostFacts& facts);

/// Looks at this host. Whatever can't be seen is noted as that.
[[nodiscard]] HostFacts look_at_host(const daemon::Options& options, const store::Paths& paths);

/// One line a check.
[[nodiscard]] std::string doctor_text(const std::vector<Check>& checks);
/// Schema wesher.doctor/1.
[[nodiscard]] std::string doctor_json(const std::vector<Check>& checks,
                                      const std::string& interface,
                                      WallTime now);
[[nodiscard]] bool any_fails(const std::vector<Check>& checks);

}  // namespace wesher::cli
