// Members that leave, that die, and those that never get in.
#include <csignal>

#include <catch2/catch.hpp>

#include "netns/support/ping.h"
#include "netns/support/rig.h"

namespace wesher::netns {

TEST_CASE("leave removes everything here and this host everywhere") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(3);
  const Output leave = host.wesher({"leave"});
  INFO(leave.text());
  REQUIRE(leave.exit_code == 0);
  REQUIRE(host.daemon().wait_for_end(20s));
  REQUIRE(host.daemon().exit_code() == 0);
  REQUIRE_FALSE(host.has_link());
  REQUIRE(host.routes().empty());
  REQUIRE(host.address_in_hosts("n1").empty());
  REQUIRE(host.address_in_hosts("n2").empty());
  REQUIRE(host.address_in_hosts("localhost") == "127.0.0.1");
  rig.require_exactly({1, 2});
  // And it may come back.
  host.start_daemon({});
  rig.require_mesh();
}

TEST_CASE("leave without a running daemon removes everything here") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  host.stop_daemon(SIGKILL);
  REQUIRE(host.has_link());
  const Output leave = host.wesher({"leave"});
  INFO(leave.text());
  REQUIRE(leave.exit_code == 0);
  REQUIRE_FALSE(host.has_link());
  REQUIRE(host.address_in_hosts("n1").empty());
}

TEST_CASE("a member whose daemon is dead for two minutes keeps its peer and comes back", "[long]") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& dead = rig.host(3);
  Host& other = rig.host(1);
  const std::string key = dead.device()->public_key;
  Pinger pinger(other, "n3");
  dead.stop_daemon(SIGKILL);
  const auto peer_is_gone = [&] {
    const auto device = other.device();
    return other.address_in_hosts("n3").empty() || !device || device->peers.size() != 2 ||
           other.routes().size() != 2;
  };
  const auto since = std::chrono::steady_clock::now();
  // Probes every 5 s; suspicion of 3 members lasts at most 120 s, less with each that confirms it.
  REQUIRE(wait_for([&] { return other.member_state("n3") == "failed"; }, 118s));
  const auto rest = 120s - (std::chrono::steady_clock::now() - since);
  REQUIRE_FALSE(
      wait_for(peer_is_gone, std::chrono::duration_cast<std::chrono::milliseconds>(rest)));
  dead.start_daemon({});
  rig.require_soon("n1 sees n3 alive again", 60s,
                   [&] { return other.member_state("n3") == "alive"; });
  rig.require_mesh();
  rig.require_exactly({1, 2, 3});
  REQUIRE(dead.device()->public_key == key);
  INFO(pinger.end());
  REQUIRE(pinger.lost() == 0);
}

TEST_CASE("a joiner with another cluster key stays out and says so on both sides", "[input]") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Host& stranger = rig.host(3);
  stranger.start_daemon({"--join", rig.seed()}, {"WESHER_CLUSTER_KEY=" + random_key()});
  rig.require_soon("n3 says that the key is probably another one", 30s, [&] {
    const std::string log = stranger.daemon_err();
    return log.find(rig.seed()) != std::string::npos &&
           log.find("cluster key is not ours") != std::string::npos;
  });
  rig.require_soon("n1 says that somebody has another key", 30s, [&] {
    const std::string log = rig.host(1).daemon_err();
    return log.find(stranger.underlay_address()) != std::string::npos &&
           log.find("another cluster") != std::string::npos;
  });
  REQUIRE(stranger.daemon().running());
  REQUIRE(stranger.device()->peers.empty());
  REQUIRE(stranger.address_in_hosts("n1").empty());
  rig.require_exactly({1, 2});
  REQUIRE(rig.host(1).pings("n2"));
}

TEST_CASE("a stop with --on-stop keep leaves the data plane and the mesh as they are") {
  Rig rig(2);
  rig.start_all({"--on-stop", "keep"});
  rig.require_mesh();
  Pinger pinger(rig.host(1), "n2");
  Host& host = rig.host(2);
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  REQUIRE(host.has_link());
  REQUIRE_FALSE(host.address_in_hosts("n1").empty());
  const int at_stop = pinger.sent();
  rig.require_soon("pings go on", 20s, [&] { return pinger.sent() >= at_stop + 20; });
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("n1 sees n2 alive", 60s,
                   [&] { return rig.host(1).member_state("n2") == "alive"; });
  rig.require_exactly({1, 2});
  INFO(pinger.end());
  REQUIRE(pinger.lost() == 0);
}

}  // namespace wesher::netns
