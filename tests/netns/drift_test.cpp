// Changes that others make to the device, its peers, the routes and the hosts file: found, repaired
// in time, counted, and told. The bounds are five times those of the design (a second with a
// notice, 30 s without); what it took is in the output.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "netns/support/records.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

// Five times the design's second.
constexpr std::chrono::milliseconds kNoticed = 5s;
// The design's 30 s and a margin.
constexpr std::chrono::milliseconds kLooked = 60s;

void must(const Host& host, const std::vector<std::string>& argv) {
  const Output output = host.exec(argv);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

// In the table of drift with this object: counted, and the repair took less than the bound.
void require_counted(Rig& rig, const Host& host, const std::string& object) {
  rig.require_soon(object + " is counted as repaired", kNoticed, [&] {
    const auto seen = drift_of(host, object);
    return seen && seen->repaired_ms.has_value();
  });
  const auto seen = drift_of(host, object);
  INFO(object << ": " << seen->what << " (" << seen->reason << ")");
  REQUIRE(seen->count >= 1);
  REQUIRE_FALSE(seen->what.empty());
  REQUIRE(seen->repaired_ms <= kNoticed.count() * settings().patience);
  REQUIRE_FALSE(seen->fighting);
  const std::string history = history_of(host, object);
  INFO(history);
  REQUIRE(history.find(seen->what) != std::string::npos);
}

DevicePeer peer_of(const Host& host, const std::string& public_key) {
  const auto device = host.device();
  if (!device) return {};
  for (const DevicePeer& peer : device->peers)
    if (peer.public_key == public_key) return peer;
  return {};
}

// Processor time of a process so far, its threads included.
std::chrono::milliseconds processor_time(pid_t pid) {
  std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string skipped;
  for (int i = 3; i < 14; ++i)
    fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

}  // namespace

TEST_CASE("what others change of the link and its addresses and routes is repaired at once") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string own = host.addresses().at(0);
  const std::string other = host.address_in_hosts("n2");
  const auto in_order = [&] {
    const auto device = host.device();
    return host.addresses() == std::vector{own} && host.routes().size() == 1 && device &&
           device->listen_port == 51820 && device->peers.size() == 1;
  };

  must(host, {"ip", "route", "del", other, "dev", "wgoverlay"});
  rig.require_repair("a removed route is back", kNoticed, in_order);
  require_counted(rig, host, "route " + other + "/32");

  must(host, {"ip", "address", "flush", "dev", "wgoverlay", "scope", "global"});
  rig.require_repair("a removed address is back", kNoticed, in_order);
  require_counted(rig, host, "address " + own + "/32");

  must(host, {"ip", "address", "add", "10.250.0.1/32", "dev", "wgoverlay"});
  must(host, {"ip", "address", "del", own + "/32", "dev", "wgoverlay"});
  rig.require_repair("a changed address is back", kNoticed, in_order);
  require_counted(rig, host, "address 10.250.0.1/32");

  must(host, {"ip", "link", "set", "wgoverlay", "down"});
  rig.require_repair("a link that was set down carries packets", kNoticed,
                     [&] { return in_order() && host.pings("n2"); });
  require_counted(rig, host, "link");

  must(host, {"ip", "link", "del", "wgoverlay"});
  rig.require_repair("a deleted link carries packets", kNoticed,
                     [&] { return in_order() && host.pings("n2"); });
  rig.require_soon("each loss of the link is counted", kNoticed,
                   [&] { return drift_of(host, "link")->count >= 2; });
  REQUIRE(drift_rows(rig.host(2)) == 0);
  rig.require_exactly({1, 2});
}

TEST_CASE("what gives no notice is repaired by the periodic look and before each batch") {
  Rig rig(4);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string key = host.device()->public_key;
  const std::string removed = rig.host(2).device()->public_key;
  const std::string changed = rig.host(3).device()->public_key;
  const std::string stray = random_key();
  const auto in_order = [&] {
    const auto device = host.device();
    return device && device->public_key == key && device->listen_port == 51820 &&
           device->peers.size() == 3 && !peer_of(host, removed).allowed_ips.empty() &&
           peer_of(host, changed).allowed_ips == host.address_in_hosts("n3") + "/32";
  };
  REQUIRE(in_order());
  write_file(host.path("/run/other.key"), random_key() + "\n");
  must(host, {"wg", "set", "wgoverlay", "private-key", "/run/other.key", "listen-port", "4711"});
  must(host, {"wg", "set", "wgoverlay", "peer", removed, "remove", "peer", changed, "allowed-ips",
              "10.250.0.0/24"});
  must(host, {"wg", "set", "wgoverlay", "peer", stray, "allowed-ips", "10.9.9.9/32"});
  REQUIRE_FALSE(in_order());
  rig.require_repair("key and port and peers are as before", kLooked, in_order);
  for (const char* object : {"device", "peer n2", "peer n3"})
    require_counted(rig, host, object);
  require_counted(rig, host, "peer " + stray);
  rig.require_soon("packets flow again", 20s, [&] { return host.pings("n2"); });

  // The look was just now; a batch of two changes comes long before the next one.
  must(host, {"wg", "set", "wgoverlay", "listen-port", "4712"});
  must(host, {"wg", "set", "wgoverlay", "peer", removed, "remove"});
  host.daemon().signal(SIGSTOP);
  for (const int leaving : {3, 4})
    REQUIRE(rig.host(leaving).stop_daemon(SIGTERM) == 0);
  host.daemon().signal(SIGCONT);
  rig.require_repair("a batch repairs what it finds", 2 * kNoticed, [&] {
    const auto device = host.device();
    return device && device->listen_port == 51820 && device->peers.size() == 1 &&
           device->peers[0].public_key == removed;
  });
  rig.require_exactly({1, 2});
}

TEST_CASE("learned endpoints and the MTU and objects of others are left alone and no drift") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string peer = rig.host(2).device()->public_key;
  const std::string other = host.address_in_hosts("n2");
  // n2 answers from where it is asked: as after a move that WireGuard has learned of.
  must(rig.host(2), {"ip", "address", "add", "172.31.0.202/24", "dev", "eth0"});
  must(host, {"wg", "set", "wgoverlay", "peer", peer, "endpoint", "172.31.0.202:51820"});
  REQUIRE(host.pings("n2"));
  must(host, {"ip", "link", "set", "wgoverlay", "mtu", "1300"});
  must(host, {"ip", "route", "add", "10.250.0.0/24", "dev", "wgoverlay"});
  must(host, {"ip", "route", "add", "10.251.0.0/24", "dev", "eth0"});
  must(host, {"ip", "link", "add", "wgother", "type", "bridge"});
  // As an editor saves it: a file that is empty for a moment would be drift, rightly.
  const std::string path = host.path("/etc/hosts");
  write_file(path + ".new", "10.252.0.1 first\n" + read_file(path) + "10.252.0.2 last\n");
  std::filesystem::rename(path + ".new", path);

  // Each of these makes the daemon look at everything, the second one certainly after all changes.
  for (int i = 0; i < 2; ++i) {
    must(host, {"ip", "route", "del", other, "dev", "wgoverlay"});
    rig.require_repair("the route is back", kNoticed, [&] {
      return host.exec({"ip", "route", "show", other, "proto", "97"}).out.find(other) !=
             std::string::npos;
    });
  }
  require_counted(rig, host, "route " + other + "/32");
  // The kernel may have learned another one meanwhile, from what n2 sent by itself: no word of
  // ours.
  REQUIRE((uses_kernel() || peer_of(host, peer).endpoint == "172.31.0.202:51820"));
  REQUIRE(history_of(host, "peer n2").find("~ ") == std::string::npos);
  REQUIRE(host.exec({"cat", "/sys/class/net/wgoverlay/mtu"}).out == "1300\n");
  REQUIRE(host.exec({"ip", "route", "show", "10.250.0.0/24"}).out.find("wgoverlay") !=
          std::string::npos);
  REQUIRE(host.exec({"ip", "route", "show", "10.251.0.0/24"}).out.find("eth0") !=
          std::string::npos);
  REQUIRE(host.has_link("wgother"));
  REQUIRE(host.address_in_hosts("first") == "10.252.0.1");
  REQUIRE(host.address_in_hosts("last") == "10.252.0.2");
  INFO(host.wesher({"state", "dump"}).out);
  REQUIRE(drift_rows(host) == 1);
  REQUIRE(host.wesher({"plan", "--detailed-exitcode"}).exit_code == 0);
}

TEST_CASE("hosts lines that others remove or change come back and their own lines stay") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string peer = host.address_in_hosts("n2");
  const std::string path = host.path("/etc/hosts");
  const auto in_order = [&] { return host.address_in_hosts("n2") == peer; };

  write_file(path, "127.0.0.1 localhost\n10.200.0.1 other\n");
  rig.require_repair("a line lost by a rewrite is back", kNoticed, in_order);
  require_counted(rig, host, "hosts");

  must(host,
       {"sh", "-c", "sed 's/^" + peer + "/10.200.0.9/' /etc/hosts >/etc/h; mv /etc/h /etc/hosts"});
  rig.require_repair("a line changed by a rename is as before", kNoticed, in_order);
  must(host, {"sh", "-c", "grep -v wesher /etc/hosts >/etc/h; mv /etc/h /etc/hosts"});
  rig.require_repair("a line removed by a rename is back", kNoticed, in_order);
  rig.require_soon("each is counted", kNoticed,
                   [&] { return drift_of(host, "hosts")->count >= 3; });
  REQUIRE(host.address_in_hosts("other") == "10.200.0.1");
  REQUIRE(host.address_in_hosts("localhost") == "127.0.0.1");
}

TEST_CASE("something that keeps fighting us is told as such and costs no processor time") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string contested = host.address_in_hosts("n2");
  const std::string peaceful = host.address_in_hosts("n3");
  const std::string object = "route " + contested + "/32";
  Process fighter = host.start("fighter", {"sh", "-c",
                                           "while :; do ip route del " + contested +
                                               " dev wgoverlay 2>/dev/null; sleep 0.02; done"});
  rig.require_repair("the fight is told", 30s, [&] {
    const auto seen = drift_of(host, object);
    return seen && seen->fighting && seen->count > 10;
  });
  const auto at_first = processor_time(host.daemon().pid());
  const long count_at_first = drift_of(host, object)->count;
  // Others are served as ever meanwhile.
  must(host, {"ip", "route", "del", peaceful, "dev", "wgoverlay"});
  rig.require_repair("a route that nobody fights over is back", 2 * kNoticed, [&] {
    return host.exec({"ip", "route", "show", peaceful}).out.find("wgoverlay") != std::string::npos;
  });
  const auto since = std::chrono::steady_clock::now();
  (void)wait_for([&] { return std::chrono::steady_clock::now() - since > 5s; }, 6s);
  const auto used = processor_time(host.daemon().pid()) - at_first;
  INFO("processor time in 5 s: " << used.count() << " ms, repairs "
                                 << drift_of(host, object)->count - count_at_first);
  REQUIRE(used <= 250ms * settings().patience);
  REQUIRE(host.daemon_err().find(object) != std::string::npos);
  fighter.signal(SIGKILL);
  REQUIRE(fighter.wait_for_end(5s));
  rig.require_repair("after the fight the route is back", 60s,
                     [&] { return host.pings(contested); });
}

}  // namespace wesher::netns
