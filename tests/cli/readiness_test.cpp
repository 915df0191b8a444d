// What `wait` waits for, and that it ends when the daemon is there.
#include "cli/readiness.h"

#include <cstdlib>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>

#include "cli/commands.h"
#include "store/lock.h"
#include "tests/cli/support/fixture.h"
#include "tests/cli/support/program.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

TEST_CASE("nothing is missing when the interface is as wanted", "[cli][wait]") {
  CHECK(what_is_missing(in_order(), {}).empty());
  CHECK(what_is_missing(in_order(), {4, "web1"}).empty());
  CHECK(what_is_missing(alone(), {0, "db1"}).empty());
}

TEST_CASE("the first thing that is missing is named", "[cli][wait]") {
  Snapshot snapshot = in_order();
  Observed& observed = *snapshot.live.observed;
  WaitFor wanted;
  std::string expected;
  SECTION("the daemon") {
    snapshot.daemon = DaemonState::stopped;
    expected = "the daemon is not running";
  }
  SECTION("a daemon that is up") {
    snapshot.daemon = DaemonState::changing;
    expected = "the daemon is starting or stopping";
  }
  SECTION("desired state") {
    snapshot.facts.desired.reset();
    expected = "the daemon has not stored a desired state";
  }
  SECTION("a way to the kernel") {
    snapshot.live = {std::nullopt, "neither kernel module nor wireguard-go", ""};
    expected = "neither kernel module nor wireguard-go";
  }
  SECTION("the link") {
    observed.link = {};
    expected = "wgoverlay is absent";
  }
  SECTION("a link that is up") {
    observed.link.up = false;
    expected = "wgoverlay is down";
  }
  SECTION("the address") {
    observed.addresses = {Prefix::host(ip("192.0.2.1"))};
    expected = "wgoverlay lacks its address 10.42.215.254";
  }
  SECTION("the newest generation") {
    snapshot.facts.applied.generation = 811;
    expected = "generation 812 is wanted, 811 is applied";
  }
  SECTION("the node") {
    wanted.node = "web9";
    expected = "no member is named web9";
  }
  SECTION("the node alive") {
    member_of(snapshot, "web1").state = MemberState::failed;
    wanted.node = "web1";
    expected = "web1 is failed";
  }
  SECTION("the node configured") {
    unconfigure(snapshot, "web1", Standing::refused);
    member_of(snapshot, "web1").reason = "its address is held by pi1";
    wanted.node = "web1";
    expected = "web1 is not configured: its address is held by pi1";
  }
  SECTION("the node in the device") {
    observed.peers.clear();
    wanted.node = "web1";
    expected = "web1 is no peer of wgoverlay yet";
  }
  SECTION("peers") {
    member_of(snapshot, "web1").state = MemberState::failed;
    member_of(snapshot, "web2").state = MemberState::suspect;
    unconfigure(snapshot, "pi1", Standing::refused);
    wanted.peers = 3;
    expected = "2 of 3 peers are alive";
  }
  SECTION("one peer") {
    snapshot = alone();
    wanted.peers = 1;
    expected = "0 of 1 peer is alive";
  }
  CHECK(what_is_missing(snapshot, wanted) == expected);
}

TEST_CASE("wait sees a state that is made while it waits", "[cli][wait]") {
  TemporaryDirectory directory;
  const std::string state = directory.path() + "/state";  // does not exist yet
  ::setenv("STATE_DIRECTORY", state.c_str(), 1);
  Result<Output> out = Output{};
  std::thread waiting([&] { out = wait_until_ready("", {}, std::chrono::seconds{20}); });
  const auto make = [&](const std::string& name) { std::ofstream(state + "/" + name) << ""; };
  // Two interfaces end the wait at once, long before its time: a choice is needed.
  const auto lock = store::Lock::take(state + "/wg0.lock", "wg0");
  CHECK(lock.has_value());
  const auto start = std::chrono::steady_clock::now();
  make("wg0.db");
  make("wg1.db");
  waiting.join();
  ::unsetenv("STATE_DIRECTORY");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{10});
  REQUIRE_FALSE(out);
  CHECK(out.error().code == Errc::malformed);
}
