// Userspace WireGuard (wireguard-go, boringtun …) over its socket in /var/run/wireguard, started
// when the link must be made, adopted when somebody started it before. Blocking, with time limits.
// Not thread safe.
#pragma once

#include <memory>
#include <string>

#include "os/unique_fd.h"
#include "system/wg_control.h"

namespace wesher::system {

/// Where every userspace WireGuard has its sockets, NAME.sock.
inline constexpr const char* kUapiDirectory = "/var/run/wireguard";

/// How large a reply may be: 16,384 peers with all their fields are about 8 MiB.
inline constexpr std::size_t kUapiReplyMax = std::size_t{64} << 20;

class UserspaceWg final : public WgControl {
 public:
  /// Does nothing yet; the program is started by `create`.
  explicit UserspaceWg(std::string interface);

  /// Whether a program answers on the socket of that interface.
  [[nodiscard]] static bool answers(const std::string& interface);

  /// Whether the program to start is installed. Errc::no_wireguard names it.
  [[nodiscard]] static Result<void> installed();

  [[nodiscard]] std::string_view text() const override { return "wireguard-go"; }

  [[nodiscard]] Result<WgDevice> get() override;
  [[nodiscard]] Result<SecretKey> private_key() override;
  [[nodiscard]] Result<void> create(std::uint32_t mtu) override;
  [[nodiscard]] Result<void> set_device(const SecretKey* private_key,
                                        std::optional<std::uint16_t> listen_port) override;
  [[nodiscard]] std::vector<Result<void>> set_peers(std::span<const WgPeerChange> changes) override;
  [[nodiscard]] Result<void> clear_peers() override;
  void before_delete() override;
  void after_delete() override;

 private:
  [[nodiscard]] Result<void> set(const WgChange& change) const;

  std::string interface_;
  os::UniqueFd farewell_;  ///< a connection whose end is the end of the program
};

}  // namespace wesher::system
