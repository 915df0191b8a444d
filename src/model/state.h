// What should be (Desired) and what is (Observed): two plain values that plan/diff compares. No
// secret is in either: keys are the public ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"

namespace wesher {

/// The route protocol number that marks a route as ours (rtnetlink rtm_protocol). 97 is in no
/// rt_protos file of Debian and was free in 2026.
inline constexpr std::uint8_t kRouteProtocol = 97;

/// The MTU of a link that we create without --mtu: WireGuard over IPv6 over Ethernet, as wg-quick.
inline constexpr std::uint32_t kDefaultMtu = 1420;

/// The interface of this node as it should be.
struct DesiredInterface {
  std::string name;  ///< e.g. "wgoverlay"
  PublicKey key;     ///< of the private key in the key file
  std::uint16_t listen_port = 0;
  IpAddress overlay;  ///< our overlay address, configured with full length; unspecified: none
  std::optional<std::uint32_t> mtu;  ///< set only by --mtu; a difference is repaired only then
  /// Persistent keepalive of every peer in seconds, 0 = off; nothing: what peers have is left
  /// alone.
  std::optional<std::uint16_t> keepalive_s = std::nullopt;

  friend bool operator==(const DesiredInterface&, const DesiredInterface&) = default;
};

/// One member's peer, route and hosts line as they should be.
struct DesiredPeer {
  std::string name;
  PublicKey key;
  IpAddress overlay;
  Endpoint endpoint;   ///< underlay address and WireGuard port
  std::string reason;  ///< why it is wanted: "member alive since …"

  friend bool operator==(const DesiredPeer&, const DesiredPeer&) = default;
};

struct Desired {
  std::uint64_t generation = 0;  ///< rises by one with each change of any row
  DesiredInterface interface;
  std::vector<DesiredPeer> peers;  ///< sorted by name; keys and overlay addresses are unique
  bool hosts = true;               ///< whether /etc/hosts gets lines
  std::string own_name;            ///< never gets a hosts line from us

  friend bool operator==(const Desired&, const Desired&) = default;
};

enum class LinkKind : std::uint8_t {
  absent,
  kernel,     ///< link kind "wireguard"
  userspace,  ///< a tun link with a WireGuard UAPI socket of its name
  other,      ///< anything else under that name
};

struct ObservedLink {
  LinkKind kind = LinkKind::absent;
  std::string kind_name;    ///< what the kernel calls it: "wireguard", "tun", "dummy", …
  std::uint32_t index = 0;  ///< ifindex
  bool up = false;
  std::uint32_t mtu = 0;
  std::string alias;  ///< IFLA_IFALIAS; ours is link_alias()

  friend bool operator==(const ObservedLink&, const ObservedLink&) = default;
};

struct ObservedPeer {
  PublicKey key;
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;  ///< sorted
  std::uint16_t keepalive_s = 0;    ///< 0 = off
  std::optional<WallTime> last_handshake;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;

  friend bool operator==(const ObservedPeer&, const ObservedPeer&) = default;
};

struct ObservedHostsLine {
  IpAddress address;
  std::vector<std::string> names;

  friend bool operator==(const ObservedHostsLine&, const ObservedHostsLine&) = default;
};

struct ObservedHosts {
  bool writable = true;  ///< false: feature off, for `why_not`
  std::string why_not;
  std::vector<ObservedHostsLine> managed;  ///< our lines, in file order
  std::vector<std::string> foreign_names;  ///< every name on a line that is not ours, sorted
  bool outdated = false;  ///< some line of ours is under the old banner or not canonical

  friend bool operator==(const ObservedHosts&, const ObservedHosts&) = default;
};

struct Observed {
  ObservedLink link;
  std::optional<PublicKey> device_key;  ///< nothing: the device has no key, or there is none
  std::uint16_t listen_port = 0;
  std::vector<ObservedPeer> peers;  ///< sorted by key
  std::vector<Prefix> addresses;    ///< on the link, sorted, link-local ones left out
  std::vector<Prefix> routes;       ///< on the link with our protocol number, sorted
  /// On a link without our alias: routes to single hosts as the Go program makes them (protocol
  /// boot, scope link, no gateway, the only one to that host), sorted.
  std::vector<Prefix> unmarked_routes;
  ObservedHosts hosts;
  bool complete = true;  ///< false: a dump was interrupted; what is missing may still be there

  friend bool operator==(const Observed&, const Observed&) = default;
};

/// The link alias that marks an interface as ours.
[[nodiscard]] inline std::string link_alias(std::string_view interface) {
  return "managed by wesher (" + std::string(interface) + ")";
}

}  // namespace wesher
