// What the data plane asks of the kernel about links, addresses and routes; rt_control.h answers
// it, in tests a model of the kernel does. WireGuard's part is in wg_control.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip.h"
#include "system/rt_codec.h"

namespace wesher::system {

/// A dump and whether it is whole.
template <class T>
struct RtDump {
  std::vector<T> items;
  bool complete = true;  ///< false: interrupted; something may be missing
};

/// One change of a route of ours.
struct RouteChange {
  bool add = true;
  Prefix destination;
  bool takes_over = false;  ///< adding: replaces the route to it that is there
};

class LinkControl {
 public:
  virtual ~LinkControl() = default;

  /// The link of that name; nothing if there is none.
  [[nodiscard]] virtual Result<std::optional<RtLink>> link(const std::string& name) = 0;
  /// The first link that bears this alias; nothing if none does.
  [[nodiscard]] virtual Result<std::optional<RtLink>> link_with_alias(const std::string& alias) = 0;
  /// Addresses of one link, or of all with index 0, in kernel order.
  [[nodiscard]] virtual Result<RtDump<RtAddress>> addresses(std::uint32_t index) = 0;
  /// Unicast routes of both families without cache entries; `protocol`, `index` 0 = all.
  [[nodiscard]] virtual Result<RtDump<RtRoute>> routes(std::uint8_t protocol,
                                                       std::uint32_t index) = 0;

  [[nodiscard]] virtual Result<void> create_wireguard_link(const std::string& name,
                                                           std::uint32_t mtu) = 0;
  [[nodiscard]] virtual Result<void> change_link(std::uint32_t index,
                                                 const RtLinkChange& change) = 0;
  /// A link that is gone already is success.
  [[nodiscard]] virtual Result<void> delete_link(std::uint32_t index) = 0;
  /// An address that is there already is success.
  [[nodiscard]] virtual Result<void> add_address(std::uint32_t index, const Prefix& address) = 0;
  /// An address that is gone already is success.
  [[nodiscard]] virtual Result<void> delete_address(std::uint32_t index, const Prefix& address) = 0;

  /// Adds and deletes routes of ours; one result per change. One of ours that is there (or gone)
  /// already is success; a foreign route to the same destination is Errc::exists.
  [[nodiscard]] virtual std::vector<Result<void>> change_routes(
      std::uint32_t index, std::span<const RouteChange> changes) = 0;

  /// The address that the kernel writes into notifications of changes that we asked for; 0: none.
  [[nodiscard]] virtual std::uint32_t port_id() const = 0;
};

}  // namespace wesher::system
