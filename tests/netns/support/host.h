// A host of the rig: mount, network and UTS namespaces of its own, its own /etc, /run and
// /var/lib/wesher on tmpfs, one Ethernet port on the rig's bridge, and the wesher daemons on it.
//
// The folders of a host are folders of the rig's own tmpfs, bound into the host's mount namespace:
// the scenario reads and writes them from outside, the daemon can rename files over in them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netns/support/process.h"
#include "netns/support/wait.h"

namespace wesher::netns {

/// How hosts are joined below the overlay.
enum class Underlay { ipv4, ipv6 };

/// Whether the state directory counts as part of a host's fingerprint.
enum class Fingerprint { with_state, without_state };

/// A peer as `wg show NAME dump` tells it.
struct DevicePeer {
  std::string public_key;
  std::string endpoint;
  std::string allowed_ips;
  long latest_handshake = 0;  ///< Unix time, 0 = never
};

struct Device {
  std::string public_key;
  int listen_port = 0;
  std::vector<DevicePeer> peers;
};

class Host {
 public:
  /// Makes host number `number` (1–200), hostname `name`, on the bridge of the current network
  /// namespace.
  Host(std::string name, int number, Underlay underlay);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// The address others reach this host at, below the overlay.
  [[nodiscard]] const std::string& underlay_address() const { return underlay_address_; }

  /// The end of its cable in the namespace of the bridge.
  [[nodiscard]] std::string port() const { return "port" + std::to_string(number_); }

  /// Its descriptor, open as long as the host lives.
  [[nodiscard]] int network_namespace() const { return namespaces_.net; }

  /// Where a path of the host lies for the scenario: only below /etc, /run and /var/lib/wesher.
  [[nodiscard]] std::string path(const std::string& inside) const;

  /// Runs a command inside.
  [[nodiscard]] Output exec(const std::vector<std::string>& argv,
                            const std::string& input = "",
                            std::chrono::milliseconds bound = 60s) const;
  /// As exec(), with variables added to the plain environment.
  [[nodiscard]] Output exec_with(const std::vector<std::string>& variables,
                                 const std::vector<std::string>& argv) const;
  /// Runs `wesher` with these arguments inside.
  [[nodiscard]] Output wesher(const std::vector<std::string>& arguments) const;
  /// Starts a command that goes on beside the scenario; its output under /run of the host:
  /// NAME.out, NAME.err.
  [[nodiscard]] Process start(const std::string& name,
                              const std::vector<std::string>& argv,
                              const std::vector<std::string>& variables = {}) const;

  /// Puts a program of its own on this host, over the one it runs if it has one already: a copy of
  /// the binary under test, in a file that nobody has open yet. Used from the next start on.
  void install_program();

  /// Starts the daemon with --backend as set and these options. Variables are NAME=VALUE. Several
  /// on one host are told apart by `label`.
  void start_daemon(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& variables = {},
                    const std::string& label = "wesher");

  /// Whether it was ever started here.
  [[nodiscard]] bool has_daemon(const std::string& label = "wesher") const {
    return daemons_.contains(label);
  }

  [[nodiscard]] Process& daemon(const std::string& label = "wesher");
  /// Sends a signal and waits for the end; gives back the exit code. Throws if it does not end.
  int stop_daemon(int signal_number, const std::string& label = "wesher");
  /// Whether the run that was started last has said that it listens for gossip.
  [[nodiscard]] bool listens(const std::string& label = "wesher") const;
  /// What all runs of it wrote.
  [[nodiscard]] std::string daemon_err(const std::string& label = "wesher") const;
  [[nodiscard]] std::string daemon_out(const std::string& label = "wesher") const;

  [[nodiscard]] std::string hosts_file() const { return read_file(path("/etc/hosts")); }

  /// The address that the hosts file gives for exactly this name; empty if there is none.
  [[nodiscard]] std::string address_in_hosts(const std::string& name) const;
  /// Addresses of an interface, without prefix length; none if there is no such interface.
  [[nodiscard]] std::vector<std::string> addresses(
      const std::string& interface = "wgoverlay") const;
  [[nodiscard]] bool has_link(const std::string& name = "wgoverlay") const;
  /// One line a route on that interface, both families, other than the kernel's own.
  [[nodiscard]] std::vector<std::string> routes(const std::string& interface = "wgoverlay") const;
  [[nodiscard]] std::optional<Device> device(const std::string& interface = "wgoverlay") const;
  /// One ping, answered within two seconds.
  [[nodiscard]] bool pings(const std::string& target) const;

  /// The state that this host's daemon gives a member ("alive", "failed", ...), or "" if it knows
  /// none of that name.
  [[nodiscard]] std::string member_state(const std::string& member) const;
  /// The same of all members, by name.
  [[nodiscard]] std::map<std::string, std::string> member_states() const;

  /// Links, addresses, routes, the hosts file and the state directory as one text, for "nothing
  /// changed". Lock files are left out: they hold nothing.
  [[nodiscard]] std::string fingerprint(Fingerprint what = Fingerprint::with_state) const;
  /// All that helps to understand a failure: log, device, routes, hosts file.
  [[nodiscard]] std::string report() const;

 private:
  void make_folders();
  void make_namespaces();
  void connect(Underlay underlay);
  [[nodiscard]] SpawnOptions inside() const;

  std::string name_;
  int number_;
  std::string folder_;
  std::string underlay_address_;
  std::string program_;
  Namespaces namespaces_;
  pid_t setup_pid_ = -1;
  int setup_pipe_ = -1;
  std::map<std::string, Process> daemons_;
  std::map<std::string, std::size_t> written_before_;  ///< bytes of daemon_err() by earlier runs
};

}  // namespace wesher::netns
