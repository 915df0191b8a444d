// Ours and a Go node that all want one overlay address, coming in every order: the Go node has it,
// as it can't have another one, and ours have others.
#include "netns/support/names.h"

#include <csignal>
#include <map>
#include <memory>
#include <set>

#include <catch2/catch.hpp>

#include "interop/support/beside.h"
#include "interop/support/scripted_peer.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Host;
using netns::Rig;

namespace {

constexpr const char* kNet = "10.42.7.0/24";
constexpr int kWatches = 1;
constexpr int kGo = 5;

/// Of the last four the last byte of FNV-1a-128 is the same.
std::vector<std::string> names() {
  std::vector<std::string> all =
      netns::names_wanting(netns::wanted_address("host1", kNet), kNet, "host", 4);
  all.insert(all.begin(), "db");
  return all;
}

/// n1 watches; of those that want one address three are ours, n2 to n4, and n5 is the Go node.
class Four {
 public:
  Four() { start(kWatches); }

  void start(int number) {
    if (number == kGo) {
      GoPeerSettings settings{"F2", name(kGo), key_};
      settings.overlay = kNet;
      go_ = std::make_unique<GoPeer>(rig_.host(kGo), rig_.key(), settings);
      key_ = go_->key();
      return go_->join(rig_.seed(kWatches));
    }
    std::vector<std::string> arguments{"--overlay-net", kNet};
    if (number != kWatches) arguments.insert(arguments.end(), {"--join", rig_.seed(kWatches)});
    rig_.host(number).start_daemon(arguments, {"WESHER_CLUSTER_KEY=" + rig_.key()});
    rig_.require_soon(name(number) + " is a member", 30s, [&] {
      return number == kWatches ? rig_.host(number).listens()
                                : rig_.host(kWatches).member_state(name(number)) == "alive";
    });
  }

  void kill_all() {
    for (const int number : {1, 2, 3, 4})
      rig_.host(number).stop_daemon(SIGKILL);
    go_->crash();
    go_.reset();
  }

  /// Each has an address of its own, the Go node the contested one, and n1 and the others of ours
  /// reach all by name.
  void require_settled() {
    require_both(rig_, rig_.host(kWatches), *go_);
    for (const int here : {1, 2, 3, 4}) {
      Host& host = rig_.host(here);
      for (const int other : {1, 2, 3, 4, 5}) {
        if (other == here) continue;
        rig_.require_soon(name(here) + " has " + name(other) + " where it is", 30s, [&] {
          const std::string has = host.address_in_hosts(name(other));
          return !has.empty() && has == address(other);
        });
        if (other == kGo) continue;  // it has no WireGuard
        rig_.require_soon(name(here) + " reaches " + name(other), 30s,
                          [&] { return host.pings(name(other)); });
      }
    }
    std::set<std::string> different;
    for (const int number : {1, 2, 3, 4, 5})
      different.insert(address(number));
    REQUIRE(different.size() == 5);
    REQUIRE(address(kGo) == contested_);
    rig_.require_soon("the Go node's key has its address in the device", 10s, [&] {
      const auto device = rig_.host(kWatches).device();
      return device && std::any_of(device->peers.begin(), device->peers.end(), [&](const auto& p) {
               return p.public_key == key_ && p.allowed_ips == contested_ + "/32";
             });
    });
  }

  /// Of ours.
  [[nodiscard]] std::map<int, std::string> addresses() {
    std::map<int, std::string> all;
    for (const int number : {1, 2, 3, 4})
      all[number] = address(number);
    return all;
  }

 private:
  [[nodiscard]] const std::string& name(int number) { return rig_.host(number).name(); }

  [[nodiscard]] std::string address(int number) {
    if (number == kGo) return go_->record(name(kGo)).at("overlay").at("address");
    const auto found = rig_.host(number).addresses();
    return found.size() == 1 ? found.front() : "";
  }

  Rig rig_{names()};
  std::string contested_ = netns::wanted_address(rig_.host(kGo).name(), kNet);
  std::string key_;
  std::unique_ptr<GoPeer> go_;
};

void in_order(const std::vector<int>& order) {
  Four four;
  for (const int number : order)
    four.start(number);
  four.require_settled();
  const std::map<int, std::string> before = four.addresses();
  four.kill_all();
  four.start(kWatches);
  for (auto number = order.rbegin(); number != order.rend(); ++number)
    four.start(*number);
  four.require_settled();
  REQUIRE(four.addresses() == before);
}

}  // namespace

TEST_CASE("three of ours and a Go node that want one address: the Go node comes first") {
  in_order({5, 2, 3, 4});
}

TEST_CASE("three of ours and a Go node that want one address: the Go node comes last") {
  in_order({4, 3, 2, 5});
}

TEST_CASE("three of ours and a Go node that want one address: the Go node comes between") {
  in_order({3, 5, 4, 2});
}

// Of what signs nothing the address is all that can be checked.
TEST_CASE("a member that signs nothing is in only at the address that is its name's") {
  Rig rig(3);
  start_ours(rig, rig.host(1));
  start_ours(rig, rig.host(2), rig.seed(1));
  const auto joins = [&](const std::string& name, const std::string& overlay, bool gets_in) {
    const ScriptedPeer::Likeness likeness{name, overlay, netns::random_key()};
    ScriptedPeer peer(rig.host(3), rig.key(), Release::v0_5_1, likeness);
    (void)peer.join(rig.host(1));
    for (const int number : {1, 2}) {
      Host& host = rig.host(number);
      rig.require_soon(host.name() + " knows " + name + " at " + overlay, 30s, [&] {
        const std::string why = "announces " + overlay + ", which the Go program does not give";
        const std::string members = host.wesher({"members"}).out;
        return members.find(overlay) != std::string::npos &&
               (members.find(why) == std::string::npos) == gets_in &&
               has_peer(host, likeness.key) == gets_in;
      });
    }
  };
  joins("odd", "10.99.99.99", false);
  joins("even", netns::wanted_address("even", "10.0.0.0/8"), true);
}

}  // namespace wesher::interop
