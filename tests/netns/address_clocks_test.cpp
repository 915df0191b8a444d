// Claims of hosts whose clocks are wrong, and of hosts that were away for days: none of them drives
// a holder off. The daemon's own clock is shifted, not the machine's.
#include <csignal>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/halves.h"
#include "netns/support/names.h"

namespace wesher::netns {

namespace {

constexpr const char* kNet = "10.42.7.0/24";
/// Both want one address; a third host watches.
constexpr const char* kHolder = "host1";
constexpr const char* kOther = "host21";

constexpr int kWatches = 1;
constexpr int kHolds = 2;
constexpr int kWants = 3;

/// What makes a program see a clock that is ahead.
std::vector<std::string> with_clock(std::chrono::seconds ahead) {
  return {"LD_PRELOAD=" SHIFTED_CLOCK, "WESHER_CLOCK_SHIFT=" + std::to_string(ahead.count())};
}

std::size_t announcements(const Host& host) {
  static constexpr std::string_view kLine = " announces itself as ";
  const std::string log = host.daemon_err();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = log.find(kLine, at)) != std::string::npos; at += kLine.size())
    ++count;
  return count;
}

/// To a quarter of an hour after the beginning of 1970.
std::chrono::seconds to_1970() {
  return std::chrono::seconds{1000 - std::time(nullptr)};
}

class Three {
 public:
  Three() : rig_({"db", kHolder, kOther}), halves_(rig_, {kWants}) {
    REQUIRE(wanted_address(kHolder, kNet) == contested());
  }

  [[nodiscard]] static std::string contested() { return wanted_address(kOther, kNet); }

  Rig& rig() { return rig_; }

  Halves& halves() { return halves_; }

  Host& host(int number) { return rig_.host(number); }

  void start(int number, std::chrono::seconds clock = {}) {
    std::vector<std::string> arguments{"--overlay-net", kNet, "--test-timers", "10"};
    if (number != kWatches) arguments.insert(arguments.end(), {"--join", rig_.seed()});
    std::vector<std::string> variables = with_clock(clock);
    variables.push_back("WESHER_CLUSTER_KEY=" + rig_.key());
    const std::size_t before = announcements(host(number));
    host(number).start_daemon(arguments, variables);
    rig_.require_soon(host(number).name() + " has announced an address", 30s, [&] {
      return announcements(host(number)) > before && !address(number).empty();
    });
  }

  [[nodiscard]] std::string address(int number) {
    const auto found = host(number).addresses();
    return found.size() == 1 ? found.front() : "";
  }

  /// The holder has the address, the other one has none of anybody's, and all see it so.
  void require_settled() {
    rig_.require_soon("the other one has an address of its own", 30s,
                      [&] { return !address(kWants).empty() && address(kWants) != contested(); });
    rig_.require_mesh();
    REQUIRE(address(kHolds) == contested());
    for (const int number : {kWatches, kHolds, kWants})
      REQUIRE(host(kWatches == number ? kHolds : kWatches).address_in_hosts(host(number).name()) ==
              address(number));
    REQUIRE(host(kHolds).daemon_err().find("address moved") == std::string::npos);
  }

 private:
  Rig rig_;
  Halves halves_;
};

}  // namespace

TEST_CASE("a host whose clock stands in 1970 drives no holder off its address", "[input]") {
  Three three;
  three.start(kWatches);
  three.start(kHolds);
  three.start(kWants, to_1970());
  three.require_settled();
  // It gives its address back and forgets everybody, and takes the one that it wants first while it
  // hears of nobody. Of the holder's claim it only has the time, in its key file.
  Host& host = three.host(kWants);
  const Output left = host.exec_with(with_clock(to_1970()), {settings().wesher, "leave"});
  INFO(left.text());
  REQUIRE(left.exit_code == 0);
  REQUIRE(host.daemon().wait_for_end(20s));
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(host.path("/var/lib/wesher/wgoverlay.db" + std::string(suffix)));
  three.halves().part();
  three.start(kWants, to_1970());
  REQUIRE(three.address(kWants) == Three::contested());
  three.halves().heal();
  three.require_settled();
}

TEST_CASE("a host that starts in 1970 and alone drives nobody off when it meets the others",
          "[input]") {
  Three three;
  three.halves().part();
  three.start(kWatches);
  three.start(kWants, to_1970());
  three.start(kHolds);
  REQUIRE(three.address(kWants) == Three::contested());
  REQUIRE(three.address(kHolds) == Three::contested());
  three.halves().heal();
  three.require_settled();
}

TEST_CASE("a host that was away for four days drives nobody off who has its address now",
          "[input]") {
  static constexpr std::chrono::seconds kFourDays = std::chrono::days{4};
  Three three;
  three.halves().part();
  three.start(kWatches);
  // Long before the holder came.
  three.start(kWants, -kFourDays);
  three.host(kWants).stop_daemon(SIGKILL);
  three.start(kHolds);
  three.start(kWants);
  REQUIRE(three.address(kWants) == Three::contested());
  REQUIRE(three.address(kHolds) == Three::contested());
  three.halves().heal();
  three.require_settled();
}

}  // namespace wesher::netns
