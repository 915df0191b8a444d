// What must hold for any desired and any observed state: drawn from numbered seeds over a small
// universe of names, keys and addresses, so that they meet often. A failure names its seed.
#include <chrono>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "plan/desired.h"
#include "tests/plan/support/builders.h"
#include "tests/plan/support/derive.h"
#include "tests/plan/support/simulated_host.h"

namespace wesher::plan::test {
namespace {

constexpr std::uint64_t kSeeds = 2000;
constexpr std::uint8_t kUniverse =
    10;  ///< names, keys, addresses and endpoints are numbered 1 to this

/// One random case: what should be, what is, and who is known.
class World {
 public:
  explicit World(std::uint64_t seed) : rng_(Rng::from_number(seed)) {
    members_.reserve(kUniverse);
    OwnNode own{"self", desired({}).interface, chance(9)};
    if (chance(2)) own.interface.mtu = 1300 + number();
    for (std::uint8_t n = 1; n <= kUniverse; ++n) {
      Member m = member(names_.at(rng_.below(names_.size())), n);
      m.meta->key = key(number());
      m.meta->overlay = IpAddress::v4(10, 0, 0, number());
      m.underlay = IpAddress::v4(192, 0, 2, number());
      m.standing = chance(7) ? Standing::configured : Standing::seed;
      m.state = m.standing == Standing::configured ? MemberState::alive : MemberState::left;
      if (chance(7)) members_.push_back(m);
    }
    desired_ = derive(own, members_).desired;
    observed_ = chance(2) ? Observed{} : settled(desired_);
    if (chance(8)) drift();
    options_.now = kNow;
    options_.may_remove = chance(8);
    options_.members = members_;
  }

  World(const World&) = delete;
  World& operator=(const World&) = delete;
  World(World&&) = delete;
  World& operator=(World&&) = delete;
  ~World() = default;

  [[nodiscard]] const Desired& wanted() const { return desired_; }

  [[nodiscard]] const Observed& observed() const { return observed_; }

  [[nodiscard]] const DiffOptions& options() const { return options_; }

  [[nodiscard]] Plan plan() const { return diff(desired_, observed_, options_); }

  [[nodiscard]] Plan plan_for(const Observed& other) const {
    return diff(desired_, other, options_);
  }

  /// True in n of 10 draws.
  bool chance(std::uint64_t n) { return rng_.below(10) < n; }

 private:
  std::uint8_t number() { return static_cast<std::uint8_t>(1 + rng_.below(kUniverse)); }

  std::vector<Prefix> some_prefixes() {
    std::set<Prefix> out;
    for (std::uint64_t i = rng_.below(std::uint64_t{5}); i > 0; --i)
      out.insert(Prefix{IpAddress::v4(10, 0, 0, number()), chance(9) ? 32U : 30U}.masked());
    return {out.begin(), out.end()};
  }

  void drift() {
    if (chance(1)) {
      observed_ = Observed{};
    } else {
      if (chance(3)) observed_.link.kind = LinkKind::userspace;
      if (observed_.link.kind == LinkKind::absent) observed_.link.kind = LinkKind::kernel;
      if (chance(3)) observed_.link.up = !observed_.link.up;
      if (chance(3)) observed_.link.mtu = 1300 + number();
      if (chance(3)) observed_.link.alias = chance(5) ? "" : "theirs";
      if (chance(3)) observed_.device_key = key(number());
      if (chance(1)) observed_.device_key.reset();
      if (chance(3)) observed_.listen_port = number();
      if (chance(3)) observed_.addresses = some_prefixes();
      if (chance(3)) observed_.routes = some_prefixes();
      drift_peers();
    }
    drift_hosts();
    observed_.complete = chance(9);
  }

  void drift_peers() {
    std::map<PublicKey, ObservedPeer> peers;
    for (const ObservedPeer& peer : observed_.peers) {
      if (chance(8)) peers.emplace(peer.key, peer);
    }
    for (std::uint64_t i = rng_.below(std::uint64_t{4}); i > 0; --i) {
      ObservedPeer peer = present(number());
      peer.allowed_ips.clear();
      peers.emplace(peer.key, peer);
    }
    std::vector<PublicKey> keys;
    for (auto& [k, peer] : peers) {
      keys.push_back(k);
      if (chance(2)) peer.endpoint = Endpoint{IpAddress::v4(192, 0, 2, number()), number()};
      if (chance(1)) peer.endpoint.reset();
      if (chance(3)) peer.last_handshake = ago(std::chrono::seconds{60 * (number() - 2)});
    }
    for (std::uint64_t i = keys.empty() ? 0 : rng_.below(std::uint64_t{5}); i > 0; --i)
      give(peers, keys[rng_.below(keys.size())], some_prefixes());
    observed_.peers.clear();
    for (auto& [k, peer] : peers)
      observed_.peers.push_back(std::move(peer));
  }

  /// As the kernel does it: an allowed IP has one owner.
  static void give(std::map<PublicKey, ObservedPeer>& peers,
                   const PublicKey& to,
                   const std::vector<Prefix>& prefixes) {
    for (const Prefix& prefix : prefixes) {
      for (auto& [k, peer] : peers)
        std::erase(peer.allowed_ips, prefix);
      peers[to].allowed_ips.push_back(prefix);
    }
  }

  void drift_hosts() {
    ObservedHosts& hosts = observed_.hosts;
    hosts.writable = chance(9);
    hosts.outdated = chance(2);
    for (std::uint64_t i = rng_.below(std::uint64_t{4}); i > 0; --i) {
      std::vector<std::string> names = {names_.at(rng_.below(names_.size()))};
      if (chance(3)) names.push_back(names_.at(rng_.below(names_.size())));
      hosts.managed.push_back({IpAddress::v4(10, 0, 0, number()), names});
    }
    if (chance(3)) hosts.foreign_names = {names_.at(rng_.below(names_.size()))};
  }

  Rng rng_;
  std::vector<std::string> names_ = {"a", "b", "c", "d", "e", "E", "self", "localhost", "x y", "f"};
  std::vector<Member> members_;
  Desired desired_;
  Observed observed_;
  DiffOptions options_;
};

bool is_removal(const Action& action) {
  return std::holds_alternative<RemovePeer>(action.what) ||
         std::holds_alternative<RemoveRoute>(action.what) ||
         std::holds_alternative<RemoveAddress>(action.what);
}

TEST_CASE("a plan that was performed leaves nothing to do") {
  std::size_t actions = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    const World world(seed);
    const Plan plan = world.plan();
    actions += plan.actions.size();
    Observed host = world.observed();
    REQUIRE_NOTHROW(perform(host, plan));
    const Plan again = world.plan_for(host);
    INFO(to_text(plan) << to_text(again));
    REQUIRE(again.empty());
  }
  CHECK(actions > kSeeds);  // the worlds are not trivial
}

TEST_CASE("actions that fail are found again until everything is so") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    Observed host = world.observed();
    for (int pass = 0; pass < 3; ++pass) {
      for (const Action& action : world.plan_for(host).actions) {
        // Without link or device the rest can't be tried, so these succeed.
        const bool is_peer_or_hosts = std::holds_alternative<AddPeer>(action.what) ||
                                      std::holds_alternative<UpdatePeer>(action.what) ||
                                      std::holds_alternative<AddRoute>(action.what) ||
                                      std::holds_alternative<WriteHosts>(action.what);
        if (is_peer_or_hosts && world.chance(3)) continue;
        REQUIRE_NOTHROW(perform(host, action));
      }
    }
    REQUIRE_NOTHROW(perform(host, world.plan_for(host)));
    REQUIRE(world.plan_for(host).empty());
  }
}

TEST_CASE("the wanted peers are in the device exactly after a plan") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    const World world(seed);
    Observed host = world.observed();
    perform(host, world.plan());
    std::map<PublicKey, std::vector<Prefix>> allowed;
    for (const ObservedPeer& peer : host.peers)
      allowed[peer.key] = peer.allowed_ips;
    for (const DesiredPeer& peer : world.wanted().peers) {
      REQUIRE(allowed.contains(peer.key));
      REQUIRE(allowed[peer.key] == std::vector<Prefix>{Prefix::host(peer.overlay)});
    }
    if (!world.options().may_remove || !world.observed().complete) continue;
    REQUIRE(host.peers.size() == world.wanted().peers.size());
    REQUIRE(host.routes.size() == world.wanted().peers.size());
    REQUIRE(host.addresses == std::vector<Prefix>{Prefix::host(ip("10.0.0.100"))});
  }
}

TEST_CASE("no removal comes before anything else") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    bool removing = false;
    for (const Action& action : World(seed).plan().actions) {
      removing = removing || is_removal(action);
      REQUIRE(is_removal(action) == removing);
    }
  }
}

TEST_CASE("nothing is removed in adopt mode or after an incomplete dump") {
  std::size_t worlds = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const World world(seed);
    if (world.options().may_remove && world.observed().complete) continue;
    INFO("seed " << seed);
    ++worlds;
    for (const Action& action : world.plan().actions)
      REQUIRE_FALSE(is_removal(action));
  }
  CHECK(worlds > kSeeds / 10);
}

TEST_CASE("a peer that is as wanted gets no action") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    const World world(seed);
    std::set<PublicKey> as_wanted;
    for (const DesiredPeer& peer : world.wanted().peers) {
      for (const ObservedPeer& is : world.observed().peers) {
        if (is.key == peer.key && is.endpoint == peer.endpoint &&
            is.allowed_ips == std::vector<Prefix>{Prefix::host(peer.overlay)}) {
          as_wanted.insert(peer.key);
        }
      }
    }
    for (const Action& action : world.plan().actions) {
      if (const auto* update = std::get_if<UpdatePeer>(&action.what)) {
        REQUIRE_FALSE(as_wanted.contains(update->key));
      }
      if (const auto* gone = std::get_if<RemovePeer>(&action.what)) {
        REQUIRE_FALSE(as_wanted.contains(gone->key));
      }
    }
  }
}

TEST_CASE("every action has a reason and an object and a line") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    for (const Action& action : World(seed).plan().actions) {
      REQUIRE_FALSE(action.reason.empty());
      REQUIRE_FALSE(object_of(action).empty());
      REQUIRE_FALSE(lines_of(action).empty());
    }
  }
}

/// Seconds that one diff of n peers takes, all of them with other allowed IPs and no route.
double seconds_for(std::uint32_t n) {
  Desired d = desired({});
  for (std::uint32_t i = 0; i < n; ++i) {
    std::array<std::uint8_t, kKeyBytes> bytes{};
    bytes[0] = 1;
    bytes[1] = static_cast<std::uint8_t>(i >> 8U);
    bytes[2] = static_cast<std::uint8_t>(i);
    const auto low = bytes[2];
    const auto high = bytes[1];
    d.peers.push_back({"n" + std::to_string(i), PublicKey(bytes), IpAddress::v4(10, 1, high, low),
                       Endpoint{IpAddress::v4(172, 16, high, low), 51820}, "member"});
  }
  Observed o = settled(d);
  for (ObservedPeer& peer : o.peers)
    peer.allowed_ips.clear();
  o.routes.clear();
  o.hosts.managed.clear();
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Plan plan = diff(d, o, {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    REQUIRE(plan.actions.size() == 2 * n + 1);
    best = std::min(best, took.count());
  }
  return best;
}

TEST_CASE("the time of a diff grows with the number of peers and not with its square") {
  CHECK(seconds_for(16000) < 80 * seconds_for(1000));  // linear is 16, quadratic 256
}

}  // namespace
}  // namespace wesher::plan::test
