// Drives a reconciling core in virtual time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "daemon/reconcile_core.h"
#include "tests/daemon/support/parts.h"
#include "tests/daemon/temporary_directory.h"

namespace wesher::daemon::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A reconciling core on a virtual clock, with a real database and a host that is a value.
class CoreRig {
 public:
  CoreRig() { start(); }

  /// A daemon's start on this directory and host.
  void start() {
    core.reset();
    core = std::make_unique<ReconcileCore>(
        make_parts(paths, world, now.wall), log, notifier, [this] { return now; },
        Rng::from_number(1));
    core->set_callbacks(
        {[this](std::uint32_t end) { reserved = end; }, [this] { ++leaves; },
         [this](PublicKey key) { announced = key; }, [this](std::uint64_t end) { epochs = end; },
         [this](std::optional<IpAddress> overlay) { claims.push_back(overlay); },
         [this](std::int64_t id, const std::string& what) { forgets.emplace_back(id, what); },
         [this](MetaFormat format) { formats.push_back(format); }});
    REQUIRE(core->first_pass());
    run(seconds(2));
    forget();
  }

  /// Lets virtual time pass, doing what is due when it is due.
  void run(Duration duration) {
    const Instant end = now.at + duration;
    while (core->next_due() <= end) {
      pass_time(std::max(core->next_due(), now.at) - now.at);
      core->advance();
    }
    pass_time(end - now.at);
  }

  void pass_time(Duration duration) {
    now.at += duration;
    now.wall += std::chrono::duration_cast<milliseconds>(duration);
  }

  /// Hears a fact and does at once what is due at once.
  void hear(mesh::Fact fact) {
    core->take(fact, now.wall);
    core->advance();
  }

  void join(const std::string& name, std::uint8_t n) {
    hear(mesh::MemberChanged{member(name, n), "joined"});
  }

  void forget() {
    world->performed.clear();
    world->looks = 0;
  }

  template <class F>
  auto stored(F query) {
    auto database =
        store::Database::open_for_command(paths.database(), store::Database::Access::read);
    REQUIRE(database);
    store::Repository repository(*database);
    return query(repository);
  }

  std::vector<store::DriftRow> drift() {
    return stored([](auto& r) { return r.drift().value(); });
  }

  [[nodiscard]] std::vector<std::string> done() const { return world->performed; }

  TemporaryDirectory directory;
  store::Paths paths{directory.path(), "wgtest"};
  std::shared_ptr<FakeDataPlane::World> world = std::make_shared<FakeDataPlane::World>();
  Log log{LogLevel::error};
  Notifier notifier;
  Moment now{Instant{} + seconds(1000), wall_from_ms(1'790'000'000'000)};
  std::unique_ptr<ReconcileCore> core;
  int leaves = 0;
  std::optional<PublicKey> announced;
  std::uint32_t reserved = 0;
  std::uint64_t epochs = 0;
  std::vector<std::optional<IpAddress>> claims;  ///< told to be stored
  std::vector<MetaFormat> formats;               ///< likewise
  std::vector<std::pair<std::int64_t, std::string>> forgets;
};

}  // namespace wesher::daemon::test
