// The one way to the kernel and the hosts file: observe what is, apply one action, watch for
// changes made by others. Link, addresses and routes go over rtnetlink; WireGuard itself over
// generic netlink or, where the kernel has none, over the UAPI socket of wireguard-go.
//
// Blocking calls; used by the reconcile thread and by one-shot commands. Not thread safe.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/key.h"
#include "model/state.h"
#include "plan/plan.h"

namespace wesher::system {

enum class BackendChoice : std::uint8_t { automatic, kernel, userspace };

struct DataPlaneConfig {
  std::string interface = "wgoverlay";
  BackendChoice backend = BackendChoice::automatic;
  /// false: no line is added to the hosts file. Ours that are there are still observed, so that a
  /// plan can remove them; a WriteHosts with lines is Errc::unsupported.
  bool hosts = true;
  std::string hosts_path = "/etc/hosts";
  /// The old banner of v0.2.6 counts as ours only for the interface that its state belonged to.
  bool take_over_old_banner = false;
};

class DataPlane {
 public:
  /// Opens sockets and finds the back end: an existing link decides (wireguard → kernel, tun with a
  /// UAPI socket → userspace), else kernel if its generic netlink family answers (the module is
  /// loaded on demand), else the userspace program. Changes nothing. Errc::no_wireguard names both
  /// remedies; Errc::not_permitted names the capability.
  [[nodiscard]] static Result<std::unique_ptr<DataPlane>> open(const DataPlaneConfig& config);
  virtual ~DataPlane() = default;

  /// "kernel WireGuard" or "wireguard-go".
  [[nodiscard]] virtual std::string_view backend_text() const = 0;
  [[nodiscard]] virtual Result<Observed> observe() = 0;
  /// The peers of the device alone, as far as they could be read.
  [[nodiscard]] virtual Result<std::vector<ObservedPeer>> observe_peers() = 0;
  /// The private key of the device, to keep it when the device is taken over. Errc::not_found:
  /// there is no device, or it has none.
  [[nodiscard]] virtual Result<SecretKey> private_key() = 0;
  /// The hosts file alone.
  [[nodiscard]] virtual ObservedHosts observe_hosts() = 0;
  /// Applies one action; the error names the object and what the system said. `private_key` is used
  /// by ConfigureDevice only.
  [[nodiscard]] virtual Result<void> apply(const plan::Action& action,
                                           const SecretKey& private_key) = 0;
  /// Applies many: peers, routes in messages of at most 8 KB; one result per action, in order. A
  /// refused message is tried again object by object, so that one bad object costs one object.
  [[nodiscard]] virtual std::vector<Result<void>> apply_all(
      const std::vector<plan::Action>& actions, const SecretKey& private_key) = 0;

  /// Completes or takes back what a process of ours that was killed left half done in the hosts
  /// file. For the daemon, once.
  virtual void tidy() {}

  /// Has WireGuard begin sessions with the owners of these addresses: system/knock.h.
  virtual void knock(const std::vector<IpAddress>& addresses) = 0;

  /// Removes the link if it is ours: peers first, in one message, then the link.
  [[nodiscard]] virtual Result<void> remove_link() = 0;

  /// A file descriptor that becomes readable when links, addresses or routes change (rtnetlink) or
  /// the hosts file does (inotify): an epoll descriptor over both. Owned by the data plane.
  [[nodiscard]] virtual int watch_fd() const = 0;
  /// Reads all notifications; true if any may concern our interface or the hosts file, or some were
  /// lost (ENOBUFS).
  [[nodiscard]] virtual bool drain_watch() = 0;
};

/// Takes down what is ours: hosts lines, then the link with all that is on it; routes one by one
/// only if the link stays (each costs a message, and the kernel drops them with the link at no
/// cost). Gives what was refused; the rest is done.
[[nodiscard]] std::vector<Error> take_down(DataPlane& data_plane, const SecretKey& private_key);

}  // namespace wesher::system
