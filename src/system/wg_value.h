// WireGuard as values, the same for both back ends: a device as it is, and changes to it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip.h"
#include "base/key.h"
#include "model/state.h"

namespace wesher::system {

/// A device as a back end reports it.
struct WgDevice {
  std::optional<PublicKey> key;  ///< of its private key; nothing if it has none
  std::uint16_t listen_port = 0;
  std::vector<ObservedPeer> peers;  ///< sorted by key, their allowed IPs sorted
  bool complete = true;             ///< false: the dump was interrupted

  friend bool operator==(const WgDevice&, const WgDevice&) = default;
};

enum class WgPeerVerb : std::uint8_t {
  add,     ///< creates the peer, or changes it if it is there
  update,  ///< changes it only if it is there (UPDATE_ONLY)
  remove,
};

/// One change of one peer.
struct WgPeerChange {
  WgPeerVerb verb = WgPeerVerb::add;
  PublicKey key;
  std::optional<Endpoint> endpoint = {};  ///< written only if set
  bool replace_allowed = false;           ///< `allowed` replaces what there is, else it is added
  std::vector<Prefix> allowed = {};       ///< one that another peer has moves here
  std::optional<std::uint16_t> keepalive_s = {};  ///< persistent keepalive, 0 = off; only if set
};

/// Changes of one device. `replace_peers` empties the peer list first; it is for a device that is
/// about to be deleted.
struct WgChange {
  const SecretKey* private_key = nullptr;  ///< not owned; null = unchanged
  std::optional<std::uint16_t> listen_port;
  bool replace_peers = false;
  std::vector<WgPeerChange> peers;
};

/// Sorts peers by key and each peer's allowed IPs.
void sort_device(WgDevice& device);

/// A time since the epoch as both back ends give it, for `last_handshake`: nothing for zero
/// ("never") and for what is outside the years 1970 to 9999.
[[nodiscard]] std::optional<WallTime> handshake_time(std::int64_t seconds,
                                                     std::int64_t nanoseconds);

}  // namespace wesher::system
