// Links, addresses and routes of the running system, over one rtnetlink socket. Blocking. Not
// thread safe.
#pragma once

#include <string>
#include <vector>

#include "system/link_control.h"
#include "system/netlink.h"

namespace wesher::system {

class RtControl final : public LinkControl {
 public:
  [[nodiscard]] static Result<RtControl> open();

  [[nodiscard]] Result<std::optional<RtLink>> link(const std::string& name) override;
  [[nodiscard]] Result<RtDump<RtLink>> links();
  [[nodiscard]] Result<std::optional<RtLink>> link_with_alias(const std::string& alias) override;
  [[nodiscard]] Result<RtDump<RtAddress>> addresses(std::uint32_t index) override;
  [[nodiscard]] Result<RtDump<RtRoute>> routes(std::uint8_t protocol, std::uint32_t index) override;

  [[nodiscard]] Result<void> create_wireguard_link(const std::string& name,
                                                   std::uint32_t mtu) override;
  [[nodiscard]] Result<void> change_link(std::uint32_t index, const RtLinkChange& change) override;
  [[nodiscard]] Result<void> delete_link(std::uint32_t index) override;
  [[nodiscard]] Result<void> add_address(std::uint32_t index, const Prefix& address) override;
  [[nodiscard]] Result<void> delete_address(std::uint32_t index, const Prefix& address) override;
  /// In few datagrams.
  [[nodiscard]] std::vector<Result<void>> change_routes(
      std::uint32_t index, std::span<const RouteChange> changes) override;

  [[nodiscard]] std::uint32_t port_id() const override { return socket_.port_id(); }

 private:
  explicit RtControl(NetlinkSocket socket) : socket_(std::move(socket)) {}

  template <class T, class Decode>
  [[nodiscard]] Result<bool> dump(const Bytes& request, std::vector<T>& items, Decode decode);

  NetlinkSocket socket_;
};

}  // namespace wesher::system
