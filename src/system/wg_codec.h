// WireGuard's generic netlink messages (linux/wireguard.h, family version 1) ⇄ values. Bytes only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "system/netlink_message.h"
#include "system/wg_value.h"

namespace wesher::system {

/// One WG_CMD_SET_DEVICE message and which peers of the change it touches: [first, last).
struct WgMessage {
  Bytes bytes;
  std::size_t first_peer = 0;
  std::size_t last_peer = 0;
};

/// The request for a dump of one device.
[[nodiscard]] Bytes encode_get_device(std::uint16_t family, std::string_view interface);

/// A change in messages of at most `kNetlinkMessageMax` bytes, to be sent in order. Device
/// attributes and REPLACE flags are only in a device's or peer's first piece; a peer with more
/// allowed IPs than fit goes on in the next message. Messages with a private key are secret.
[[nodiscard]] std::vector<WgMessage> encode_set_device(std::uint16_t family,
                                                       std::string_view interface,
                                                       const WgChange& change);

/// Collects a dump. The kernel continues a peer in the next message by repeating its key.
class WgDumpReader {
 public:
  /// Takes one message's payload (from its genlmsghdr on). False if it is no WireGuard device
  /// message; attributes that make no sense are left out one by one.
  bool feed(ByteView payload);

  /// The device so far, sorted.
  [[nodiscard]] WgDevice take();

 private:
  void feed_peer(const Attr& attr);

  WgDevice device_;
};

/// The private key in one message of a dump (payload from its genlmsghdr on); nothing if it has
/// none. Only whoever has CAP_NET_ADMIN is told.
[[nodiscard]] std::optional<SecretKey> decode_private_key(ByteView payload);

/// The numeric id in a reply to CTRL_CMD_GETFAMILY; nothing if the payload has none.
[[nodiscard]] std::optional<std::uint16_t> decode_family_id(ByteView payload);
[[nodiscard]] Bytes encode_get_family(std::string_view family);

}  // namespace wesher::system
