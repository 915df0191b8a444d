// The kernel's WireGuard over generic netlink (linux/wireguard.h; Linux 5.6 and later). Blocking.
// Not thread safe.
#pragma once

#include <memory>
#include <string>

#include "system/link_control.h"
#include "system/netlink.h"
#include "system/wg_control.h"

namespace wesher::system {

class KernelWg final : public WgControl {
 public:
  /// Asks for the family, which loads the module where that is possible. Errc::no_wireguard if
  /// there is none.
  [[nodiscard]] static Result<std::unique_ptr<KernelWg>> open(const std::string& interface,
                                                              LinkControl& links);

  [[nodiscard]] std::string_view text() const override { return "kernel WireGuard"; }

  [[nodiscard]] Result<WgDevice> get() override;
  [[nodiscard]] Result<SecretKey> private_key() override;
  [[nodiscard]] Result<void> create(std::uint32_t mtu) override;
  [[nodiscard]] Result<void> set_device(const SecretKey* private_key,
                                        std::optional<std::uint16_t> listen_port) override;
  [[nodiscard]] std::vector<Result<void>> set_peers(std::span<const WgPeerChange> changes) override;
  [[nodiscard]] Result<void> clear_peers() override;

 private:
  KernelWg(std::string interface, LinkControl& links, NetlinkSocket socket, std::uint16_t family)
      : interface_(std::move(interface)),
        links_(links),
        socket_(std::move(socket)),
        family_(family) {}

  [[nodiscard]] Result<void> set(const WgChange& change);

  std::string interface_;
  LinkControl& links_;
  NetlinkSocket socket_;
  std::uint16_t family_;
};

}  // namespace wesher::system
