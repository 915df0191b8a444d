// Links, addresses and routes of the running system, over one rtnetlink socket. Blocking. Not
// thread safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "system/netlink.h"
#include "system/rt_codec.h"

namespace wesher::system {

/// A dump and whether it is whole.
template <class T>
struct RtDump {
  std::vector<T> items;
  bool complete = true;  ///< false: interrupted; something may be missing
};

class RtControl {
 public:
  [[nodiscard]] static Result<RtControl> open();

  /// The link of that name; nothing if there is none.
  [[nodiscard]] Result<std::optional<RtLink>> link(const std::string& name);
  [[nodiscard]] Result<RtDump<RtLink>> links();
  /// Addresses of one link, or of all with index 0, in kernel order.
  [[nodiscard]] Result<RtDump<RtAddress>> addresses(std::uint32_t index);
  /// Unicast routes of both families without cache entries; `protocol`, `index` 0 = all.
  [[nodiscard]] Result<RtDump<RtRoute>> routes(std::uint8_t protocol, std::uint32_t index);

  [[nodiscard]] Result<void> create_wireguard_link(const std::string& name, std::uint32_t mtu);
  [[nodiscard]] Result<void> change_link(std::uint32_t index, const RtLinkChange& change);
  /// A link that is gone already is success.
  [[nodiscard]] Result<void> delete_link(std::uint32_t index);
  [[nodiscard]] Result<void> add_address(std::uint32_t index, const Prefix& address);
  /// An address that is gone already is success.
  [[nodiscard]] Result<void> delete_address(std::uint32_t index, const Prefix& address);

  /// One change of a route.
  struct RouteChange {
    bool add = true;
    Prefix destination;
  };

  /// Adds and deletes routes of ours in few datagrams; one result per change. One of ours that is
  /// there (or gone) already is success; a foreign route to the same destination is Errc::exists.
  [[nodiscard]] std::vector<Result<void>> change_routes(std::uint32_t index,
                                                        std::span<const RouteChange> changes);

  /// See NetlinkSocket::port_id.
  [[nodiscard]] std::uint32_t port_id() const { return socket_.port_id(); }

 private:
  explicit RtControl(NetlinkSocket socket) : socket_(std::move(socket)) {}

  template <class T, class Decode>
  [[nodiscard]] Result<bool> dump(const Bytes& request, std::vector<T>& items, Decode decode);

  NetlinkSocket socket_;
};

}  // namespace wesher::system
