// Daemons that stop, are killed, and start again: what stays, what goes, what is never touched.
#include <csignal>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/ping.h"
#include "netns/support/rig.h"
#include "netns/support/trace.h"

namespace wesher::netns {

namespace {

void create_wireguard_link(Host& host) {
  const std::vector<std::string> create =
      uses_kernel()
          ? std::vector<std::string>{"ip", "link", "add", "wgoverlay", "type", "wireguard"}
          : std::vector<std::string>{"wireguard-go", "wgoverlay"};
  REQUIRE(host.exec(create).exit_code == 0);
}

// The daemon under strace from its first instruction on: its sends, those of programs that it
// starts included, in /run/trace of the host.
void start_traced(Rig& rig, Host& host) {
  std::vector<std::string> command = strace_command("/run/trace");
  command.insert(command.end(), {"-qq", settings().wesher, "--backend", settings().backend,
                                 "--log-level", "info"});
  Process traced = host.start("traced", command);
  rig.require_soon("strace has seen something, or gave up", 30s, [&] {
    return !read_file(host.path("/run/trace")).empty() || !traced.running();
  });
  if (traced.running()) return;
  const std::string why = read_file(host.path("/run/traced.err"));
  if (why.find("PTRACE") != std::string::npos) skip("strace cannot trace here: " + why);
  FAIL("the daemon ended: " + why);
}

}  // namespace

TEST_CASE("a host that was stopped comes back with the same address and WireGuard key") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  const std::vector<std::string> addresses = host.addresses();
  const std::string key = host.device()->public_key;
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  REQUIRE_FALSE(host.has_link());
  REQUIRE(host.address_in_hosts("n1").empty());
  rig.require_exactly({1, 3});
  host.start_daemon({});
  rig.require_mesh();
  REQUIRE(host.addresses() == addresses);
  REQUIRE(host.device()->public_key == key);
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("a cluster that was stopped as a whole finds itself again without --join") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  for (const auto& host : rig.hosts())
    host->daemon().signal(SIGTERM);
  for (const auto& host : rig.hosts()) {
    REQUIRE(host->daemon().wait_for_end(30s));
    REQUIRE(host->daemon().exit_code() == 0);
    REQUIRE_FALSE(host->has_link());
  }
  for (const auto& host : rig.hosts())
    host->start_daemon({});
  rig.require_mesh(100s);
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("killing a daemon and starting it again loses no ping") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Pinger to(rig.host(1), "n2");
  Pinger from(rig.host(2), "n3");
  rig.require_soon("pings are answered", 20s, [&] { return to.sent() >= 20; });
  rig.host(2).stop_daemon(SIGKILL);
  const int at_kill = to.sent();
  rig.require_soon("pings go on without the daemon", 20s,
                   [&] { return to.sent() >= at_kill + 30; });
  rig.host(2).start_daemon({});
  rig.require_soon("n1 sees n2 alive after its restart", 60s, [&] {
    return rig.host(2).member_state("n1") == "alive" && rig.host(1).member_state("n2") == "alive";
  });
  const int at_return = to.sent();
  rig.require_soon("pings go on after the restart", 20s,
                   [&] { return to.sent() >= at_return + 30; });
  INFO(to.end() << from.end());
  REQUIRE(to.lost() == 0);
  REQUIRE(from.lost() == 0);
}

TEST_CASE("a restart with the device in order sends no changing message") {
  need_program("strace");
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  host.stop_daemon(SIGKILL);
  const auto hosts_written = std::filesystem::last_write_time(host.path("/etc/hosts"));
  start_traced(rig, host);
  rig.require_soon("both see each other alive", 90s, [&] {
    return host.member_state("n1") == "alive" && rig.host(1).member_state("n2") == "alive";
  });
  // Two looks at the whole device: the one at the start and the periodic one after 30 s.
  rig.require_soon("plan says that nothing is to do", 30s, [&] {
    const Output plan = host.wesher({"plan"});
    return plan.exit_code == 0 && plan.out.find("nothing to do") != std::string::npos;
  });
  REQUIRE(host.wesher({"plan", "--detailed-exitcode"}).exit_code == 0);
  REQUIRE(rig.host(1).pings("n2"));
  const std::string trace = read_file(host.path("/run/trace"));
  // The trace does see netlink, or the userspace socket, at work.
  REQUIRE(trace.find("RTM_GETLINK") != std::string::npos);
  const Changes changes = changes_sent(trace);
  INFO(changes.text());
  REQUIRE(changes.all().empty());
  REQUIRE(std::filesystem::last_write_time(host.path("/etc/hosts")) == hosts_written);
}

TEST_CASE("a first start does send changing messages that the trace counts") {
  need_program("strace");
  Rig rig(1);
  Host& host = rig.host(1);
  start_traced(rig, host);
  rig.require_soon("the interface has its address", 60s,
                   [&] { return host.addresses().size() == 1; });
  const Changes changes = changes_sent(read_file(host.path("/run/trace")));
  INFO(changes.text());
  REQUIRE_FALSE(changes.wireguard.empty());
  REQUIRE(changes.text().find("RTM_NEWADDR") != std::string::npos);
}

TEST_CASE("an interface that was made before is taken over") {
  Rig rig(2);
  create_wireguard_link(rig.host(1));
  create_wireguard_link(rig.host(2));
  rig.start_all();
  rig.require_mesh();
  rig.require_exactly({1, 2});
}

TEST_CASE("a database deleted while the daemon was down comes back and costs no ping") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  Pinger pinger(rig.host(1), "n2");
  rig.require_soon("pings are answered", 20s, [&] { return pinger.sent() >= 10; });
  host.stop_daemon(SIGKILL);
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(host.path("/var/lib/wesher/wgoverlay.db" + std::string(suffix)));
  const std::string key = host.device()->public_key;
  host.start_daemon({});
  rig.require_soon("n2 knows the others again", 90s, [&] {
    return host.member_state("n1") == "alive" && host.member_state("n3") == "alive" &&
           rig.host(1).member_state("n2") == "alive";
  });
  REQUIRE(host.device()->public_key == key);
  const int at_return = pinger.sent();
  rig.require_soon("pings go on", 20s, [&] { return pinger.sent() >= at_return + 20; });
  INFO(pinger.end());
  REQUIRE(pinger.lost() == 0);
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("a start with --init forgets the cluster and the others stay as they are", "[input]") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(3);
  const std::string old_key = host.device()->public_key;
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  rig.require_exactly({1, 2});
  host.start_daemon({"--init"});
  rig.require_soon("n3 has an interface with a key of its own", 30s, [&] {
    const auto device = host.device();
    return device && device->public_key != old_key && device->public_key != "(none)" &&
           host.addresses().size() == 1;
  });
  REQUIRE(host.wesher({"key", "show"}).out != rig.key() + "\n");
  REQUIRE(rig.host(1).wesher({"key", "show"}).out == rig.key() + "\n");
  REQUIRE(host.device()->peers.empty());
  REQUIRE(host.address_in_hosts("n1").empty());
  REQUIRE(host.member_state("n1").empty());
  rig.require_exactly({1, 2});
}

}  // namespace wesher::netns
