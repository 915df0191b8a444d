// Hosts that are not where they were, not called what they were, or not awake.
#include <algorithm>
#include <csignal>

#include <catch2/catch.hpp>

#include "netns/support/pair_flows.h"

namespace wesher::netns {

namespace {

const std::vector<std::string> kFast{"--test-timers", "10"};

void must(const Output& output) {
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

/// The peers of a host that are reached at this address.
std::size_t peers_at(const Host& host, const std::string& address) {
  const auto device = host.device();
  if (!device) return 0;
  return static_cast<std::size_t>(
      std::count_if(device->peers.begin(), device->peers.end(),
                    [&](const auto& peer) { return peer.endpoint == address + ":51820"; }));
}

/// n3 of three is at `after` now, and is found there without a packet lost between the others.
void require_moved(Rig& rig, const std::string& before, const std::string& after) {
  // Where it is an IPv6 address, with brackets.
  const std::string endpoint = after.find(':') == std::string::npos ? after : "[" + after + "]";
  Host& host = rig.host(3);
  rig.require_repair("n3 announces " + after, 5s, [&] {
    return host.daemon_err().find("this host is at " + after + " now, it was at " + before +
                                  "; announced again") != std::string::npos;
  });
  rig.require_repair("the others have n3 there", 5s, [&] {
    return peers_at(rig.host(1), endpoint) == 1 && peers_at(rig.host(2), endpoint) == 1;
  });
  rig.require_repair("they reach each other", 20s, [&] {
    return rig.host(1).pings("n3") && rig.host(2).pings("n3") && host.pings("n1");
  });
  rig.require_alive({1, 2, 3}, 10s);
  rig.require_exactly({1, 2, 3});
  for (const int number : {1, 2})
    REQUIRE(peers_at(rig.host(number), endpoint) == 1);
}

}  // namespace

TEST_CASE("a daemon that sleeps longer than any suspicion is alive at once when it wakes",
          "[input]") {
  Rig rig(3);
  rig.start_all(kFast);
  rig.require_mesh();
  PairFlows flows(rig, {{1, 2}, {1, 3}});
  Host& host = rig.host(3);
  host.daemon().signal(SIGSTOP);
  for (const int number : {1, 2})
    rig.require_soon("n3 has failed", 60s,
                     [&] { return rig.host(number).member_state("n3") == "failed"; });
  // As long again, so that what it owes to its own timers is many times due.
  REQUIRE_FALSE(wait_for([&] { return rig.host(1).member_state("n3") != "failed"; }, 5s));
  host.daemon().signal(SIGCONT);
  rig.require_repair("everybody has everybody alive", 10s, [&] {
    for (const auto& each : rig.hosts())
      for (const auto& [name, state] : each->member_states())
        if (name != each->name() && state != "alive") return false;
    return true;
  });
  rig.require_exactly({1, 2, 3});
  flows.require_none_lost();
}

TEST_CASE("a host that is renamed between two runs keeps key and address and drops its old name",
          "[input]") {
  Rig rig(3);
  rig.start_all(kFast);
  rig.require_mesh();
  Host& host = rig.host(3);
  const std::string key = host.device()->public_key;
  const std::string address = host.addresses().at(0);
  host.stop_daemon(SIGKILL);
  must(host.exec({"hostname", "renamed"}));
  host.start_daemon(kFast);
  for (const int number : {1, 2}) {
    Host& other = rig.host(number);
    rig.require_soon(other.name() + " has the new name and not the old one", 20s, [&] {
      return other.member_state("renamed") == "alive" &&
             other.address_in_hosts("renamed") == address && other.address_in_hosts("n3").empty();
    });
    rig.require_soon("it is reached", 20s, [&] { return other.pings("renamed"); });
    REQUIRE(other.device()->peers.size() == 2);
    REQUIRE(other.routes().size() == 2);
  }
  REQUIRE(host.device()->public_key == key);
  REQUIRE(host.addresses() == std::vector{address});
}

TEST_CASE("a host that gets another underlay address is found there within seconds", "[input]") {
  Rig rig(3);
  rig.start_all(kFast);
  rig.require_mesh();
  PairFlows flows(rig, {{1, 2}});
  must(rig.host(3).exec({"sh", "-c",
                         "ip addr flush dev eth0 && ip addr add 172.31.0.77/24 dev eth0 && "
                         "ip route replace default dev eth0"}));
  require_moved(rig, "172.31.0.3", "172.31.0.77");
  flows.require_none_lost();
}

TEST_CASE("a host whose first uplink goes is found at the second one", "[input]") {
  Rig rig(3);
  rig.start_all(kFast);
  rig.require_mesh();
  PairFlows flows(rig, {{1, 2}});
  Host& host = rig.host(3);
  must_run({"ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth1", "netns",
            std::to_string(host.daemon().pid())});
  must_run({"ip", "link", "set", "uplink", "master", "br0", "up"});
  must(host.exec({"sh", "-c",
                  "ip link set eth1 up && ip addr add 172.31.0.103/24 dev eth1 && "
                  "ip route add default dev eth1 metric 100"}));
  const auto moved = [&] { return host.daemon_err().find("this host is at") != std::string::npos; };
  REQUIRE_FALSE(wait_for(moved, 2s));  // the first one is as good as before
  must(host.exec({"ip", "link", "delete", "eth0"}));
  require_moved(rig, "172.31.0.3", "172.31.0.103");
  flows.require_none_lost();
}

TEST_CASE("a host with IPv6 alone that gets another address is found there within seconds",
          "[input]") {
  Rig rig(3, Underlay::ipv6);
  rig.start_all(kFast);
  rig.require_mesh();
  PairFlows flows(rig, {{1, 2}});
  must(rig.host(3).exec({"sh", "-c",
                         "ip -6 addr flush dev eth0 && ip addr add fd77::77/64 dev eth0 nodad && "
                         "ip -6 route replace default dev eth0"}));
  require_moved(rig, "fd77::3", "fd77::77");
  flows.require_none_lost();
}

TEST_CASE("a host with --advertise-addr announces that whatever addresses come and go", "[input]") {
  Rig rig(3);
  rig.start(1, kFast);
  rig.start(2, kFast);
  std::vector<std::string> pinned = kFast;
  pinned.insert(pinned.end(), {"--advertise-addr", rig.seed(3)});
  rig.start(3, pinned);
  rig.require_mesh();
  Host& host = rig.host(3);
  // The address that would be chosen now is the new one.
  must(host.exec({"sh", "-c",
                  "ip addr flush dev eth0 && ip addr add 172.31.0.77/24 dev eth0 && "
                  "ip addr add 172.31.0.3/24 dev eth0 && ip route replace default dev eth0"}));
  REQUIRE_FALSE(wait_for(
      [&] {
        return host.daemon_err().find("this host is at") != std::string::npos ||
               peers_at(rig.host(1), "172.31.0.77") != 0;
      },
      5s));
  rig.require_alive({1, 2, 3}, 10s);
  rig.require_mesh();
}

}  // namespace wesher::netns
