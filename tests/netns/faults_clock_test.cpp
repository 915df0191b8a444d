// Clocks that start in 1970 or are set back. WireGuard's handshakes bear the wall clock, and peers
// take only later ones than they have seen: a host that keeps its key is shut out for the size of
// the step. Only the guest has a clock of its own; it is put right again, as all scenarios in there
// share it.
#include <csignal>
#include <ctime>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/records.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

// Only a machine of our own, whose first process is the guest's init and not this sandbox's, may
// have its clock changed: /results is the guest's folder for the records.
void need_own_clock() {
  if (!std::filesystem::exists("/results/request"))
    skip("the clock of this machine is not ours to change; the guest runs this");
}

// Moves the wall clock, and moves it back by the time that went by when the scenario ends.
class MovedClock {
 public:
  explicit MovedClock(std::time_t seconds) { move(seconds); }

  ~MovedClock() { move(-moved_); }

  MovedClock(const MovedClock&) = delete;
  MovedClock& operator=(const MovedClock&) = delete;

  void move(std::time_t seconds) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += seconds;
    if (::clock_settime(CLOCK_REALTIME, &now) == 0) moved_ += seconds;
  }

  [[nodiscard]] bool moved() const { return moved_ != 0; }

 private:
  std::time_t moved_ = 0;
};

}  // namespace

TEST_CASE("a clock that is set back under the daemon makes a new key that all peers take",
          "[kernel][alone]") {
  need_own_clock();
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  const std::string key = host.device()->public_key;
  const MovedClock back(-3600);
  REQUIRE(back.moved());
  rig.require_repair("n2 has a new key", 60s, [&] { return host.device()->public_key != key; });
  rig.require_mesh(100s);
  REQUIRE(host.daemon_err().find("the clock went back") != std::string::npos);
  rig.require_exactly({1, 2});
}

TEST_CASE("a host that starts in 1970 is in the mesh with a new key and stays in it",
          "[kernel][alone]") {
  need_own_clock();
  Rig rig(2);
  rig.start_all({"--on-stop", "keep"});
  rig.require_mesh();
  Host& host = rig.host(2);
  const std::string key = host.device()->public_key;
  host.stop_daemon(SIGKILL);
  REQUIRE(host.exec({"ip", "link", "del", "wgoverlay"}).exit_code == 0);
  MovedClock early(1000 - std::time(nullptr));
  REQUIRE(early.moved());
  host.start_daemon({"--on-stop", "keep"});
  rig.require_mesh(100s);
  REQUIRE(host.device()->public_key != key);
  // The clock is put right, as after the first answer of a time server: nothing new is made.
  const std::string second = host.device()->public_key;
  early.move(1000000);
  rig.require_mesh(100s);
  REQUIRE(host.device()->public_key == second);
}

}  // namespace wesher::netns
