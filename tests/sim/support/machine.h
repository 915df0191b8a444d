// What stands behind a host of the virtual network in the program: the real reconcile loop with a
// real database, and a device that is a value. It hears the host's facts, and the host is started
// from its database.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/daemon/support/core_rig.h"
#include "tests/mesh/support/network.h"

namespace wesher::sim {

/// What time passes in: `advance` is called that often.
inline constexpr Duration kSlice = std::chrono::milliseconds{50};

class Machine {
 public:
  Machine(mesh::test::Network& net, mesh::test::Host& host);

  /// The daemon starts on what is there, `wiped` without database and device, and with `seeds`.
  void start(bool wiped, const std::vector<std::string>& seeds);
  /// It is killed; the device goes on.
  void kill();
  /// It says goodbye, and takes its device down.
  void leave();

  void hear(const mesh::Fact& fact);
  /// Does what is due, and holds the device against the rules.
  void advance();

  [[nodiscard]] mesh::test::Host& host() { return host_; }

  /// The key that packets to this address are encrypted for.
  [[nodiscard]] std::optional<PublicKey> key_at(const IpAddress& address) const;

 private:
  void forgive(Instant now);
  void check_untouched();
  void check_device() const;

  mesh::test::Network& net_;
  mesh::test::Host& host_;
  TemporaryDirectory directory_;
  store::Paths paths_{directory_.path(), "wgtest"};
  std::shared_ptr<daemon::test::FakeDataPlane::World> world_ =
      std::make_shared<daemon::test::FakeDataPlane::World>();
  daemon::Log log_{daemon::LogLevel::error};
  daemon::Notifier notifier_;
  std::unique_ptr<daemon::ReconcileCore> core_;
  Instant heard_at_;
  Instant started_at_;
  Instant advanced_at_;
  std::map<std::string, Instant> changed_;  ///< by member, when something of it changed last
};

}  // namespace wesher::sim
