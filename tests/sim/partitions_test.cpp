// Long partitions of whole hosts in virtual time: restarts, a lost database and wrong clocks inside
// them, one-way loss after them, a stock member among them.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "mesh/overlay_address.h"
#include "tests/mesh/support/network.h"
#include "tests/sim/support/stock_host.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::Host;
using mesh::test::RuleBroken;

namespace {

/// How long a cluster may take to be whole after a partition: failed members are called every 30 s,
/// and a call that began before its end may hang for ten.
constexpr Duration kWhole = 2min;
/// A stock member hears of the others by its own push/pull, every 60 s.
constexpr Duration kWholeStock = 10min;

class Split {
 public:
  explicit Split(unsigned count, bool with_stock = false) {
    for (unsigned i = 1; i <= count; ++i) {
      const auto number = static_cast<std::uint8_t>(i);
      Host& host = net_.add("h" + std::to_string(i), number);
      host.identity = number;
      host.claimed = net_.now().wall;
      host.claim_is_new = false;
      hosts_.push_back(&host);
    }
    for (Host* host : hosts_)
      host->seeds = {hosts_[0]->endpoint, hosts_[1]->endpoint};
    for (Host* host : hosts_)
      net_.start(*host);
    if (with_stock) add_stock();
    net_.run(30s);
    REQUIRE(whole());
    for (const Host* host : hosts_)
      addresses_.push_back(host->own.overlay);
    watch_facts();
  }

  /// A partition of that length in that many groups, with what may happen in it; gives the time
  /// that it took afterwards until everybody had everybody.
  Duration heal_after(Duration span, unsigned groups) {
    for (std::size_t i = 0; i < hosts_.size(); ++i)
      hosts_[i]->group = static_cast<unsigned>(i) % groups;
    hosts_[3]->wall_step = -24h * 365 * 50;
    hosts_[2]->wall_step = 24h * 100;
    net_.run(span / 3);
    again(*hosts_[1], false);
    net_.run(span / 3);
    again(*hosts_[3], false);
    again(*hosts_[4], true);
    net_.run(span - 2 * (span / 3));
    net_.heal();
    net_.one_way.insert({"h1", "h2"});  // and not yet everything
    Duration passed{};
    for (; !whole() && passed < (stock_ ? kWholeStock : kWhole); passed += 1s)
      net_.run(1s);
    REQUIRE(whole());
    net_.one_way.clear();
    net_.run(1min);
    REQUIRE(whole());
    for (std::size_t i = 0; i < hosts_.size(); ++i)
      CHECK(hosts_[i]->own.overlay == addresses_[i]);  // I-A2
    return passed;
  }

 private:
  /// I-F1, I-F5: nobody's peer is touched, nobody is forgotten; I-A2: nobody claims anything anew.
  void watch_facts() {
    net_.on_fact = [this](Host& host, const mesh::Fact& fact) {
      if (const auto* claim = std::get_if<mesh::OwnClaim>(&fact))
        throw RuleBroken("I-A2: " + host.name + " claims anew: " + claim->why);
      if (const auto* gone = std::get_if<mesh::MemberForgotten>(&fact))
        throw RuleBroken("I-F5: " + host.name + " forgets " + gone->name);
      const auto* changed = std::get_if<mesh::MemberChanged>(&fact);
      if (changed == nullptr) return;
      const Member& member = changed->member;
      if (member.state == MemberState::gone)
        throw RuleBroken("I-F5: " + host.name + " gives " + member.name + " up");
      const auto before = host.rows.find(member.name);
      if (before == host.rows.end()) return;  // it lost its database
      const bool same_key = before->second.meta == member.meta;
      if (same_key && before->second.standing == Standing::configured &&
          member.standing != Standing::configured)
        throw RuleBroken("I-F1: " + host.name + " takes " + member.name + " out: " + member.reason);
    };
  }

  void again(Host& host, bool without_database) {
    net_.kill(host);
    net_.run(5s);
    if (without_database) host.rows.clear();
    net_.start(host);
  }

  void add_stock() {
    REQUIRE(ring_.add(Bytes(32, 1)));
    const NodeMeta meta{
        mesh::overlay_address("s1", mesh::test::kOverlayNet).value(), {}, MetaFormat::f2};
    stock_ = std::make_unique<StockHost>("s1", Endpoint{IpAddress::v4(192, 0, 2, 101), 7946}, meta,
                                         StockVersion::v0_5_1);
    stock_->seeds = {hosts_[0]->endpoint};
    net_.attach(*stock_);
    stock_->start(ring_, Rng::from_number(5), mesh::test::key(101), net_.now().at);
    net_.started(*stock_);
  }

  [[nodiscard]] bool whole() const {
    if (!net_.converged()) return false;
    if (stock_ == nullptr) return true;
    for (const Host* host : hosts_) {
      const Member* seen = host->mesh->find("s1");
      const bool there = seen != nullptr && seen->state == MemberState::alive &&
                         seen->standing == Standing::configured;
      if (!there || !stock_->knows(host->name, host->own)) return false;
    }
    return true;
  }

  mesh::test::Network net_;
  wire::Keyring ring_;
  std::vector<Host*> hosts_;
  std::vector<IpAddress> addresses_;
  std::unique_ptr<StockHost> stock_;
};

void partitions(Duration span, bool with_stock) {
  for (const unsigned groups : {2U, 3U, 5U}) {
    const Duration took = Split(5, with_stock).heal_after(span, groups);
    WARN("a partition of " << span / 1min << " min in " << groups << " groups: whole after "
                           << took / 1s << " s");
  }
}

}  // namespace

TEST_CASE("partitions of a minute and of ten minutes heal, and nobody's peer is touched") {
  partitions(1min, false);
  partitions(10min, false);
}

TEST_CASE("partitions with a stock member heal") {
  partitions(10min, true);
}

TEST_CASE("partitions of 24 hours heal, and nobody's peer is touched", "[.long]") {
  partitions(24h, false);
}

TEST_CASE("partitions of 71 hours heal, and nobody's peer is touched", "[.long]") {
  partitions(71h, false);
}

}  // namespace wesher::sim
