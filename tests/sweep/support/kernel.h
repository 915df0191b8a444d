// The kernel of the sweep: one interface with addresses, routes and a WireGuard device, as a value
// behind the two interfaces by which the data plane speaks to the real one. Every change of it, and
// every look at it, asks `Faults` first. It refuses what Linux refuses, and it notes whatever
// touches the flow of a peer that nothing happens to.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/state.h"
#include "system/link_control.h"
#include "system/wg_control.h"
#include "tests/sweep/support/faults.h"

namespace wesher::test {

/// A peer in the device.
struct KernelPeer {
  std::optional<Endpoint> endpoint;
  std::set<Prefix> allowed;
  bool session = false;  ///< packets flow: its last handshake is always a minute ago

  friend bool operator==(const KernelPeer&, const KernelPeer&) = default;
};

/// What there is; nothing of it survives a power cut.
struct KernelState {
  std::optional<system::RtLink> link;
  std::set<Prefix> addresses;
  std::map<Prefix, std::uint8_t> routes;  ///< destination → protocol, main table
  std::optional<PublicKey> key;
  std::optional<std::array<std::uint8_t, kKeyBytes>> private_key;
  std::uint16_t port = 0;
  std::map<PublicKey, KernelPeer> peers;

  /// One line for each thing.
  [[nodiscard]] std::string text() const;
};

/// A peer that stays as it is, and what its flow goes through.
struct UnchangedPeer {
  PublicKey key;
  Prefix allowed;
};

class Kernel {
 public:
  explicit Kernel(Faults& faults) : faults_(faults) {}

  KernelState state;
  WallTime now{};

  /// From here on, whatever touches the flow of one of these (its row in the device, its route, our
  /// key, port and address, the link) is noted.
  void protect(std::vector<UnchangedPeer> peers, const Prefix& own_address);

  void protect_nothing() { protect({}, {}); }

  /// What touched a flow, one sentence each.
  [[nodiscard]] const std::vector<std::string>& touched() const { return touched_; }

  [[nodiscard]] std::unique_ptr<system::LinkControl> links();
  [[nodiscard]] std::unique_ptr<system::WgControl> wireguard(const std::string& interface);

 private:
  friend class ModelLinks;
  friend class ModelWireguard;

  /// Asks for one change; an error, or nothing. Counts as a call.
  [[nodiscard]] Result<void> may(CallKind kind, const std::string& what, bool* halved = nullptr);

  void touch(const std::string& what) { touched_.push_back(what); }

  [[nodiscard]] const UnchangedPeer* unchanged(const PublicKey& key) const;
  [[nodiscard]] Result<void> set_peer(const system::WgPeerChange& change);
  void move_allowed(const PublicKey& to, const Prefix& prefix);

  Faults& faults_;
  std::vector<UnchangedPeer> unchanged_;
  Prefix own_address_;
  std::vector<std::string> touched_;
};

}  // namespace wesher::test
