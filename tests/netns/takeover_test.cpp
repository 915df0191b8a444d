// A host on which the Go program ran: its state, its hosts lines and the device that a kill left
// behind are taken over, and nobody notices.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "interop/support/scripted_peer.h"
#include "netns/support/flow.h"
#include "netns/support/ping.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace fs = std::filesystem;

namespace {

constexpr const char* kHeadState = "/var/lib/wesher/wgoverlay.json";
constexpr const char* kOldState = "/var/lib/wesher/state.json";
constexpr const char* kOldBanner = "# ! MANAGED AUTOMATICALLY !";
constexpr const char* kBanner = "# ! managed automatically by wesher interface wgoverlay";

nlohmann::json vectors_of(const std::string& file) {
  std::ifstream in(std::string(TEST_VECTORS) + "/" + file);
  return nlohmann::json::parse(in).at("vectors");
}

void must(const Host& host, const std::vector<std::string>& argv, const std::string& input = "") {
  const Output output = host.exec(argv, input);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

void leave_state(const Host& host, const std::string& path, const std::string& text) {
  fs::remove_all(host.path("/var/lib/wesher"));
  fs::create_directories(host.path("/var/lib/wesher"));
  fs::permissions(host.path("/var/lib/wesher"), fs::perms(0700));
  write_file(host.path(path), text);
  fs::permissions(host.path(path), fs::perms(0600));
}

std::string go_state(const std::string& key, const std::vector<std::string>& nodes) {
  nlohmann::ordered_json state{{"ClusterKey", key}, {"Nodes", nlohmann::ordered_json::array()}};
  for (const std::string& node : nodes)
    state["Nodes"].push_back({{"Name", "x"}, {"Addr", node}});
  return state.dump(2);
}

void be_at(const Host& host, const std::string& address) {
  must(host, {"ip", "address", "add", address + "/24", "dev", "eth0"});
}

void give_key(const Host& host, const std::string& key) {
  write_file(host.path("/run/cluster.key"), key);
}

std::string first_overlay(Rig& rig, Host& host) {
  rig.require_soon(host.name() + " has an overlay address and a key", 30s, [&] {
    const auto device = host.device();
    return device && device->public_key != "(none)" && host.addresses().size() == 1;
  });
  return host.addresses().front();
}

/// What a killed Go daemon leaves of its device on n2: its address, a peer and a route for n1, and
/// for a member that is gone. Gives back the public key.
std::string make_go_device(Rig& rig, Host& host, const std::string& net) {
  Host& other = rig.host(1);
  const std::string overlay = first_overlay(rig, other);
  must(host, uses_kernel()
                 ? std::vector<std::string>{"ip", "link", "add", "wgoverlay", "type", "wireguard"}
                 : std::vector<std::string>{"wireguard-go", "wgoverlay"});
  const std::string key_file = host.path("/run/go.key");
  write_file(key_file, host.exec({"wg", "genkey"}).out);
  const std::string gone = host.exec({"wg", "pubkey"}, random_key() + "\n").out;
  must(host, {"wg", "set", "wgoverlay", "listen-port", "51820", "private-key", "/run/go.key",
              "peer", other.device()->public_key, "endpoint", other.underlay_address() + ":51820",
              "allowed-ips", overlay + "/32", "peer", gone.substr(0, gone.find('\n')), "endpoint",
              "172.31.0.99:51820", "allowed-ips", "10.9.9.9/32"});
  must(host, {"ip", "address", "replace", "10.169.131.209/" + net, "dev", "wgoverlay"});
  must(host, {"ip", "link", "set", "wgoverlay", "mtu", "1420", "up"});
  for (const std::string& to : {overlay, std::string("10.9.9.9")})
    must(host, {"ip", "route", "add", to + "/32", "dev", "wgoverlay", "scope", "link"});
  write_file(host.path("/etc/hosts"), host.hosts_file() + overlay + "\tn1\t" + kOldBanner +
                                          "\n10.9.9.9\tgone\t" + kOldBanner + "\n");
  return host.device()->public_key;
}

bool all_proto_97(const Host& host) {
  const auto routes = host.routes();
  return std::all_of(routes.begin(), routes.end(), [](const std::string& route) {
    return route.find("proto 97") != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a host starts from each state file of the Go program", "[input]") {
  Rig rig(2);
  Host& host = rig.host(1);
  Host& other = rig.host(2);
  be_at(host, "192.168.77.1");
  be_at(other, "192.168.77.2");
  for (const auto& vector : vectors_of("state.json")) {
    INFO(vector.at("name").get<std::string>());
    const std::string text = vector.at("expected_text");
    const auto content = nlohmann::json::parse(text);
    const std::string key = content.at("ClusterKey");
    const bool head = text.find("\"Meta\"") != std::string::npos;
    leave_state(host, head ? kHeadState : kOldState, text);
    give_key(other, key);
    if (!other.has_daemon()) {
      other.start_daemon({"--cluster-key-file", "/run/cluster.key", "--bind-addr", "192.168.77.2"});
      (void)first_overlay(rig, other);
    }
    const bool knows = content.at("Nodes").is_array();
    host.start_daemon({});
    if (!knows) {  // nobody is known: the other one comes
      (void)first_overlay(rig, host);
      REQUIRE(other.stop_daemon(SIGTERM) == 0);
      other.start_daemon({"--join", "192.168.77.1", "--bind-addr", "192.168.77.2"});
    }
    rig.require_mesh({1, 2});
    REQUIRE(host.wesher({"key", "show"}).out == key + "\n");
    REQUIRE(host.addresses() == std::vector<std::string>{"10.169.128.32"});
    REQUIRE(read_file(host.path(head ? kHeadState : kOldState)) == text);
    const std::string log = host.daemon_err();
    REQUIRE(log.find("taken over from the Go program: the cluster key and " +
                     std::string(knows ? "2 nodes" : "0 nodes")) != std::string::npos);
    REQUIRE(log.find("new cluster") == std::string::npos);
    REQUIRE(host.stop_daemon(SIGTERM) == 0);
    rig.require_soon("n2 has no peer", 30s, [&] { return other.device()->peers.empty(); });
  }
}

TEST_CASE("what is asked of the Go program's nodes is asked again after a crash", "[input]") {
  Rig rig(2);
  Host& host = rig.host(1);
  leave_state(host, kHeadState, go_state(rig.key(), {"172.31.0.2", "172.31.0.77"}));
  host.start_daemon({});
  (void)first_overlay(rig, host);
  host.stop_daemon(SIGKILL);  // nobody was there
  give_key(rig.host(2), rig.key());
  rig.host(2).start_daemon({"--cluster-key-file", "/run/cluster.key"});
  (void)first_overlay(rig, rig.host(2));
  host.start_daemon({});
  rig.require_mesh({1, 2});
}

TEST_CASE("a damaged state file of the Go program makes no new cluster", "[input]") {
  Rig rig(1);
  Host& host = rig.host(1);
  leave_state(host, kHeadState, "{\"ClusterKey\": \"ILIC");
  const std::string before = host.fingerprint();
  host.start_daemon({});
  REQUIRE(host.daemon().wait_for_end(30s));
  REQUIRE(host.daemon().exit_code() == 78);
  const std::string said = host.daemon_err();
  INFO(said);
  REQUIRE(said.find(kHeadState) != std::string::npos);
  REQUIRE(said.find("--cluster-key-file FILE") != std::string::npos);
  REQUIRE(said.find("wesher --init") != std::string::npos);
  REQUIRE(said.find("ILIC") == std::string::npos);
  REQUIRE(host.fingerprint() == before);
  give_key(host, rig.key());
  host.start_daemon({"--cluster-key-file", "/run/cluster.key"});
  (void)first_overlay(rig, host);
  REQUIRE(host.wesher({"key", "show"}).out == rig.key() + "\n");
  REQUIRE(read_file(host.path(kHeadState)) == "{\"ClusterKey\": \"ILIC");
}

TEST_CASE("hosts files of the Go program are taken over and lose their stale lines",
          "[input][long]") {
  Rig rig(2);
  Host& host = rig.host(1);
  give_key(rig.host(2), rig.key());
  rig.host(2).start_daemon({"--cluster-key-file", "/run/cluster.key"});
  const std::string overlay = first_overlay(rig, rig.host(2));
  std::set<std::string> seen;
  for (const char* file : {"hosts-v0.2.6.json", "hosts-head.json"}) {
    for (const auto& vector : vectors_of(file)) {
      const std::string before = vector.at("before");
      INFO(file << ": " << vector.at("name").get<std::string>());
      if (!seen.insert(before).second) continue;
      leave_state(host, kOldState, go_state(rig.key(), {rig.seed(2)}));
      write_file(host.path("/etc/hosts"), before);
      host.start_daemon({"--test-adopt-seconds", "0"});
      const std::string line = overlay + "\tn2\t" + kBanner;
      rig.require_soon("the hosts file names n2 alone", 60s, [&] {
        std::istringstream in(host.hosts_file());
        std::size_t managed = 0;
        bool named = false;
        for (std::string text; std::getline(in, text);) {
          const bool ours = text.ends_with(kBanner) || text.ends_with(kOldBanner);
          if (ours && text.front() != '#') ++managed;
          named = named || text == line;
        }
        return named && managed == 1;
      });
      REQUIRE(host.stop_daemon(SIGTERM) == 0);
      std::string foreign;
      std::istringstream in(before);
      for (std::string text; std::getline(in, text);) {
        const std::string end = text.substr(0, text.find_last_not_of(" \t\r") + 1);
        const bool ours = end.ends_with(kBanner) || end.ends_with(kOldBanner);
        if (!ours || text.front() == '#') foreign += text + "\n";
      }
      REQUIRE(host.hosts_file() == foreign);
    }
  }
  REQUIRE(seen.size() == 20);
}

TEST_CASE("the device of a killed Go daemon is taken over without a lost packet") {
  Rig rig(2);
  Host& host = rig.host(2);
  rig.start(1);
  const std::string key = make_go_device(rig, host, "32");
  const std::string secret = host.exec({"wg", "show", "wgoverlay", "private-key"}).out;
  const std::string own = rig.host(1).addresses().front();
  // Before the member: what is forked has its sockets too.
  const Flows flows({{{rig.host(1).network_namespace(), own},
                      {host.network_namespace(), "10.169.131.209"},
                      FlowKind::both_ways,
                      100}});
  auto member = std::make_unique<interop::ScriptedPeer>(
      host, rig.key(), interop::Release::v0_1_4,
      interop::ScriptedPeer::Likeness{"n2", "10.169.131.209", key});
  (void)member->join(rig.host(1));
  rig.require_soon("n1 has the Go node as a peer", 30s,
                   [&] { return rig.host(1).device()->peers.size() == 1; });
  rig.require_soon("the two reach each other", 30s, [&] { return host.pings(own); });
  rig.require_soon("the flow does", 10s, [&] {
    const FlowMark from = flows.mark();
    return wait_for([&] { return flows.mark().front() > from.front() + 20; }, 2s) &&
           flows.wait_for_arrival(from, flows.mark(), 2s);
  });
  const FlowMark begin = flows.mark();
  member.reset();  // SIGKILL: not a word
  leave_state(host, kOldState, go_state(rig.key(), {rig.seed(1), "172.31.0.99"}));

  host.start_daemon({"--test-adopt-seconds", "3"});
  rig.require_soon("both are alive to each other", 60s, [&] {
    return host.member_state("n1") == "alive" && rig.host(1).member_state("n2") == "alive" &&
           rig.host(1).wesher({"members", "--json"}).out.find("identity") != std::string::npos;
  });
  REQUIRE(host.daemon_err().find("its WireGuard interface with key, 2 peers and 2 routes") !=
          std::string::npos);
  rig.require_soon("what is not confirmed is gone", 60s, [&] {
    return host.device()->peers.size() == 1 && host.routes().size() == 1 && all_proto_97(host) &&
           host.address_in_hosts("gone").empty();
  });
  REQUIRE(host.device()->public_key == key);
  REQUIRE(host.exec({"wg", "show", "wgoverlay", "private-key"}).out == secret);
  REQUIRE(host.addresses() == std::vector<std::string>{"10.169.131.209"});
  rig.require_mesh({1, 2});
  rig.require_exactly({1, 2});
  const FlowMark end = flows.mark();
  REQUIRE(flows.wait_for_arrival(begin, end, 10s));
  const FlowCount count = flows.count(0, begin, end);
  INFO(count.sent << " sent, lost at " << count.where);
  REQUIRE(count.sent > 500);
  REQUIRE(count.lost == 0);
  // It is ours now: a restart finds it in order, a stop takes it away.
  host.stop_daemon(SIGKILL);
  host.start_daemon({});
  rig.require_soon("it listens again", 30s, [&] { return host.listens(); });
  rig.require_mesh({1, 2});
  REQUIRE(host.device()->public_key == key);
  REQUIRE(host.stop_daemon(SIGTERM) == 0);
  REQUIRE_FALSE(host.has_link());
  REQUIRE(host.hosts_file().find("# !") == std::string::npos);
}

TEST_CASE("a Go device with a network mask keeps its packets when the mask goes") {
  Rig rig(2);
  Host& host = rig.host(2);
  rig.start(1);
  const std::string key = make_go_device(rig, host, "8");
  interop::ScriptedPeer::Likeness likeness{"n2", "10.169.131.209", key};
  auto member =
      std::make_unique<interop::ScriptedPeer>(host, rig.key(), interop::Release::v0_5_1, likeness);
  (void)member->join(rig.host(1));
  const std::string own = rig.host(1).addresses().front();
  rig.require_soon("the two reach each other", 30s, [&] { return host.pings(own); });
  Pinger pinger(host, own);
  member.reset();
  leave_state(host, kHeadState, go_state(rig.key(), {rig.seed(1)}));
  host.start_daemon({"--test-adopt-seconds", "1"});
  rig.require_soon("only the address itself is left", 60s, [&] {
    return host.exec({"ip", "-4", "address", "show", "wgoverlay"}).out.find("/8") ==
               std::string::npos &&
           host.device()->peers.size() == 1;
  });
  const int now = pinger.sent();
  rig.require_soon("pings go on", 20s, [&] { return pinger.sent() >= now + 10; });
  INFO(pinger.end());
  REQUIRE(pinger.lost() == 0);
  REQUIRE(host.device()->public_key == key);
  rig.require_mesh({1, 2});
}

TEST_CASE("a device that only resembles the Go program's is refused") {
  Rig rig(2);
  Host& host = rig.host(2);
  rig.start(1);
  (void)make_go_device(rig, host, "32");
  leave_state(host, kOldState, go_state(rig.key(), {rig.seed(1)}));
  const std::string before = host.fingerprint();
  host.start_daemon({"--wireguard-port", "51821"});
  REQUIRE(host.daemon().wait_for_end(30s));
  REQUIRE(host.daemon().exit_code() == 1);
  REQUIRE(host.daemon_err().find("with 2 peers that wesher did not make") != std::string::npos);
  REQUIRE(host.fingerprint() == before);
  REQUIRE(host.device()->peers.size() == 2);
}

}  // namespace wesher::netns
