// What a host can have wrong with it at a start: each is refused with one line that names thing and
// remedy, with its exit code, and with nothing changed. Inputs that need no host are in tests/cli.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include "netns/support/refusal.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

// As in daemon/agent.h: the exit codes are part of the command line.
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNoWireguard = 69;
constexpr int kBusy = 75;
constexpr int kNotPermitted = 77;
constexpr int kStateUnusable = 78;

// Through the kernel: hostname(1) takes valid names only.
void set_hostname(Host& host, const std::string& name) {
  REQUIRE(host.exec({"sysctl", "-q", "-w", "kernel.hostname=" + name}).exit_code == 0);
  REQUIRE(host.exec({"hostname"}).out == name + "\n");
}

}  // namespace

TEST_CASE("a user without rights is told to be root", "[input]") {
  Rig rig(1);
  require_refused(rig.host(1), {},
                  {.prefix = {"setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
                              "--inh-caps=-all", "--bounding-set=-all"},
                   .exit_code = kNotPermitted,
                   .mentions = {"sudo"}});
}

TEST_CASE("root without CAP_NET_ADMIN is told which capability is missing") {
  Rig rig(1);
  require_refused(rig.host(1), {},
                  {.prefix = {"setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin"},
                   .exit_code = kNotPermitted,
                   .mentions = {"CAP_NET_ADMIN"}});
}

TEST_CASE("without any WireGuard both ways to get one are named") {
  Rig rig(1);
  Refusal refusal{.exit_code = kNoWireguard, .mentions = {"wireguard-go"}};
  refusal.variables = {"PATH=/nowhere"};
  refusal.backend = "userspace";
  require_refused(rig.host(1), {}, refusal);
  if (kernel_has_wireguard()) return;
  refusal.backend = "auto";
  refusal.mentions = {"wireguard-go", "modprobe wireguard"};
  require_refused(rig.host(1), {}, refusal);
  refusal.variables.clear();
  refusal.backend = "kernel";
  refusal.mentions = {"modprobe wireguard"};
  require_refused(rig.host(1), {}, refusal);
}

TEST_CASE("an interface name that a link of another kind has is refused") {
  Rig rig(1);
  REQUIRE(rig.host(1).exec({"ip", "link", "add", "wgoverlay", "type", "bridge"}).exit_code == 0);
  require_refused(rig.host(1), {},
                  {.exit_code = kFailed, .mentions = {"wgoverlay", "bridge", "--interface"}});
}

TEST_CASE("a WireGuard interface with peers of somebody else is refused and keeps its peers") {
  Rig rig(1);
  Host& host = rig.host(1);
  const std::vector<std::string> create =
      uses_kernel()
          ? std::vector<std::string>{"ip", "link", "add", "wgoverlay", "type", "wireguard"}
          : std::vector<std::string>{"wireguard-go", "wgoverlay"};
  REQUIRE(host.exec(create).exit_code == 0);
  write_file(host.path("/run/private"), random_key() + "\n");
  REQUIRE(
      host.exec({"wg", "set", "wgoverlay", "private-key", "/run/private", "listen-port", "4000",
                 "peer", random_key(), "allowed-ips", "10.7.0.1/32", "peer", random_key(),
                 "allowed-ips", "10.7.0.2/32", "peer", random_key(), "allowed-ips", "10.7.0.3/32"})
          .exit_code == 0);
  const auto device = [&] {  // wireguard-go lists peers in no order
    std::istringstream text(host.exec({"wg", "show", "wgoverlay", "dump"}).out);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
      lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  const auto before = device();
  REQUIRE(host.device()->peers.size() == 3);
  require_refused(host, {},
                  {.exit_code = kFailed, .mentions = {"wgoverlay", "3 peers", "--interface"}});
  REQUIRE(device() == before);
}

TEST_CASE("a gossip port that is in use at a first start is named with its holder", "[input]") {
  Rig rig(1);
  for (const Port kind : {Port::tcp, Port::udp}) {
    const HeldPort held(rig.host(1), kind, 7946);
    require_refused(rig.host(1), {},
                    {.exit_code = kBusy, .mentions = {"7946", "netns_tests", "--cluster-port"}});
  }
}

TEST_CASE("a WireGuard port that is in use at a first start is named with its holder") {
  Rig rig(1);
  const HeldPort held(rig.host(1), Port::udp, 51820);
  require_refused(rig.host(1), {},
                  {.exit_code = kBusy, .mentions = {"51820", "netns_tests", "--wireguard-port"}});
}

TEST_CASE("a second daemon on an interface is told who has it and the first goes on", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({});
  rig.require_soon("the first is up", 30s, [&] { return host.addresses().size() == 1; });
  const std::string key = host.device()->public_key;
  Refusal refusal{.exit_code = kBusy,
                  .mentions = {"wgoverlay", std::to_string(host.daemon().pid())}};
  refusal.compare_state = false;  // the first one's, and it lives
  require_refused(host, {}, refusal);
  REQUIRE(host.daemon().running());
  REQUIRE(host.device()->public_key == key);
}

TEST_CASE("state that cannot be written is refused before anything is made", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  REQUIRE(host.exec({"mount", "-o", "remount,bind,ro", "/var/lib"}).exit_code == 0);
  require_refused(host, {}, {.exit_code = kStateUnusable, .mentions = {"/var/lib/wesher"}});
}

TEST_CASE("a damaged key file is refused and nothing new is invented", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("the daemon is up", 30s, [&] { return host.addresses().size() == 1; });
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  const std::string path = host.path("/var/lib/wesher/wgoverlay.keys");
  const std::string good = read_file(path);
  REQUIRE(good.size() > 100);
  std::string flipped = good;
  flipped[good.size() / 2] = flipped[good.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {flipped, good.substr(0, good.size() / 2), std::string()}) {
    write_file(path, bad);
    require_refused(host, {}, {.exit_code = kStateUnusable, .mentions = {"wgoverlay.keys"}});
  }
}

TEST_CASE("state without its key file is refused and the way on is named", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("the daemon is up", 30s, [&] { return host.addresses().size() == 1; });
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  std::filesystem::remove(host.path("/var/lib/wesher/wgoverlay.keys"));
  require_refused(host, {},
                  {.exit_code = kStateUnusable, .mentions = {"wgoverlay.keys", "--init"}});
}

TEST_CASE("a key file that everybody can read is refused", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("the daemon is up", 30s, [&] { return host.addresses().size() == 1; });
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  const std::string path = host.path("/var/lib/wesher/wgoverlay.keys");
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  require_refused(host, {}, {.exit_code = kStateUnusable, .mentions = {"wgoverlay.keys", "chmod"}});
}

TEST_CASE("a database from a newer version is refused naming both versions", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  host.start_daemon({"--on-stop", "keep"});
  rig.require_soon("the daemon is up", 30s, [&] { return host.addresses().size() == 1; });
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  {
    SQLite::Database database(host.path("/var/lib/wesher/wgoverlay.db"), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 4711");
    database.exec("PRAGMA journal_mode = DELETE");
  }
  require_refused(host, {}, {.exit_code = kStateUnusable, .mentions = {"wgoverlay.db", "4711"}});
}

TEST_CASE("a hostname that is no name for a member is refused", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  for (const char* bad : {"localhost", "under_score", "-dash", "two..dots"}) {
    set_hostname(host, bad);
    require_refused(host, {}, {.exit_code = kUsage, .mentions = {bad, "--node-name"}});
  }
  // An empty one, as in a fresh UTS namespace of some containers.
  set_hostname(host, "");
  require_refused(host, {}, {.exit_code = kUsage, .mentions = {"hostname", "--node-name"}});
}

TEST_CASE("joining without any key is refused instead of founding a cluster", "[input]") {
  Rig rig(1);
  require_refused(rig.host(1), {"--join", "172.31.0.9"},
                  {.exit_code = kUsage, .mentions = {"--join", "--cluster-key"}});
}

TEST_CASE("an interface to bind to that does not exist is refused", "[input]") {
  Rig rig(1);
  require_refused(rig.host(1), {"--bind-iface", "eth7"},
                  {.exit_code = kUsage, .mentions = {"--bind-iface", "eth7"}});
}

TEST_CASE("a key file that is not there or holds no key is refused without showing it", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  require_refused(host, {"--cluster-key-file", "/etc/no.key"},
                  {.exit_code = kUsage, .mentions = {"/etc/no.key"}});
  write_file(host.path("/etc/bad.key"), "c2hvcnQ=\n");
  Refusal refusal{.exit_code = kUsage, .mentions = {"/etc/bad.key", "must be 32"}};
  refusal.never_mentions = {"c2hvcnQ"};
  require_refused(host, {"--cluster-key-file", "/etc/bad.key"}, refusal);
}

}  // namespace wesher::netns
