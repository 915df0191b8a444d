// Whose an overlay address and a name are: hosts that want the same, networks that are full,
// machines that are rebuilt, and members that are forgotten.
#include <csignal>
#include <filesystem>

#include <catch2/catch.hpp>

#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

/// The last byte of FNV-1a-128 of these names is the same: in a /24 the Go program gives them one
/// address.
constexpr const char* kOne = "host1";
constexpr const char* kOther = "host21";
constexpr const char* kSmall = "10.42.7.0/24";

void start_named(Rig& rig, int number, const std::string& name, const std::string& net) {
  std::vector<std::string> arguments{"--node-name", name, "--overlay-net", net};
  if (number != 1) arguments.insert(arguments.end(), {"--join", rig.seed()});
  rig.host(number).start_daemon(arguments, {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("the daemon of " + name + " answers", 20s,
                   [&] { return rig.host(number).listens(); });
}

/// The one overlay address of a host; empty if it has none, or several.
std::string overlay_of(const Host& host) {
  const auto all = host.addresses();
  return all.size() == 1 ? all.front() : std::string{};
}

void require_known(Rig& rig, int at, int number, const std::string& name) {
  rig.require_soon(rig.host(at).name() + " has " + name + " where it is", 40s, [&] {
    const std::string address = rig.host(at).address_in_hosts(name);
    return !address.empty() && address == overlay_of(rig.host(number));
  });
  rig.require_soon(rig.host(at).name() + " pings " + name, 30s,
                   [&] { return rig.host(at).pings(name); });
}

void wipe_state(const Host& host) {
  for (const auto& entry : std::filesystem::directory_iterator(host.path("/var/lib/wesher")))
    std::filesystem::remove_all(entry.path());
}

/// `first` has the address that both want when `second` comes.
void two_of_one_address(const std::string& first, const std::string& second) {
  Rig rig(3);
  start_named(rig, 1, "db", kSmall);
  start_named(rig, 2, first, kSmall);
  require_known(rig, 1, 2, first);
  start_named(rig, 3, second, kSmall);
  require_known(rig, 1, 3, second);
  require_known(rig, 2, 3, second);
  require_known(rig, 3, 2, first);
  const std::string one = overlay_of(rig.host(2));
  const std::string other = overlay_of(rig.host(3));
  REQUIRE(one != other);
  for (const int number : {2, 3})
    rig.host(number).stop_daemon(SIGKILL);
  for (const int number : {3, 2})
    rig.host(number).start_daemon(
        {"--node-name", number == 2 ? first : second, "--overlay-net", kSmall});
  require_known(rig, 1, 2, first);
  require_known(rig, 1, 3, second);
  REQUIRE(overlay_of(rig.host(2)) == one);
  REQUIRE(overlay_of(rig.host(3)) == other);
}

}  // namespace

TEST_CASE("two names of one address get two, and both keep theirs when they start again") {
  two_of_one_address(kOne, kOther);
}

TEST_CASE("two names of one address get two in the other order as well", "[input]") {
  two_of_one_address(kOther, kOne);
}

TEST_CASE("of two that have one address when they meet the later one moves and both go on") {
  Rig rig(3);
  start_named(rig, 1, kOne, kSmall);
  // The second founds its own cluster under the same key, and learns of the first only later.
  rig.host(2).start_daemon({"--node-name", kOther, "--overlay-net", kSmall},
                           {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("both have the same address", 20s, [&] {
    const std::string one = overlay_of(rig.host(1));
    return !one.empty() && one == overlay_of(rig.host(2));
  });
  const std::string contested = overlay_of(rig.host(1));
  rig.host(3).start_daemon(
      {"--node-name", "db", "--overlay-net", kSmall, "--join", rig.seed(1) + "," + rig.seed(2)},
      {"WESHER_CLUSTER_KEY=" + rig.key()});
  require_known(rig, 3, 1, kOne);
  require_known(rig, 3, 2, kOther);
  require_known(rig, 1, 2, kOther);
  require_known(rig, 2, 1, kOne);
  REQUIRE(overlay_of(rig.host(1)) == contested);
  REQUIRE(overlay_of(rig.host(2)) != contested);
  INFO(rig.host(2).daemon_err());
  REQUIRE(rig.host(2).daemon_err().find("address moved: " + contested + " -> ") !=
          std::string::npos);
  const Output history = rig.host(2).wesher({"history"});
  INFO(history.text());
  REQUIRE(history.out.find(contested) != std::string::npos);
}

TEST_CASE("a full network says who is in it, and the next one takes what becomes free", "[input]") {
  static constexpr const char* kTiny = "10.42.7.0/29";
  Rig rig(7);
  for (int number = 1; number <= 6; ++number)
    start_named(rig, number, "n" + std::to_string(number), kTiny);
  rig.require_mesh({1, 2, 3, 4, 5, 6});
  Host& late = rig.host(7);
  start_named(rig, 7, "n7", kTiny);
  rig.require_soon("it says that the network is full", 30s, [&] {
    const std::string log = late.daemon_err();
    return log.find("overlay network 10.42.7.0/29 is full: 6 usable addresses, in use by") !=
           std::string::npos;
  });
  REQUIRE(late.addresses().empty());
  rig.require_soon("status says it too", 10s, [&] {
    return late.wesher({"status"}).out.find("NOT IN THE MESH: 10.42.7.0/29 is full (6 of 6)") !=
           std::string::npos;
  });
  REQUIRE(rig.host(1).member_state("n7").empty());
  REQUIRE(rig.host(4).wesher({"leave"}).exit_code == 0);
  REQUIRE(rig.host(4).daemon().wait_for_end(20s));
  rig.require_mesh({1, 2, 3, 5, 6, 7}, 90s);
  // Who can't wait is told at once.
  Host& impatient = rig.host(4);
  impatient.start_daemon({"--node-name", "n4", "--overlay-net", kTiny, "--pool-wait", "0"});
  REQUIRE(impatient.daemon().wait_for_end(60s));
  REQUIRE(impatient.daemon().exit_code() == 75);
}

TEST_CASE("a machine that was rebuilt under its name is in at once with its address", "[input]") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(3);
  const std::string address = overlay_of(host);
  const std::string key = host.device()->public_key;
  host.stop_daemon(SIGKILL);
  wipe_state(host);
  (void)host.exec({"ip", "link", "delete", "wgoverlay"});
  rig.start(3);
  rig.require_soon("its new key is everywhere", 15s, [&] {
    const auto own = host.device();
    if (!own || own->public_key == key || own->public_key == "(none)") return false;
    for (const int number : {1, 2}) {
      const auto device = rig.host(number).device();
      if (!device ||
          std::none_of(device->peers.begin(), device->peers.end(),
                       [&](const auto& peer) { return peer.public_key == own->public_key; })) {
        return false;
      }
    }
    return true;
  });
  REQUIRE(overlay_of(host) == address);
  rig.require_mesh();
  rig.require_exactly({1, 2, 3});
}

TEST_CASE("a second machine of a name stays out while the first one lives", "[input]") {
  Rig rig(3);
  rig.start_all();
  rig.require_mesh({1, 2, 3});
  Host& copy = rig.host(3);
  REQUIRE(copy.wesher({"leave"}).exit_code == 0);
  REQUIRE(copy.daemon().wait_for_end(20s));
  wipe_state(copy);
  copy.start_daemon({"--node-name", "n2", "--join", rig.seed()},
                    {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("it says whose the name is", 20s, [&] {
    return copy.daemon_err().find("the name n2 belongs to a live member at " + rig.seed(2)) !=
           std::string::npos;
  });
  rig.require_soon("status says it too", 10s, [&] {
    return copy.wesher({"status"}).out.find("NOT IN THE MESH: the name n2 is taken") !=
           std::string::npos;
  });
  REQUIRE(rig.host(1).pings("n2"));
  REQUIRE(rig.host(1).address_in_hosts("n2") == overlay_of(rig.host(2)));
}

TEST_CASE("a member that failed can be forgotten, and one that lives can't", "[input]") {
  Rig rig(3);
  const std::vector<std::string> fast{"--test-timers", "10"};
  rig.start_all(fast);
  rig.require_mesh();
  const Output refused = rig.host(1).wesher({"forget", "n3"});
  INFO(refused.text());
  REQUIRE(refused.exit_code == 1);
  REQUIRE(refused.err.find("n3 is alive") != std::string::npos);
  rig.host(3).stop_daemon(SIGKILL);
  rig.require_soon("n3 has failed", 60s,
                   [&] { return rig.host(1).member_state("n3") == "failed"; });
  REQUIRE_FALSE(rig.host(1).address_in_hosts("n3").empty());
  const Output forgotten = rig.host(1).wesher({"forget", "n3"});
  INFO(forgotten.text());
  REQUIRE(forgotten.exit_code == 0);
  for (const int number : {1, 2})
    rig.require_soon("nothing of it is left on " + rig.host(number).name(), 15s, [&] {
      const Host& host = rig.host(number);
      return host.member_state("n3") == "gone" && host.address_in_hosts("n3").empty() &&
             host.routes().size() == 1;
    });
}

}  // namespace wesher::netns
