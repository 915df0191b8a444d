// The reconcile loop on its thread, with a real database and a host that is a value.
#include "daemon/reconciler.h"

#include <filesystem>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>

#include "daemon/clock.h"
#include "tests/daemon/support/parts.h"
#include "tests/daemon/temporary_directory.h"

using namespace wesher;
using namespace wesher::daemon;
using namespace wesher::daemon::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Fixture {
  TemporaryDirectory directory;
  store::Paths paths{directory.path(), "wgtest"};
  std::shared_ptr<FakeDataPlane::World> world = std::make_shared<FakeDataPlane::World>();
  Log log{LogLevel::error};
  Notifier notifier;
  std::unique_ptr<Reconciler> reconciler;
  std::vector<std::uint32_t> reserved;
  std::atomic<int> leaves{0};

  /// A daemon's start on this directory; `adopt_for` is how long adopt mode lasts after a sync.
  Result<void> start(bool adopting = false, Duration adopt_for = seconds(0)) {
    auto parts = make_parts(paths, world, now().wall);
    parts.adopting = adopting;
    parts.adopt_for = adopt_for;
    reconciler = std::make_unique<Reconciler>(std::move(parts), log, notifier);
    auto passed = reconciler->first_pass();
    if (passed) {
      reconciler->run(
          {[this](std::uint32_t end) { reserved.push_back(end); }, [this] { ++leaves; }, {}});
    }
    return passed;
  }

  void push(mesh::Fact fact) { reconciler->push(std::move(fact), now().wall); }

  bool wait_for(const std::function<bool()>& condition) {
    const Instant limit = now().at + seconds(10);
    while (now().at < limit) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }

  /// Runs a query as a command would, on a connection of its own.
  template <class F>
  auto as_command(F query) {
    auto database =
        store::Database::open_for_command(paths.database(), store::Database::Access::write);
    REQUIRE(database);
    store::Repository repository(*database);
    return query(repository);
  }
};

}  // namespace

TEST_CASE("the first pass makes the interface with its address before any thread runs",
          "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  const Observed host = f.world->now();
  CHECK(host.link.up);
  CHECK(host.addresses.size() == 1);
  CHECK(host.listen_port == 51820);
}

TEST_CASE("a member becomes a peer and a route and a name and a row", "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  f.push(mesh::MemberChanged{member("db1", 1), "joined"});
  CHECK(f.wait_for([&] { return f.world->did("peer db1"); }));
  CHECK(f.wait_for([&] {
    return f.as_command(
        [](auto& r) { return r.applied()->generation == r.desired()->value().generation; });
  }));
  const Observed host = f.world->now();
  CHECK(host.peers.size() == 1);
  CHECK(host.routes.size() == 1);
  CHECK(host.hosts.managed.size() == 1);
  CHECK(f.as_command([](auto& r) { return r.members()->size(); }) == 1);
  const auto history = f.as_command([](auto& r) { return *r.history({.newest_max = 100}); });
  CHECK(std::any_of(history.begin(), history.end(), [](const auto& entry) {
    return entry.object == "member db1" && entry.what == "new -> alive" && entry.reason == "joined";
  }));
}

TEST_CASE("a restart on a settled host performs nothing", "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  f.push(mesh::MemberChanged{member("db1", 1), "joined"});
  REQUIRE(f.wait_for([&] { return f.world->now().hosts.managed.size() == 1; }));
  f.reconciler->stop(StopKind::keep, 0);
  const auto before = f.world->performed.size();
  REQUIRE(f.start());
  CHECK(f.world->performed.size() == before);
  CHECK(f.world->now().peers.size() == 1);
}

TEST_CASE("one refused object costs one object and is tried again", "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  {
    const std::lock_guard lock(f.world->mutex);
    f.world->refuses = "peer bad";
  }
  f.push(mesh::MemberChanged{member("bad", 1), "joined"});
  f.push(mesh::MemberChanged{member("good", 2), "joined"});
  REQUIRE(f.wait_for([&] { return f.world->did("peer good"); }));
  REQUIRE(f.wait_for(
      [&] { return !f.as_command([](auto& r) { return r.applied()->failed.empty(); }); }));
  const auto failed = f.as_command([](auto& r) { return r.applied()->failed; });
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].object == "peer bad");
  CHECK(failed[0].detail == "peer bad is refused");
  {
    const std::lock_guard lock(f.world->mutex);
    f.world->refuses.clear();
  }
  CHECK(f.wait_for([&] { return f.world->did("peer bad"); }));
  CHECK(f.wait_for(
      [&] { return f.as_command([](auto& r) { return r.applied()->failed.empty(); }); }));
}

TEST_CASE("a change made by others is repaired on notice", "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  {
    const std::lock_guard lock(f.world->mutex);
    f.world->observed.link.up = false;
  }
  (void)::eventfd_write(f.world->watch, 1);
  CHECK(f.wait_for([&] { return f.world->now().link.up; }));
}

TEST_CASE("a new database removes nothing until the mesh has confirmed it",
          "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  f.push(mesh::MemberChanged{member("db1", 1), "joined"});
  f.push(mesh::MemberChanged{member("gone", 2), "joined"});
  REQUIRE(f.wait_for([&] { return f.world->now().peers.size() == 2; }));
  f.reconciler->stop(StopKind::keep, 0);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(f.paths.database() + suffix);
  }

  REQUIRE(f.start(true, milliseconds(50)));
  f.push(mesh::MemberChanged{member("db1", 1), "heard of"});
  REQUIRE(
      f.wait_for([&] { return f.as_command([](auto& r) { return r.members()->size() == 1; }); }));
  CHECK(f.world->now().peers.size() == 2);
  f.push(mesh::Synced{"db1"});
  CHECK(f.wait_for([&] { return f.world->now().peers.size() == 1; }));
}

TEST_CASE("a database deleted under the daemon is made anew from what it knows",
          "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  f.push(mesh::MemberChanged{member("db1", 1), "joined"});
  REQUIRE(f.wait_for([&] { return f.world->did("peer db1"); }));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(f.paths.database() + suffix);
  }
  f.push(mesh::MemberChanged{member("db2", 2), "joined"});
  CHECK(f.wait_for([&] {
    auto database =
        store::Database::open_for_command(f.paths.database(), store::Database::Access::read);
    if (!database) return false;  // not made yet
    const auto members = store::Repository(*database).members();
    return members && members->size() == 2;
  }));
  // Desired state and options are in the new one too, not only the members.
  CHECK(f.wait_for([&] {
    return f.as_command([](auto& r) {
      const auto desired = r.desired();
      return desired && *desired && (*desired)->peers.size() == 2 && !r.options()->empty();
    });
  }));
  CHECK(f.wait_for([&] { return f.world->now().peers.size() == 2; }));
}

TEST_CASE("a request to leave is obeyed and answered and gives the address back",
          "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  const auto id =
      f.as_command([](auto& r) { return *r.add_request("leave", "{}", 0, now().wall); });
  REQUIRE(f.wait_for([&] { return f.leaves == 1; }));
  f.reconciler->stop(StopKind::resign, 3);
  const auto request = f.as_command([&](auto& r) { return r.request(id)->value(); });
  CHECK(request.state == "done");
  CHECK(request.result == "3");
  CHECK(f.world->link_removed);
  CHECK_FALSE(store::load_key_file(f.paths.key_file())->overlay);
}

TEST_CASE("an unknown request is refused by name", "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  const auto id =
      f.as_command([](auto& r) { return *r.add_request("dance", "{}", 0, now().wall); });
  CHECK(f.wait_for([&] {
    return f.as_command([&](auto& r) { return r.request(id)->value().state == "refused"; });
  }));
  CHECK(f.leaves == 0);
}

TEST_CASE("leaves heard after the own stop began change no stored member", "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  f.push(mesh::MemberChanged{member("db1", 1), "joined"});
  REQUIRE(f.wait_for([&] { return f.world->did("peer db1"); }));
  f.reconciler->freeze();
  f.push(mesh::MemberChanged{member("db1", 1, Standing::seed), "left"});
  f.reconciler->stop(StopKind::leave, 0);
  const auto members = f.as_command([](auto& r) { return *r.members(); });
  REQUIRE(members.size() == 1);
  CHECK(members[0].state == MemberState::alive);
  CHECK(f.world->link_removed);
  CHECK(store::load_key_file(f.paths.key_file())->overlay);
}

TEST_CASE("reserved incarnations are on disk before the mesh may use them",
          "[daemon][reconciler]") {
  Fixture f;
  REQUIRE(f.start());
  f.push(mesh::ReserveIncarnations{5000});
  f.reconciler->stop(StopKind::keep, 0);
  REQUIRE(f.reserved == std::vector<std::uint32_t>{5000});
  CHECK(store::load_key_file(f.paths.key_file())->incarnation_end == 5000);
}
