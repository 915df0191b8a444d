// Ends and beginnings: what --on-stop keep keeps, boots without a network, and requests of
// operators that must not be run.
#include <csignal>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/inside.h"
#include "netns/support/ping.h"
#include "netns/support/records.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

void must(const Host& host, const std::vector<std::string>& argv) {
  const Output output = host.exec(argv);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

// Peers, key and index of the device: another one has another index.
std::string device_text(const Host& host) {
  const auto device = host.device();
  std::string text = host.exec({"cat", "/sys/class/net/wgoverlay/ifindex"}).out;
  if (!device) return text;
  text += device->public_key;
  for (const DevicePeer& peer : device->peers)
    text += " " + peer.public_key;
  return text;
}

}  // namespace

TEST_CASE("with --on-stop keep every kind of end leaves the data plane as it is") {
  Rig rig(2);
  rig.start_all({"--on-stop", "keep"});
  rig.require_mesh();
  Host& host = rig.host(2);
  const std::string hosts = host.hosts_file();
  const std::string device = device_text(host);
  const auto routes = host.routes();
  const pid_t program = userspace_program(host.network_namespace());
  REQUIRE((program > 0) == !uses_kernel());
  Pinger pinger(rig.host(1), "n2");
  rig.require_soon("pings are answered", 20s, [&] { return pinger.sent() >= 5; });
  const auto require_kept = [&](const char* after) {
    INFO(after);
    REQUIRE(device_text(host) == device);
    REQUIRE(host.routes() == routes);
    REQUIRE(host.hosts_file() == hosts);
    REQUIRE(userspace_program(host.network_namespace()) == program);
    const int before = pinger.sent();
    rig.require_soon("pings go on", 20s, [&] { return pinger.sent() >= before + 5; });
  };
  host.daemon().signal(SIGHUP);
  rig.require_soon("the daemon has read its signal", 20s,
                   [&] { return host.daemon_err().find("SIGHUP") != std::string::npos; });
  require_kept("a reload");
  // An orderly stop, a crash, the end by the kernel when memory is short.
  for (const int end : {SIGTERM, SIGINT, SIGABRT, SIGKILL}) {
    const bool orderly = end == SIGTERM || end == SIGINT;
    REQUIRE(host.stop_daemon(end) == (orderly ? 0 : 128 + end));
    require_kept("the end");
    host.start_daemon({"--on-stop", "keep"});
    rig.require_soon("it is up again", 30s, [&] {
      return ask_database(host, "SELECT stopped_ms IS NULL AND pid = " +
                                    std::to_string(host.daemon().pid()) + " FROM self") == "1";
    });
    require_kept("the next start");
  }
  REQUIRE(rig.host(1).device()->peers.size() == 1);
  INFO(pinger.end());
  REQUIRE(pinger.lost() == 0);
}

TEST_CASE("a host that boots alone has interface and peers and routes and names at once") {
  Rig rig(3);
  rig.start_all({"--on-stop", "keep"});
  rig.require_mesh();
  Host& host = rig.host(2);
  const auto addresses = host.addresses();
  const std::string key = host.device()->public_key;
  const std::string names = host.hosts_file();
  host.stop_daemon(SIGKILL);
  // As after a power cut: no link, no routes, and no cable, so that not one packet could be sent.
  must(host, {"ip", "link", "del", "wgoverlay"});
  must(host, {"sh", "-c", "grep -v wesher /etc/hosts >/etc/h; mv /etc/h /etc/hosts"});
  must(host, {"ip", "link", "set", "eth0", "down"});
  host.start_daemon({"--on-stop", "keep"});
  rig.require_repair("all of the last desired state is there", 10s, [&] {
    const auto device = host.device();
    return host.addresses() == addresses && device && device->public_key == key &&
           device->peers.size() == 2 && host.routes().size() == 2 && host.hosts_file() == names;
  });
  REQUIRE(host.daemon().running());
  must(host, {"ip", "link", "set", "eth0", "up"});
  must(host, {"ip", "route", "replace", "default", "dev", "eth0"});
  rig.require_mesh(100s);
  REQUIRE(drift_rows(host) == 0);
}

TEST_CASE("requests that expired or are garbage are never run and two at once are both answered",
          "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({});
  rig.require_soon("the daemon is up", 30s, [&] { return host.addresses().size() == 1; });
  const std::string now = "CAST(strftime('%s') * 1000 AS INTEGER)";
  const auto row = [&](const std::string& kind, const std::string& arguments,
                       const std::string& created, const std::string& expires) {
    return "INSERT INTO request (kind, arguments, uid, created_ms, expires_ms, state, result) "
           "VALUES (" +
           kind + ", " + arguments + ", 0, " + created + ", " + expires + ", 'waiting', '');";
  };
  write_database(host,
                 "PRAGMA ignore_check_constraints = ON;" +
                     row("'leave'", "'{}'", now + " - 120000", now + " - 60000") +
                     row("'leave'", "'{}'", now + " + 3600000", now + " + 3660000") +
                     row("'leave'", "'{}'", now, now + " + 86400000") +
                     row("'leave'", "'not json'", now, now + " + 60000") +
                     row("'LEAVE; rm -rf'", "'{}'", now, now + " + 60000") +
                     row("CAST(x'00ff6c65617665' AS TEXT)", "'{}'", now, now + " + 60000") +
                     row("'leave'", "'" + std::string(100000, '[') + "'", now, now + " + 60000") +
                     row("'reboot'", "'{}'", now, now + " + 60000"));
  rig.require_soon("none of them waits any longer", 20s, [&] {
    return ask_database(
               host, "SELECT count(*) FROM request WHERE state IN ('waiting', 'running')") == "0";
  });
  REQUIRE(ask_database(host, "SELECT count(*) FROM request WHERE state = 'done'") == "0");
  REQUIRE(host.daemon().running());
  REQUIRE(host.addresses().size() == 1);
  REQUIRE(history_of(host, "daemon").find("stopped") == std::string::npos);

  Process one = host.start("one", {settings().wesher, "leave"});
  Process two = host.start("two", {settings().wesher, "leave"});
  REQUIRE(one.wait_for_end(30s));
  REQUIRE(two.wait_for_end(30s));
  INFO(read_file(host.path("/run/one.err")) << read_file(host.path("/run/two.err")));
  // One of them is the request that is run; the other is told so, or finds nothing left to do.
  REQUIRE((one.exit_code() == 0 || two.exit_code() == 0));
  for (const char* answer : {"/run/one", "/run/two"})
    REQUIRE_FALSE((read_file(host.path(std::string(answer) + ".out")) +
                   read_file(host.path(std::string(answer) + ".err")))
                      .empty());
  REQUIRE(host.daemon().wait_for_end(20s));
  REQUIRE(host.daemon().exit_code() == 0);
  REQUIRE_FALSE(host.has_link());
}

}  // namespace wesher::netns
