// A network in two halves for minutes, with the timers that the program has: by hand, as it takes
// as long as it says. WESHER_PARTITION_MINUTES gives the length, 3 if it is not set.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include <catch2/catch.hpp>

#include "netns/support/halves.h"
#include "netns/support/pair_flows.h"

namespace wesher::netns {

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::minutes length() {
  const char* given = std::getenv("WESHER_PARTITION_MINUTES");  // NOLINT(concurrency-mt-unsafe)
  return std::chrono::minutes{given == nullptr ? 3 : std::atoi(given)};
}

/// Both halves have lost each other and nobody else.
bool apart(Rig& rig) {
  for (int here = 1; here <= 4; ++here) {
    auto states = rig.host(here).member_states();
    for (int other = 1; other <= 4; ++other) {
      if (other == here) continue;
      const bool same = (here <= 2) == (other <= 2);
      if (states[rig.host(other).name()] != (same ? "alive" : "failed")) return false;
    }
  }
  return true;
}

bool all_ping(Rig& rig) {
  for (int here = 1; here <= 4; ++here)
    for (int other = 1; other <= 4; ++other)
      if (other != here && !rig.host(here).pings(rig.host(other).name())) return false;
  return true;
}

/// Four hosts, two and two: apart for length(), with `meanwhile` in the middle of it.
void two_and_two(const std::function<void(Rig&)>& meanwhile) {
  Rig rig(4);
  Halves halves(rig, {3, 4});
  rig.start_all();
  rig.require_mesh();
  std::vector<std::string> addresses;
  for (const auto& host : rig.hosts())
    addresses.push_back(host->addresses().at(0));
  PairFlows flows(rig, {{1, 2}, {3, 4}});
  const auto parted = Clock::now();
  const auto spend = [&](std::chrono::seconds until) {
    const auto over = [&] { return Clock::now() - parted >= until; };
    REQUIRE(wait_for(over, until + 1s));
  };
  halves.part();
  rig.require_repair("each half has lost the other one", 150s, [&] { return apart(rig); });
  spend(length() / 2);
  meanwhile(rig);
  spend(length());
  flows.require_none_lost();
  halves.heal();
  const auto healed = Clock::now();
  const auto took = [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - healed);
  };
  rig.require_alive({1, 2, 3, 4}, 30s);
  std::cout << took().count() << " ms after the heal everybody has everybody alive" << std::endl;
  rig.require_soon("every pair pings", 30s - took(), [&] { return all_ping(rig); });
  std::cout << took().count() << " ms after the heal every pair pings" << std::endl;
  rig.require_exactly({1, 2, 3, 4});
  flows.require_none_lost();
  for (std::size_t i = 0; i < addresses.size(); ++i)
    REQUIRE(rig.hosts()[i]->addresses() == std::vector{addresses[i]});
}

}  // namespace

TEST_CASE("two halves that were apart for minutes are one mesh within 30 s of the heal",
          "[.by-hand]") {
  two_and_two([](Rig& /*rig*/) {});
}

TEST_CASE("two halves that restarted apart are one mesh within 30 s of the heal", "[.by-hand]") {
  two_and_two([](Rig& rig) {
    for (const auto& host : rig.hosts())
      host->stop_daemon(SIGKILL);
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(
          rig.host(2).path("/var/lib/wesher/wgoverlay.db" + std::string(suffix)));
    for (const auto& host : rig.hosts())
      host->start_daemon({});
    rig.require_alive({1, 2}, 60s);
    rig.require_alive({3, 4}, 60s);
  });
}

}  // namespace wesher::netns
