// What is worth a line and not the end: seeds that cannot be reached, addresses that are not there
// yet, missing rights that only some features need.
#include <csignal>
#include <filesystem>
#include <optional>

#include <catch2/catch.hpp>

#include "netns/support/refusal.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

// Up with its own address, in spite of it all.
void require_up(Rig& rig, Host& host) {
  rig.require_soon(host.name() + " is up", 30s, [&] { return host.addresses().size() == 1; });
  REQUIRE(host.daemon().running());
}

}  // namespace

TEST_CASE("a seed whose name does not resolve is a warning and a retry", "[input]") {
  Rig rig(2);
  rig.start(1);
  Host& host = rig.host(2);
  host.start_daemon({"--join", "nowhere.example"}, {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("n2 names the seed", 30s,
                   [&] { return host.daemon_err().find("nowhere.example") != std::string::npos; });
  require_up(rig, host);
  // The name gets an address while the daemon runs, and is asked for again.
  const std::string path = host.path("/etc/hosts");
  write_file(path, read_file(path) + rig.seed() + " nowhere.example\n");
  rig.require_mesh(100s);
}

TEST_CASE("a seed that does not answer is a warning and a retry", "[input]") {
  Rig rig(2);
  Host& host = rig.host(2);
  rig.start(2);
  rig.require_soon("n2 names the seed", 30s,
                   [&] { return host.daemon_err().find(rig.seed()) != std::string::npos; });
  require_up(rig, host);
  rig.start(1);
  rig.require_mesh(100s);
}

TEST_CASE("an address to bind to that this host does not have yet is a warning", "[input]") {
  Rig rig(2);
  rig.start(1);
  Host& host = rig.host(2);
  host.start_daemon({"--bind-addr", "172.31.0.77", "--join", rig.seed()},
                    {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("n2 names the address", 30s,
                   [&] { return host.daemon_err().find("172.31.0.77") != std::string::npos; });
  require_up(rig, host);
  REQUIRE(host.exec({"ip", "address", "add", "172.31.0.77/24", "dev", "eth0"}).exit_code == 0);
  rig.require_mesh(100s);
  // Sessions began before, so that WireGuard may have n2 where its packets come from.
  const auto shown = rig.host(1).wesher({"explain", "n2"});
  INFO(shown.text());
  REQUIRE(shown.text().find("172.31.0.77:51820") != std::string::npos);
}

TEST_CASE("a port that is in use at a later start is retried behind a working data plane") {
  Rig rig(2);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  host.stop_daemon(SIGKILL);
  // Somebody else's program took the port meanwhile.
  std::optional<HeldPort> other(std::in_place, host, Port::tcp, std::uint16_t{7946});
  host.start_daemon({});
  rig.require_soon("n2 names the port", 30s, [&] {
    return host.daemon_err().find("7946") != std::string::npos &&
           host.daemon_err().find("netns_tests") != std::string::npos;
  });
  REQUIRE(host.pings("n1"));
  other.reset();
  rig.require_soon("n2 is back in the mesh", 100s,
                   [&] { return host.member_state("n1") == "alive"; });
  rig.require_mesh();
}

TEST_CASE("CAP_NET_ADMIN alone is enough for a mesh without names") {
  Rig rig(2);
  rig.start(1);
  Host& host = rig.host(2);
  for (const char* folder : {"/run/state", "/run/wireguard"}) {
    std::filesystem::create_directory(host.path(folder));
    REQUIRE(host.exec({"chown", "1000:1000", folder}).exit_code == 0);
    REQUIRE(host.exec({"chmod", "0700", folder}).exit_code == 0);
  }
  // A copy where that user can reach it: the folder of the build may be closed to others.
  const std::string program = "/run/wesher-copy";
  std::filesystem::copy_file(settings().wesher, host.path(program));
  std::filesystem::permissions(host.path(program), std::filesystem::perms{0755});
  // As udev makes it: on machines without udev it is root's alone.
  if (std::filesystem::exists("/dev/net/tun")) {
    REQUIRE(host.exec({"mount", "-t", "tmpfs", "none", "/dev/net"}).exit_code == 0);
    REQUIRE(host.exec({"mknod", "-m", "0666", "/dev/net/tun", "c", "10", "200"}).exit_code == 0);
  }
  const std::string hosts_before = host.hosts_file();
  Process daemon = host.start(
      "unprivileged",
      {"setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--inh-caps",
       "-all,+net_admin", "--ambient-caps", "+net_admin", "--bounding-set", "-all,+net_admin",
       program, "--backend", settings().backend, "--join", rig.seed()},
      {"STATE_DIRECTORY=/run/state", "WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("n1 reaches n2", 60s, [&] {
    if (!daemon.running()) FAIL(read_file(host.path("/run/unprivileged.err")));
    return rig.host(1).pings("n2");
  });
  REQUIRE(host.pings(rig.host(1).addresses().at(0)));
  REQUIRE(host.hosts_file() == hosts_before);
  const std::string log = read_file(host.path("/run/unprivileged.err"));
  INFO(log);
  REQUIRE(log.find("/etc/hosts") != std::string::npos);
}

}  // namespace wesher::netns
