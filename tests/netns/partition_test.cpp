// A network that falls apart into halves and is whole again.
#include <csignal>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/firewall.h"
#include "netns/support/ping.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

/// Nothing passes between n1, n2 and n3, n4.
void part(Rig& rig) {
  for (const int a : {1, 2}) {
    for (const int b : {3, 4}) {
      cut(rig.host(a), rig.seed(b));
      cut(rig.host(b), rig.seed(a));
    }
  }
}

void heal(Rig& rig) {
  for (const int number : {1, 2, 3, 4})
    unblock(rig.host(number));
}

void require_failed(Rig& rig, const std::vector<int>& here, const std::vector<int>& there) {
  for (const int a : here) {
    for (const int b : there) {
      rig.require_soon(rig.host(a).name() + " has lost " + rig.host(b).name(), 60s,
                       [&] { return rig.host(a).member_state(rig.host(b).name()) == "failed"; });
    }
  }
}

}  // namespace

TEST_CASE("two halves are one mesh again when the network is, and inside them nothing is lost",
          "[input]") {
  Rig rig(4);
  need_program("nft");
  rig.start_all({"--test-timers", "10"});
  rig.require_mesh();
  std::vector<std::string> addresses;
  for (const auto& host : rig.hosts())
    addresses.push_back(host->addresses().at(0));
  Pinger first(rig.host(1), "n2");
  Pinger second(rig.host(3), "n4");
  part(rig);
  require_failed(rig, {1, 2}, {3, 4});
  require_failed(rig, {3, 4}, {1, 2});
  heal(rig);
  rig.require_mesh(30s);
  rig.require_exactly({1, 2, 3, 4});
  REQUIRE(first.lost() == 0);
  REQUIRE(second.lost() == 0);
  for (std::size_t i = 0; i < addresses.size(); ++i)
    REQUIRE(rig.hosts()[i]->addresses() == std::vector{addresses[i]});
}

TEST_CASE("two halves find each other although all restarted meanwhile and one lost its database",
          "[input]") {
  Rig rig(4);
  need_program("nft");
  const std::vector<std::string> fast{"--test-timers", "10"};
  rig.start_all(fast);
  rig.require_mesh();
  part(rig);
  require_failed(rig, {1, 2}, {3, 4});
  require_failed(rig, {3, 4}, {1, 2});
  for (const auto& host : rig.hosts())
    host->stop_daemon(SIGKILL);
  std::filesystem::remove(rig.host(2).path("/var/lib/wesher/wgoverlay.db"));
  for (const char* more : {"-wal", "-shm"})
    std::filesystem::remove(rig.host(2).path(std::string("/var/lib/wesher/wgoverlay.db") + more));
  for (const auto& host : rig.hosts())
    host->start_daemon(fast);
  rig.require_mesh({1, 2});
  rig.require_mesh({3, 4});
  heal(rig);
  rig.require_mesh(30s);
}

TEST_CASE("a cluster whose daemons are all killed at once is whole again without --join",
          "[input]") {
  Rig rig(5);
  rig.start_all();
  rig.require_mesh();
  std::vector<std::string> addresses;
  for (const auto& host : rig.hosts())
    addresses.push_back(host->addresses().at(0));
  for (const auto& host : rig.hosts())
    host->stop_daemon(SIGKILL);
  for (const auto& host : rig.hosts())
    host->start_daemon({});
  rig.require_soon("everybody has everybody alive", 15s, [&] {
    for (const auto& here : rig.hosts()) {
      for (const auto& other : rig.hosts()) {
        if (here != other && here->member_state(other->name()) != "alive") return false;
      }
    }
    return true;
  });
  rig.require_mesh();
  for (std::size_t i = 0; i < addresses.size(); ++i)
    REQUIRE(rig.hosts()[i]->addresses() == std::vector{addresses[i]});
}

}  // namespace wesher::netns
