// A plan: ordered actions that bring the kernel and the hosts file from observed to desired, each
// with its reason. The same text of an action is printed by `plan`, history, logs and tests. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/key.h"
#include "model/state.h"

namespace wesher::plan {

/// Creates the link (kernel: kind wireguard; userspace: wireguard-go) and gives it our alias.
struct CreateLink {
  std::string name;
  std::uint32_t mtu = kDefaultMtu;
};

/// Marks an adopted link as ours.
struct SetAlias {
  std::string alias;
};

struct SetMtu {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

/// Sets the private key whose public half is `key`, or the listen port, or both.
struct ConfigureDevice {
  std::optional<PublicKey> key;
  std::optional<std::uint16_t> listen_port;
};

struct SetLinkUp {};

struct AddAddress {
  Prefix address;
};

struct RemoveAddress {
  Prefix address;
};

struct AddPeer {
  std::string name;
  PublicKey key;
  Endpoint endpoint;
  Prefix allowed;
  std::optional<std::uint16_t> keepalive_s = std::nullopt;  ///< written only if set
};

/// Changes what is named of one existing peer; the rest of it and all sessions stay.
struct UpdatePeer {
  std::string name;
  PublicKey key;
  std::optional<Endpoint> endpoint;  ///< written only if set
  std::optional<Prefix> allowed;     ///< set: exactly this one allowed IP from now on
  std::optional<std::uint16_t> keepalive_s = std::nullopt;  ///< written only if set; 0 = off
};

struct RemovePeer {
  std::string name;  ///< empty: a peer that no member bears
  PublicKey key;
};

struct AddRoute {
  Prefix destination;
  /// Turns one that the Go program made on this link into ours, in one step.
  bool takes_over = false;
};

struct RemoveRoute {
  Prefix destination;
};

/// One change of a managed line of the hosts file.
struct HostsChange {
  char sign = '+';  ///< '+', '-' or '~'
  std::string name;
  IpAddress address;
  std::string reason;
};

/// Writes the hosts file once, so that our lines are exactly `lines`.
struct WriteHosts {
  std::vector<ObservedHostsLine> lines;
  std::vector<HostsChange> changes;
};

using What = std::variant<CreateLink,
                          SetAlias,
                          SetMtu,
                          ConfigureDevice,
                          SetLinkUp,
                          AddAddress,
                          RemoveAddress,
                          AddPeer,
                          UpdatePeer,
                          RemovePeer,
                          AddRoute,
                          RemoveRoute,
                          WriteHosts>;

struct Action {
  What what;
  std::string reason;
};

struct Plan {
  std::vector<Action> actions;
  std::string interface;  ///< for `to_text`; may be empty
  std::size_t peers = 0;  ///< wanted in all, as are `routes` and `hosts_lines`
  std::size_t routes = 0;
  std::size_t hosts_lines = 0;

  [[nodiscard]] bool empty() const { return actions.empty(); }
};

/// Identifies the object that an action changes, for reports per object: "link", "device",
/// "address 10.0.0.1/32", "peer web1", "route 10.0.0.3/32", "hosts". Printable; different for
/// different objects: a peer without a name, or with a longer one than is ever shown, bears its
/// key.
[[nodiscard]] std::string object_of(const Action& action);
/// One or more lines like "+ peer web1 (k3Vd…)  10.42.149.56/32, 198.51.100.21:51820", without the
/// reason, printable. A WriteHosts gives one line per change, and one if it only rewrites the form.
[[nodiscard]] std::vector<std::string> lines_of(const Action& action);
/// The whole plan as `wesher plan` prints it: one line that counts the changes, then these,
/// aligned, reasons behind. Ends with a line feed.
[[nodiscard]] std::string to_text(const Plan& plan);

}  // namespace wesher::plan
