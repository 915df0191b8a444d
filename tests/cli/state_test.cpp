// Finding state, telling a running daemon from a dead one, and leaving; on real files.
#include "cli/state.h"

#include <cstdlib>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "cli/commands.h"
#include "store/lock.h"
#include "tests/cli/support/fixture.h"
#include "tests/cli/support/program.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

/// $STATE_DIRECTORY points to an empty directory as long as this lives.
class StateDirectory {
 public:
  StateDirectory() { ::setenv("STATE_DIRECTORY", directory_.path().c_str(), 1); }

  ~StateDirectory() { ::unsetenv("STATE_DIRECTORY"); }

  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return directory_.path(); }

  void touch(const std::string& name) const { std::ofstream(path() + "/" + name) << ""; }

 private:
  TemporaryDirectory directory_;
};

store::SelfRow self_of(std::uint32_t pid) {
  store::SelfRow self = *alone().facts.self;
  self.pid = pid;
  return self;
}

}  // namespace

TEST_CASE("the only database is taken and several are listed", "[cli][state]") {
  StateDirectory state;
  CHECK(find_state("").error().detail ==
        "no wesher state for any interface in " + state.path() + "; start it with: sudo wesher");
  CHECK(find_state("").error().code == Errc::not_found);
  CHECK(find_state("wg9").error().detail == "no wesher state for wg9 in " + state.path() +
                                                "; start it with: sudo wesher --interface wg9");
  CHECK(find_state("../etc").error().code == Errc::malformed);
  state.touch("wgoverlay.db");
  CHECK(find_state("")->interface == "wgoverlay");
  state.touch("wg9.db");
  CHECK(find_state("").error().detail ==
        "several interfaces have wesher state: wg9, wgoverlay; choose one with --interface");
  CHECK(find_state("").error().code == Errc::malformed);
  CHECK(find_state("wg9")->database() == state.path() + "/wg9.db");
}

TEST_CASE("a daemon runs only while it holds the lock", "[cli][state]") {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/wg0.lock";
  const auto own = static_cast<std::uint32_t>(::getpid());
  CHECK(daemon_state(self_of(own), path) == DaemonState::stopped);
  {
    const auto lock = store::Lock::take(path, "wg0");
    REQUIRE(lock.has_value());
    CHECK(lock_holder(path) == own);
    CHECK(daemon_state(self_of(own), path) == DaemonState::running);
    CHECK(daemon_state(self_of(own + 1), path) == DaemonState::changing);
    CHECK(daemon_state(std::nullopt, path) == DaemonState::changing);
    store::SelfRow stopped = self_of(own);
    stopped.stopped = kNow;
    CHECK(daemon_state(stopped, path) == DaemonState::changing);
  }
  CHECK(daemon_state(self_of(own), path) == DaemonState::stopped);
  // Killed: the pid is still noted, and lives, but nobody holds the lock.
  std::ofstream(path) << own << "\n";
  CHECK(daemon_state(self_of(own), path) == DaemonState::stopped);
}

TEST_CASE("everything that was stored is read back as facts", "[cli][state]") {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/wg0.db";
  const Facts facts = in_order().facts;
  auto opened = store::Database::open_for_daemon(path, std::string(32, 'a'));
  INFO((opened ? std::string() : opened.error().detail));
  REQUIRE(opened.has_value());
  store::Repository repository(opened->database);
  store::Batch batch;
  batch.self = facts.self;
  batch.members = facts.members;
  batch.history = {facts.history.front()};
  REQUIRE(repository.write(batch).has_value());
  REQUIRE(repository.put_options(facts.options).has_value());
  REQUIRE(repository.put_desired(*facts.desired).has_value());
  auto database = store::Database::open_for_command(path, store::Database::Access::read);
  REQUIRE(database.has_value());
  const auto read = read_facts(*database, "wgoverlay");
  REQUIRE(read.has_value());
  CHECK(read->self == facts.self);
  CHECK(read->members == facts.members);
  CHECK(read->options == facts.options);
  CHECK(read->desired->peers == facts.desired->peers);
  CHECK(read->history.size() == 1);
  CHECK(read->adopting == opened->fresh);
}

TEST_CASE("leave asks the daemon that holds the lock and prints its answer", "[cli][leave]") {
  TemporaryDirectory directory;
  const store::Paths paths{directory.path(), "wg0"};
  auto opened = store::Database::open_for_daemon(paths.database(), std::string(32, 'a'));
  INFO((opened ? std::string() : opened.error().detail));
  REQUIRE(opened.has_value());
  const auto lock = store::Lock::take(paths.lock_file(), "wg0");
  REQUIRE(lock.has_value());
  const auto [state, result, expected] = GENERATE(table<std::string, std::string, std::string>(
      {{"done", "4",
        "left the cluster; 4 members were told; interface, routes and hosts lines are "
        "removed\n"},
       {"done", "1",
        "left the cluster; 1 member was told; interface, routes and hosts lines are removed\n"},
       {"refused", "not now", "the daemon did not leave: the request is refused: not now"}}));
  CAPTURE(state);
  std::size_t answered = 0;
  std::thread daemon([&, state = state, result = result] {
    store::Repository repository(opened->database);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (answered == 0 && std::chrono::steady_clock::now() < deadline) {
      const auto requests = repository.take_requests(wall_now());
      if (!requests) continue;
      for (const auto& request : *requests) {
        if (request.kind == "leave" && request.uid == ::getuid()) ++answered;
        (void)repository.finish_request(request.id, state, result);
      }
      std::this_thread::yield();
    }
  });
  const auto out = leave(paths);
  daemon.join();
  CHECK(answered == 1);
  CHECK((out ? out->text : out.error().detail) == expected);
}
