// What the data plane asks of a WireGuard back end; kernel_wg.h and userspace_wg.h answer it. The
// link itself (MTU, alias, up, addresses, deletion) is rtnetlink's business for both.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "system/wg_value.h"

namespace wesher::system {

class WgControl {
 public:
  virtual ~WgControl() = default;

  /// "kernel WireGuard" or "wireguard-go".
  [[nodiscard]] virtual std::string_view text() const = 0;

  /// The device as it is; asks only. Errc::not_found if there is no such device.
  [[nodiscard]] virtual Result<WgDevice> get() = 0;

  /// The private key of the device. Errc::not_found if it has none, or there is no such device.
  [[nodiscard]] virtual Result<SecretKey> private_key() = 0;

  /// Makes the link exist, down, with that MTU where the back end can set it; Errc::exists if the
  /// name is taken.
  [[nodiscard]] virtual Result<void> create(std::uint32_t mtu) = 0;

  /// Sets the private key, the listen port, or both; error details are the system's text alone.
  [[nodiscard]] virtual Result<void> set_device(const SecretKey* private_key,
                                                std::optional<std::uint16_t> listen_port) = 0;

  /// Changes peers one by one, many in a message. One result per change: a refused message is tried
  /// again peer by peer.
  [[nodiscard]] virtual std::vector<Result<void>> set_peers(
      std::span<const WgPeerChange> changes) = 0;

  /// Removes all peers in one message; only for a device that is deleted next.
  [[nodiscard]] virtual Result<void> clear_peers() = 0;

  /// To be called around the deletion of the link: before it for what must be prepared, after it to
  /// wait (bounded) until the back end has let go of the name.
  virtual void before_delete() {}

  virtual void after_delete() {}
};

}  // namespace wesher::system
