// What a kernel, or somebody at it, can do to a running daemon: the device renamed, its program
// killed, its name taken; notifications lost, dumps disturbed; one object refused; no descriptors.
#include <csignal>
#include <sstream>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "netns/support/inside.h"
#include "netns/support/records.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

void must(const Host& host, const std::vector<std::string>& argv) {
  const Output output = host.exec(argv);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

}  // namespace

TEST_CASE("a device that is killed or renamed or whose name is taken comes back") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  if (!uses_kernel()) {
    const pid_t program = userspace_program(host.network_namespace());
    REQUIRE(program > 0);
    REQUIRE(::kill(program, SIGKILL) == 0);
    rig.require_repair("after its program was killed packets flow", 20s, [&] {
      const pid_t now = userspace_program(host.network_namespace());
      return now > 0 && now != program && host.pings("n2");
    });
  }
  rig.require_soon("nothing is left to do", 20s, [&] {
    return host.wesher({"plan", "--detailed-exitcode"}).exit_code == 0;
  });
  // It holds our port under whatever name, so no new one can be made beside it.
  const Output renamed = host.exec({"ip", "-batch", "-"},
                                   "link set wgoverlay down\nlink set wgoverlay name wgmoved\n");
  INFO(renamed.text());
  REQUIRE(renamed.exit_code == 0);
  rig.require_repair("after it was renamed it has its name again and packets flow", 20s, [&] {
    return !host.has_link("wgmoved") && host.has_link("wgoverlay") && host.pings("n2");
  });

  // Whoever is first gets the name; here it is always the other one.
  rig.require_soon("a bridge has the name", 20s, [&] {
    (void)host.exec({"ip", "link", "del", "wgoverlay"});
    return host.exec({"ip", "link", "add", "wgoverlay", "type", "bridge"}).exit_code == 0;
  });
  rig.require_soon("status names the thief", 60s,
                   [&] { return host.wesher({"status"}).out.find("bridge") != std::string::npos; });
  REQUIRE(host.daemon().running());
  rig.require_soon("the log names it", 60s, [&] {
    return host.daemon_err().find("wgoverlay is a link of kind bridge") != std::string::npos;
  });
  must(host, {"ip", "link", "del", "wgoverlay"});
  rig.require_repair("when the name is free packets flow", 60s, [&] { return host.pings("n2"); });
  rig.require_exactly({1, 2});
}

TEST_CASE("notifications that are lost in a storm cost no repair") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(1);
  const std::string peer = host.address_in_hosts("n2");
  // More than the buffer of a socket holds, while nobody reads; the last thing is what concerns us.
  std::string storm;
  for (int i = 0; i < 3000; ++i) {
    const std::string route = "10." + std::to_string(100 + i / 10000) + "." +
                              std::to_string(i / 100 % 100) + "." + std::to_string(i % 100);
    storm += "route add " + route + "/32 dev eth0\n";
  }
  storm += "route del " + peer + " dev wgoverlay\n";
  host.daemon().signal(SIGSTOP);
  const Output made = host.exec({"ip", "-batch", "-"}, storm);
  host.daemon().signal(SIGCONT);
  INFO(made.text());
  REQUIRE(made.exit_code == 0);
  rig.require_repair("the route is back after 3000 notices", 5s, [&] { return host.pings("n2"); });
}

TEST_CASE("dumps that are disturbed all the time remove nothing and adds go on") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Host& host = rig.host(1);
  const std::string peer = host.address_in_hosts("n2");
  // Every change of a route or a peer in the middle of a dump interrupts it.
  Process routes = host.start(
      "routes",
      {"sh", "-c",
       "while :; do for i in 1 2 3 4 5 6 7 8 9; do echo route add 10.66.0.$i dev eth0; done; "
       "for i in 1 2 3 4 5 6 7 8 9; do echo route del 10.66.0.$i dev eth0; done; done | "
       "ip -batch -"});
  const std::string stray = random_key();
  Process peers = host.start(
      "peers", {"sh", "-c",
                "while :; do wg set wgoverlay peer " + stray +
                    " allowed-ips 10.9.9.9/32; wg set wgoverlay peer " + stray + " remove; done"});
  rig.start(3);
  bool kept = true;
  rig.require_repair("the new member is reached in the midst of it", 30s, [&] {
    kept =
        kept && host.exec({"ip", "route", "show", peer}).out.find("wgoverlay") != std::string::npos;
    return host.pings("n3");
  });
  REQUIRE(kept);
  routes.signal(SIGKILL);
  peers.signal(SIGKILL);
  REQUIRE(peers.wait_for_end(5s));
  rig.require_exactly({1, 2, 3}, 60s);
}

TEST_CASE("one object of a batch that is refused costs one object and is made when it can be") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Host& host = rig.host(1);
  // Somebody else has a route to the address of n3, which is known beforehand: it is that of its
  // name.
  rig.start(3);
  rig.require_mesh();
  const std::string contested = host.address_in_hosts("n3");
  must(host, {"ip", "route", "replace", contested + "/32", "dev", "eth0", "proto", "static"});
  rig.require_soon("the daemon names the route", 60s, [&] {
    return host.daemon_err().find("another route to it exists") != std::string::npos;
  });
  REQUIRE(host.pings("n2"));
  REQUIRE(host.device()->peers.size() == 2);
  REQUIRE(host.exec({"ip", "route", "show", contested}).out.find("eth0") != std::string::npos);
  REQUIRE(ask_database(host, "SELECT object FROM applied_failure") == "route " + contested + "/32");
  must(host, {"ip", "route", "del", contested + "/32", "dev", "eth0"});
  rig.require_repair("the route is there when the other one is gone", 60s,
                     [&] { return host.pings("n3"); });
  rig.require_soon("the failure is forgotten", 5s, [&] {
    return ask_database(host, "SELECT count(*) FROM applied_failure") == "0";
  });
}

TEST_CASE("a daemon without descriptors goes on and takes no processor time", "[input]") {
  Rig rig(3);
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  Host& host = rig.host(1);
  const pid_t pid = host.daemon().pid();
  rlimit before{};
  REQUIRE(::prlimit(pid, RLIMIT_NOFILE, nullptr, &before) == 0);
  const rlimit none{3, before.rlim_max};
  REQUIRE(::prlimit(pid, RLIMIT_NOFILE, &none, nullptr) == 0);
  const auto ticks = [&] {
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::string skipped;
    for (int i = 3; i < 14; ++i)
      fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return user + system;
  };
  const long at_first = ticks();
  rig.start(3);
  rig.require_soon("n3 is up and asks n1 in vain", 30s,
                   [&] { return rig.host(3).addresses().size() == 1; });
  const auto since = std::chrono::steady_clock::now();
  (void)wait_for([&] { return std::chrono::steady_clock::now() - since > 3s; }, 4s);
  REQUIRE(host.daemon().running());
  // A tenth of the time at most: a loop that tries again at once would take all of it.
  REQUIRE(ticks() - at_first <= ::sysconf(_SC_CLK_TCK) * 3 / 10 * settings().patience);
  REQUIRE(host.pings("n2"));
  REQUIRE(::prlimit(pid, RLIMIT_NOFILE, &before, nullptr) == 0);
  rig.require_mesh(100s);
}

}  // namespace wesher::netns
