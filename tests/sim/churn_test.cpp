// Autoscaling: instances with new names come and go, most with a goodbye; some hosts stay.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "mesh/overlay_address.h"
#include "mesh/roster.h"
#include "tests/mesh/support/network.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::Host;

namespace {

constexpr std::size_t kStay = 3;
/// Of 1,000 instances, those that end without a goodbye.
constexpr std::uint64_t kCrash = 100;

struct Churn {
  unsigned instances = 0;
  Duration span{};
  unsigned alive = 0;  ///< at once, on average
  Prefix pool;
};

class Cluster {
 public:
  explicit Cluster(const Churn& churn) : churn_(churn) {
    net_.checked = false;  // tables of thousands; what must hold is asked below
    net_.adjust = [this](mesh::Config& config) {
      config.overlay_net = churn_.pool;
      config.retention_by_lifetime = true;  // as the daemon has it
      std::array<std::uint8_t, kKeyBytes> seed{};
      const std::uint64_t hash = std::hash<std::string>{}(config.gossip.name);
      std::memcpy(seed.data(), &hash, sizeof hash);
      config.identity_seed = SecretKey(seed);
    };
    for (std::size_t i = 0; i < kStay; ++i) {
      staying_.push_back(&add("stay" + std::to_string(i)));
      net_.start(*staying_.back());
      net_.run(5s);
    }
  }

  void go() {
    const Duration every = churn_.span / churn_.instances;
    std::multimap<Duration, Host*> ends;
    Duration now{};
    for (unsigned i = 0; i < churn_.instances; ++i, now += every) {
      while (!ends.empty() && ends.begin()->first <= now) {
        end(*ends.begin()->second);
        ends.erase(ends.begin());
      }
      Host& host = add("i" + std::to_string(i));
      net_.start(host);
      up_.insert(&host);
      // Between half and three halves of the average life.
      const Duration life = every * churn_.alive;
      ends.emplace(now + life / 2 + rng_.below(life), &host);
      net_.run(every);
      if (i % 16 == 0) look();
    }
    net_.run(2min);
    look();
    check_end();
  }

  [[nodiscard]] std::size_t rows() const { return most_rows_; }

  [[nodiscard]] unsigned crashed() const { return crashed_; }

  [[nodiscard]] std::uint64_t datagrams() const { return net_.datagrams; }

  [[nodiscard]] std::uint64_t bytes() const { return net_.bytes; }

  [[nodiscard]] std::size_t most_up() const { return most_up_; }

 private:
  Host& add(const std::string& name) {
    const auto n = ++numbers_;
    std::array<std::uint8_t, kKeyBytes> key{};
    std::memcpy(key.data(), &n, sizeof n);
    const auto byte = [n](unsigned shift) { return static_cast<std::uint8_t>(n >> shift); };
    const NodeMeta own{mesh::overlay_address(name, churn_.pool).value(), PublicKey(key),
                       MetaFormat::f2};
    Host& host = net_.add(name, {IpAddress::v4(172, 16, byte(8), byte(0)), 7946}, own);
    host.identity = 1;
    host.claimed = net_.now().wall;
    for (const Host* seed : staying_)
      host.seeds.push_back(seed->endpoint);
    return host;
  }

  /// Two of three of those that end properly give their address back, as `wesher leave` does.
  void end(Host& host) {
    up_.erase(&host);
    if (rng_.below(std::uint64_t{1000}) < kCrash) {
      ++crashed_;
      net_.kill(host);
    } else {
      (void)net_.leave(host, 2s, rng_.below(std::uint64_t{3}) > 0);
    }
    host.facts = {};
    host.rows = {};
  }

  /// I-A1, I-A3: everybody who had the time to join has an address of its own, whatever is dead.
  void look() {
    std::map<IpAddress, std::string> owners;
    std::size_t live = 0;
    const auto one = [&](const Host& host) {
      if (!host.mesh->announced()) return;
      ++live;
      const auto [owner, is_new] = owners.emplace(host.own.overlay, host.name);
      INFO(host.name << " and " << owner->second << " have " << host.own.overlay.text());
      CHECK(is_new);
    };
    for (const Host* host : staying_) {
      one(*host);
      most_rows_ = std::max(most_rows_, host->mesh->members().size());
    }
    for (const Host* host : up_)
      one(*host);
    most_up_ = std::max(most_up_, live);
  }

  void check_end() {
    for (const Host* host : up_) {
      INFO(host->name);
      CHECK(host->mesh->announced());
    }
    // The table of who was always there: everybody once, nobody twice, and nothing else.
    CHECK(most_rows_ <= numbers_);
    for (const Host* host : staying_) {
      std::size_t configured = 0;
      for (const Member& member : host->mesh->members())
        configured += member.standing == Standing::configured ? 1U : 0U;
      std::size_t failed = 0;
      for (const Member& member : host->mesh->members())
        failed += member.state == MemberState::failed ? 1U : 0U;
      CHECK(failed <= std::max(mesh::kFailedMin, mesh::kFailedPerLive * (up_.size() + kStay)));
      // The living, and those that crashed, for ten times their life (I-F5).
      CHECK(configured >= up_.size() + kStay - 1);
      CHECK(configured <= up_.size() + kStay - 1 + crashed_);
      CHECK(host->mesh->live() == up_.size() + kStay - 1);
    }
  }

  Churn churn_;
  mesh::test::Network net_{11};
  Rng rng_ = Rng::from_number(12);
  std::vector<Host*> staying_;
  std::set<Host*> up_;
  std::uint32_t numbers_ = 0;
  std::size_t most_rows_ = 0;
  std::size_t most_up_ = 0;
  unsigned crashed_ = 0;
};

void autoscale(const Churn& churn) {
  Cluster cluster(churn);
  cluster.go();
  const auto seconds = static_cast<std::uint64_t>(churn.span / 1s);
  WARN(churn.instances << " instances, at most " << cluster.most_up() << " at once, "
                       << cluster.crashed() << " crashed; rows of a host that stays: "
                       << cluster.rows() << "; a host and second: "
                       << cluster.datagrams() / seconds / (churn.alive + kStay) << " datagrams, "
                       << cluster.bytes() / seconds / (churn.alive + kStay) << " bytes");
}

unsigned number_of(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

}  // namespace

// The pool has room for a third of all that ever come: the others take addresses that were given
// back, or of those that are away longest.
TEST_CASE("instances that come and go have addresses of their own, and the dead exhaust no pool") {
  autoscale({120, 20min, 12, Prefix::parse("10.42.7.0/26").value()});
}

TEST_CASE("ten thousand instances come and go in a day", "[.long]") {
  const unsigned count = number_of("WESHER_SIM_CHURN", 10'000);
  autoscale({count, 24h * count / 10'000, 40, Prefix::parse("10.42.0.0/20").value()});
}

}  // namespace wesher::sim
