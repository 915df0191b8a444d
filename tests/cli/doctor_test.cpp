// `wesher doctor`: each check in order and not, from facts alone.
#include "cli/doctor.h"

#include <catch2/catch.hpp>

#include "cli/json.h"
#include "tests/cli/support/fixture.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

using Is = FileFact::Is;
using system::BackendChoice;

/// A host on which nothing is wrong and nothing was ever started.
HostFacts fresh_host() {
  HostFacts facts;
  facts.interface = "wgoverlay";
  facts.overlay_net = Prefix{ip("10.0.0.0"), 8};
  facts.root = true;
  facts.net_admin = true;
  facts.kernel = KernelWireGuard::loaded;
  facts.program = "wireguard-go";
  facts.gossip_tcp.port = facts.gossip_udp.port = 7946;
  facts.wireguard.port = 51820;
  facts.keys.path = "/var/lib/wesher/wgoverlay.keys";
  facts.name = "db1";
  facts.overlay = ip("10.212.215.254");
  facts.now = kNow;
  return facts;
}

/// One on which the daemon ran before.
HostFacts known_host() {
  HostFacts facts = fresh_host();
  facts.keys = {Is::good, "/var/lib/wesher/wgoverlay.keys", "cluster 3f9a-c2e1"};
  facts.database = {Is::good, "/var/lib/wesher/wgoverlay.db", ""};
  facts.name_before = "db1";
  facts.overlay_is_kept = true;
  facts.highest_time = kNow - minutes{9};
  return facts;
}

Check check(const HostFacts& facts, const std::string& name) {
  for (Check& each : judge_host(facts)) {
    if (each.name == name) return each;
  }
  return {"no such check", Verdict::fail, name, ""};
}

std::string text(const HostFacts& facts, const std::string& name, Verdict verdict) {
  const Check found = check(facts, name);
  CHECK(found.verdict == verdict);
  return found.text;
}

}  // namespace

TEST_CASE("a fresh host in order has twelve ok lines", "[cli][doctor]") {
  const auto checks = judge_host(fresh_host());
  CHECK_FALSE(any_fails(checks));
  CHECK(doctor_text(checks) ==
        "ok  wireguard        the kernel has it\n"
        "ok  rights           CAP_NET_ADMIN\n"
        "ok  gossip port      TCP 7946, UDP 7946 are free\n"
        "ok  wireguard port   UDP 51820 is free\n"
        "ok  interface        wgoverlay is free\n"
        "ok  state            none for wgoverlay as yet: this is a first start\n"
        "ok  go state         none\n"
        "ok  name             db1\n"
        "ok  overlay address  10.212.215.254, by the name\n"
        "ok  overlay net      10.0.0.0/8 meets no route of this host\n"
        "ok  hosts file       /etc/hosts can be written\n"
        "ok  clock            2026-05-04T03:02:01.000Z\n");
}

TEST_CASE("a host that ran before is told from a fresh one", "[cli][doctor]") {
  const HostFacts facts = known_host();
  for (const Check& each : judge_host(facts))
    CHECK(each.verdict == Verdict::ok);
  CHECK(check(facts, "state").text == "/var/lib/wesher/wgoverlay.keys: cluster 3f9a-c2e1");
  CHECK(check(facts, "overlay address").text == "10.212.215.254, kept from earlier runs");
  CHECK(check(facts, "clock").text == "2026-05-04T03:02:01.000Z, not before any time saved");
}

TEST_CASE("WireGuard comes from the kernel or from a program with a tun device", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.kernel = KernelWireGuard::on_disk;
  CHECK(text(facts, "wireguard", Verdict::ok) ==
        "the kernel has a module, which is loaded when it is needed");
  facts.kernel = KernelWireGuard::not_found;
  CHECK(
      check(facts, "wireguard") ==
      Check{"wireguard", Verdict::fail, "the kernel has none, and there is no program wireguard-go",
            "modprobe wireguard (Linux 5.6 or later has it), or install wireguard-go (Debian: apt "
            "install wireguard-go)"});
  facts.program_path = "/usr/bin/wireguard-go";
  CHECK(text(facts, "wireguard", Verdict::ok) == "/usr/bin/wireguard-go");
  facts.tun_problem = "No such file or directory";
  CHECK(
      text(facts, "wireguard", Verdict::fail) ==
      "/usr/bin/wireguard-go is there, but /dev/net/tun can't be used: No such file or directory");
  CHECK(check(facts, "wireguard").remedy.starts_with("modprobe tun"));
  facts.root = false;
  CHECK(text(facts, "wireguard", Verdict::warn) ==
        "/usr/bin/wireguard-go; /dev/net/tun not checked: No such file or directory");
  facts.root = true;
  facts.backend = BackendChoice::kernel;
  CHECK(text(facts, "wireguard", Verdict::fail) ==
        "the kernel has none, and --backend kernel is given");
  facts.kernel = KernelWireGuard::loaded;
  CHECK(text(facts, "wireguard", Verdict::ok) == "the kernel has it");
  facts.backend = BackendChoice::userspace;
  CHECK(text(facts, "wireguard", Verdict::fail).find("/dev/net/tun") != std::string::npos);
  facts.program_path.clear();
  CHECK(text(facts, "wireguard", Verdict::fail) ==
        "there is no program wireguard-go, and --backend userspace is given");
}

TEST_CASE("rights are those of root or of the capability alone", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.root = false;
  CHECK(text(facts, "rights", Verdict::ok) == "CAP_NET_ADMIN");
  facts.net_admin = false;
  CHECK(check(facts, "rights").verdict == Verdict::warn);
  CHECK(check(facts, "rights").remedy == "sudo wesher doctor");
  facts.root = true;
  CHECK(text(facts, "rights", Verdict::fail) ==
        "root, but without CAP_NET_ADMIN: links can't be made");
}

TEST_CASE("a port that is held is told with its holder", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.gossip_udp = {7946, true, "serf", 812};
  CHECK(check(facts, "gossip port") == Check{"gossip port", Verdict::fail,
                                             "UDP 7946 is held by serf (pid 812)",
                                             "stop it, or give --cluster-port on all hosts"});
  facts.gossip_tcp = {7946, true, "wesher", 900};
  CHECK(text(facts, "gossip port", Verdict::fail).starts_with("UDP"));  // the worst is shown
  facts.gossip_udp = {7946, true, "wesher", 900};
  CHECK(check(facts, "gossip port") ==
        Check{"gossip port", Verdict::warn,
              "TCP 7946 is held by wesher (pid 900), another wesher: the Go program?",
              "stop that one before this one starts (systemctl stop wesher)"});
  facts.daemon_pid = 900;
  CHECK(text(facts, "gossip port", Verdict::ok) == "TCP 7946 is held by our daemon");
  facts.ports_problem = "/proc/net can't be read";
  CHECK(text(facts, "gossip port", Verdict::warn) == "not checked: /proc/net can't be read");
}

TEST_CASE("the WireGuard port may be that of our interface", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.wireguard = {51820, true, "", 0};
  CHECK(check(facts, "wireguard port") ==
        Check{"wireguard port", Verdict::fail,
              "UDP 51820 is held by the kernel or a process that can't be seen",
              "stop it, or give --wireguard-port on all hosts"});
  facts.link = {"wireguard", "", true, true, false};
  CHECK(text(facts, "wireguard port", Verdict::ok) == "UDP 51820 is that of wgoverlay");
  facts.wireguard = {51820, true, "wireguard-go", 77};
  CHECK(text(facts, "wireguard port", Verdict::ok) == "UDP 51820 is that of wgoverlay");
  facts.link = {};
  CHECK(text(facts, "wireguard port", Verdict::fail) ==
        "UDP 51820 is held by wireguard-go (pid 77)");
}

TEST_CASE("the name of a holder cannot drive a terminal", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.gossip_udp = {7946, true, "\x1b[31m", 812};
  CHECK(doctor_text(judge_host(facts)).find('\x1b') == std::string::npos);
}

TEST_CASE("an interface is free or ours or taken over or somebody else's", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.link = {"wireguard", "", true, true, false};
  CHECK(text(facts, "interface", Verdict::ok) == "wgoverlay is ours");
  facts.link.ours = false;
  CHECK(text(facts, "interface", Verdict::warn) ==
        "wgoverlay is there; whose it is could not be seen");
  facts.link.judged = true;
  CHECK(text(facts, "interface", Verdict::ok) == "wgoverlay is there and is taken over");
  facts.link.problem = "wgoverlay is a WireGuard interface with 3 peers that wesher did not make";
  CHECK(text(facts, "interface", Verdict::fail) == facts.link.problem);
  facts.gossip_tcp = {7946, true, "wesher", 900};
  facts.wireguard = {51820, true, "", 0};
  CHECK(text(facts, "interface", Verdict::warn) ==
        "wgoverlay is there, most likely the Go program's");
  facts.links_problem = "netlink: Permission denied";
  CHECK(text(facts, "interface", Verdict::warn) == "not checked: netlink: Permission denied");
}

TEST_CASE("state is good or damaged or not to be seen", "[cli][doctor]") {
  HostFacts facts = known_host();
  facts.database = {Is::bad, "/var/lib/wesher/wgoverlay.db", "made by a newer wesher"};
  CHECK(text(facts, "state", Verdict::fail) == "made by a newer wesher");
  facts.keys = {Is::bad, "/var/lib/wesher/wgoverlay.keys", "it is damaged"};
  CHECK(text(facts, "state", Verdict::fail) == "it is damaged");
  facts.keys = {Is::unseen, "", "closed to this user"};
  facts.database = {};
  CHECK(text(facts, "state", Verdict::warn) == "not checked: closed to this user");
  facts = fresh_host();
  facts.identity_problem = "--join needs the key of that cluster";
  CHECK(text(facts, "state", Verdict::fail) == "--join needs the key of that cluster");
  facts = known_host();
  facts.copied = true;
  CHECK(check(facts, "state").verdict == Verdict::warn);
  CHECK(check(facts, "state").text.find("another machine") != std::string::npos);
}

TEST_CASE("the state of the Go program counts where there is none of ours", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.go_state = {Is::good, "/var/lib/wesher/state.json", "cluster key and 4 nodes, v0.2"};
  CHECK(text(facts, "go state", Verdict::ok) ==
        "/var/lib/wesher/state.json: cluster key and 4 nodes, v0.2");
  facts.go_state = {Is::bad, "/var/lib/wesher/state.json", "state.json is no JSON object"};
  CHECK(text(facts, "go state", Verdict::fail) == "state.json is no JSON object");
  facts.go_state = {Is::unseen, "", "closed"};
  CHECK(text(facts, "go state", Verdict::warn) == "not checked: closed");
  facts = known_host();
  facts.go_state = {Is::good, "/var/lib/wesher/state.json", "cluster key and 4 nodes, v0.2"};
  CHECK(text(facts, "go state", Verdict::ok).ends_with("this host has state of its own"));
  facts.go_state.is = Is::bad;
  CHECK(check(facts, "go state").verdict == Verdict::warn);
}

TEST_CASE("a name is usable and the same as before and nobody else's", "[cli][doctor]") {
  HostFacts facts = known_host();
  facts.names_of_others = {"db2", "web1"};
  CHECK(text(facts, "name", Verdict::ok) == "db1");
  facts.names_of_others = {"db2", "db1"};
  CHECK(text(facts, "name", Verdict::warn) ==
        "db1 is also the name of another member that this host knew");
  facts.name_before = "old1";
  CHECK(check(facts, "name") == Check{"name", Verdict::warn,
                                      "db1 now, it was old1: keys and overlay address are kept",
                                      "if that is not wanted: --node-name old1"});
  facts.name_problem = "this host has no hostname";
  CHECK(text(facts, "name", Verdict::fail) == "this host has no hostname");
}

TEST_CASE("an overlay address meets no address or route of the host", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  const std::string also = ": also an address, a gateway or a resolver of this host";
  facts.occupied = {ip("10.0.0.1"), *facts.overlay};
  CHECK(text(facts, "overlay address", Verdict::warn) ==
        "10.212.215.254, by the name" + also + ", so another one is chosen");
  facts.overlay_is_given = true;
  CHECK(text(facts, "overlay address", Verdict::fail) == "10.212.215.254, --overlay-ip" + also);
  facts.overlay_is_given = false;
  facts.overlay_is_kept = true;
  CHECK(text(facts, "overlay address", Verdict::fail) ==
        "10.212.215.254, kept from earlier runs" + also);
  CHECK(check(facts, "overlay address").remedy == "wesher leave, then start it again");
  facts.allow_overlap = true;
  CHECK(check(facts, "overlay address").verdict == Verdict::warn);
  facts.occupied.clear();
  facts.routes = {{Prefix{ip("10.212.0.0"), 16}, "eth1"}};
  CHECK(text(facts, "overlay address", Verdict::warn) ==
        "10.212.215.254, kept from earlier runs: lies in 10.212.0.0/16, which this host reaches "
        "through eth1");
  facts.overlay.reset();
  CHECK(text(facts, "overlay address", Verdict::warn) == "not checked: it is not known");
}

TEST_CASE("an overlay network meets no route of the host", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.routes = {{Prefix{ip("192.168.0.0"), 16}, "eth0"}};
  CHECK(check(facts, "overlay net").verdict == Verdict::ok);
  facts.routes.push_back({Prefix{ip("10.7.0.0"), 24}, "eth1"});
  CHECK(text(facts, "overlay net", Verdict::warn) ==
        "10.0.0.0/8 overlaps with 10.7.0.0/24 (eth1): members with an address in there hide hosts "
        "of that network");
  facts.overlay_net = Prefix{ip("10.7.0.128"), 25};  // inside the route
  CHECK(check(facts, "overlay net").verdict == Verdict::warn);
  facts.overlay_net = Prefix{ip("10.8.0.0"), 24};
  CHECK(check(facts, "overlay net").verdict == Verdict::ok);
}

TEST_CASE("a hosts file can be written or is not used", "[cli][doctor]") {
  HostFacts facts = fresh_host();
  facts.hosts_problem = "/etc/hosts is on a read-only file system";
  CHECK(text(facts, "hosts file", Verdict::fail) == facts.hosts_problem);
  facts.root = false;
  CHECK(text(facts, "hosts file", Verdict::warn) == "not checked: " + facts.hosts_problem);
  facts.hosts_wanted = false;
  CHECK(text(facts, "hosts file", Verdict::ok) == "not used (--no-etc-hosts)");
}

TEST_CASE("a clock may not stand before the highest time saved", "[cli][doctor]") {
  HostFacts facts = known_host();
  facts.highest_time = kNow + seconds{30};
  CHECK(check(facts, "clock").verdict == Verdict::ok);
  facts.highest_time = kNow + seconds{31};
  CHECK(text(facts, "clock", Verdict::fail) ==
        "2026-05-04T03:02:01.000Z is before 2026-05-04T03:02:32.000Z, when this host ran last");
}

TEST_CASE("what the doctor found as JSON has a schema and all of it", "[cli][doctor][json]") {
  HostFacts facts = fresh_host();
  facts.gossip_udp = {7946, true, "serf", 812};
  const auto checks = judge_host(facts);
  CHECK(any_fails(checks));
  const Json json = Json::parse(doctor_json(checks, "wgoverlay", kNow));
  CHECK(json.at("schema") == "wesher.doctor/1");
  CHECK(json.at("interface") == "wgoverlay");
  CHECK(json.at("ok") == false);
  REQUIRE(json.at("checks").size() == checks.size());
  CHECK(json.at("checks").at(2) ==
        Json({{"check", "gossip port"},
              {"verdict", "fail"},
              {"text", "UDP 7946 is held by serf (pid 812)"},
              {"remedy", "stop it, or give --cluster-port on all hosts"}}));
  CHECK(json.at("checks").at(0).at("remedy").is_null());
  CHECK(Json::parse(doctor_json(judge_host(fresh_host()), "wgoverlay", kNow)).at("ok") == true);
}
