// The model of a stock member: its numbers as memberlist has them, its rules, and its known faults.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/mesh/support/network.h"
#include "tests/sim/support/run.h"
#include "tests/sim/support/stock_host.h"
#include "wire/messages.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using wire::EntryState;

namespace {

/// Stock nodes "a", "b", … at 192.0.2.1, .2, …, joined through the first, alone on a network.
class Stocks {
 public:
  explicit Stocks(unsigned count, StockVersion version = StockVersion::v0_5_1) {
    REQUIRE(ring_.add(Bytes(32, 1)));
    for (unsigned i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint8_t>(i + 1);
      hosts_.push_back(std::make_unique<StockHost>(
          std::string(1, static_cast<char>('a' + i)),
          Endpoint{IpAddress::v4(192, 0, 2, number), 7946},
          NodeMeta{IpAddress::v4(10, 42, 0, number), {}, MetaFormat::f2}, version));
      net.attach(*hosts_.back());
      hosts_.back()->seeds = {hosts_.front()->endpoint};
      start(i);
      net.run(1s);
    }
    net.run(30s);
  }

  void start(unsigned i) {
    StockHost& host = (*this)[i];
    ++starts_;
    host.start(ring_, Rng::from_number(100 + starts_),
               mesh::test::key(static_cast<std::uint8_t>(starts_)), net.now().at);
    net.started(host);
  }

  StockHost& operator[](unsigned i) { return *hosts_[i]; }

  [[nodiscard]] EntryState state(unsigned of, unsigned at) const {
    const StockRecord* record = hosts_[at]->node->table().find(hosts_[of]->name);
    return record == nullptr ? EntryState::dead : record->state;
  }

  [[nodiscard]] bool knows(unsigned at, unsigned other) const {
    return hosts_[at]->knows(hosts_[other]->name, hosts_[other]->own);
  }

  void tell(unsigned to, const Bytes& claim) {
    Rng rng = Rng::from_number(++starts_);
    net.inject(*hosts_[to], {IpAddress::v4(192, 0, 2, 99), 7946},
               wire::seal_packet(ring_, wire::pack({&claim, 1}), rng));
  }

  /// A sealed push/pull of this one entry.
  [[nodiscard]] Bytes table(const wire::PushPullEntry& entry) {
    Rng rng = Rng::from_number(++starts_);
    return wire::seal_frame(ring_, wire::encode_stream(wire::PushPull{false, {entry}, {}}), rng);
  }

  /// What `of` says of itself, with another incarnation.
  [[nodiscard]] wire::Alive alive(unsigned of, std::uint32_t incarnation) const {
    const StockRecord* own = hosts_[of]->node->table().find(hosts_[of]->name);
    return {incarnation, own->name, own->address, own->port, {9}, false, {1, 5, 2, 0, 0, 0}};
  }

  mesh::test::Network net;

 private:
  wire::Keyring ring_;
  std::vector<std::unique_ptr<StockHost>> hosts_;
  unsigned starts_ = 0;
};

}  // namespace

TEST_CASE("the formulas give memberlist's numbers") {
  CHECK(stock_transmit_limit(9) == 4);
  CHECK(stock_transmit_limit(10) == 8);
  CHECK(stock_transmit_limit(99) == 8);
  CHECK(stock_transmit_limit(100) == 12);
  CHECK(stock_suspicion_min(1) == 30s);
  CHECK(stock_suspicion_min(10) == 30s);
  CHECK(stock_suspicion_min(31) == 44730ms);
  CHECK(stock_suspicion_min(100) == 60s);
  CHECK(stock_push_pull_interval(32) == 60s);
  CHECK(stock_push_pull_interval(33) == 120s);
  CHECK(stock_push_pull_interval(64) == 120s);
  CHECK(stock_push_pull_interval(65) == 180s);
  CHECK(stock_push_pull_interval(129) == 240s);
}

TEST_CASE("the queue sends what was sent least and the largest of it that fits") {
  StockQueue queue;
  queue.push("a", Bytes(100, 1));
  queue.push("b", Bytes(300, 2));
  queue.push("c", Bytes(200, 3));
  const auto first = queue.draw(450, 2);  // b and c would take 504
  REQUIRE(first.size() == 2);
  CHECK(first[0].size() == 300);
  CHECK(first[1].size() == 100);
  queue.push("a", Bytes(50, 4));  // new again
  const auto second = queue.draw(1000, 2);
  REQUIRE(second.size() == 3);
  CHECK(second[0].size() == 200);
  CHECK(second[1].size() == 50);
  CHECK(second[2].size() == 300);
  CHECK_FALSE(queue.contains("b"));  // sent twice
  CHECK(queue.draw(1000, 2).size() == 2);
  CHECK(queue.empty());
}

TEST_CASE("stock nodes join, restart with another key and are known by it") {
  Stocks all(4);
  for (unsigned i = 0; i < 4; ++i) {
    for (unsigned j = 0; j < 4; ++j)
      CHECK(all.knows(i, j));
  }
  all[2].kill();
  all.net.run(5s);
  all.start(2);
  all.net.run(5s);
  for (unsigned i = 0; i < 4; ++i)
    CHECK(all.knows(i, 2));
  CHECK(all[2].node->incarnation() >= 3);  // it had to go over what the others held
}

TEST_CASE("a killed stock node is suspected, dead after thirty seconds among five, then reaped") {
  Stocks all(5);
  all[4].kill();
  Duration passed{};
  for (; all.state(4, 0) == EntryState::alive && passed < 2min; passed += 1s)
    all.net.run(1s);
  CHECK(all.state(4, 0) == EntryState::suspect);
  all.net.run(28s);
  CHECK(all.state(4, 0) == EntryState::suspect);
  all.net.run(10s);
  CHECK(all.state(4, 0) == EntryState::dead);
  CHECK(all[0].node->table().size() == 5);
  all.net.run(4min);
  CHECK(all[0].node->table().size() == 4);
}

TEST_CASE("a goodbye is left at new nodes and dead at old ones") {
  const StockVersion version = GENERATE(StockVersion::v0_5_1, StockVersion::v0_1_4);
  Stocks all(3, version);
  all[2].node->leave(all.net.now().at);
  all.net.drain(all[2]);
  all.net.run(3s);
  const EntryState told = version == StockVersion::v0_5_1 ? EntryState::left : EntryState::dead;
  CHECK(all.state(2, 0) == told);
  CHECK(all.state(2, 1) == told);
  CHECK(all[2].node->goodbye_spread());
}

TEST_CASE("a forged goodbye is believed by all and undone only after the victim hears of it") {
  Stocks all(5);
  all.tell(0, wire::encode(wire::Dead{all[4].node->incarnation(), "e", "e"}));
  all.net.run(1s);
  for (unsigned i = 0; i < 4; ++i)
    CHECK(all.state(4, i) == EntryState::left);
  all.net.run(10s);
  CHECK(all.state(4, 0) == EntryState::left);  // nobody tells those that left
  all.net.run(4min);
  for (unsigned i = 0; i < 4; ++i)
    CHECK(all.knows(i, 4));
}

TEST_CASE("after the last incarnation a refutation wraps to 0 and loses for ever") {
  Stocks all(3);
  all.tell(0, wire::encode(all.alive(2, 0xffffffff)));
  all.net.run(10min);
  CHECK(all[2].node->incarnation() < 100);
  CHECK_FALSE(all.knows(0, 2));
  CHECK_FALSE(all.knows(1, 2));
}

TEST_CASE("a record without versions stops all merges of a stock node") {
  Stocks all(3);
  wire::Alive bare = all.alive(0, 1);
  bare.node = "x";
  bare.address = {192, 0, 2, 98};
  all.tell(0, without_versions(bare));
  REQUIRE(all[0].node->table().find("x") != nullptr);
  const Bytes frame = all.table({"z", {192, 0, 2, 97}, 7946, {}, true, 1, 0, {1, 5, 2, 0, 0, 0}});
  CHECK(all[0].node->handle_request(frame, all.net.now().at));
  CHECK(all[0].node->table().find("z") == nullptr);
  CHECK(all[1].node->handle_request(frame, all.net.now().at));
  CHECK(all[1].node->table().find("z") != nullptr);
}

}  // namespace wesher::sim
