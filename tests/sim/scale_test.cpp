// Large clusters, by hand: ours beside the stock model in the same network. README.md has results,
// and what of it is real.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/mesh/support/network.h"
#include "tests/sim/support/stock_host.h"
#include "wire/node_meta.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::Host;
using mesh::test::Network;

namespace {

constexpr std::size_t kSeeds = 3;
/// Members of ours with whole tables in the largest cluster, where all others are stock ones.
constexpr std::size_t kSample = 20;
constexpr Duration kLongest = 5min;

std::size_t size_of(std::size_t otherwise) {
  const char* text = std::getenv("WESHER_SIM_SCALE");  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Names, addresses and keys of member `i`.
std::string name_of(std::size_t i) {
  return "n" + std::to_string(i);
}

Endpoint endpoint_of(std::size_t i) {
  return {IpAddress::v4(10, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)),
          7946};
}

NodeMeta meta_of(std::size_t i) {
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(1);
  for (std::size_t byte = 0; byte < 4; ++byte)
    key[byte] = static_cast<std::uint8_t>(i >> (8 * byte));
  return {IpAddress::v4(10, 42, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)),
          PublicKey(key), MetaFormat::f2};
}

class Crowd {
 public:
  Crowd() : net(1) {
    REQUIRE(ring_.add(Bytes(32, 1)));
    net.watched = false;
    for (std::size_t i = 1; i <= kSeeds; ++i)
      seeds_.push_back(endpoint_of(i));
  }

  void add_ours(std::size_t i) {
    Host& host = net.add(name_of(i), endpoint_of(i), meta_of(i));
    host.seeds = seeds_;
    ours.push_back(&host);
    net.start(host);
  }

  void add_stock(std::size_t i, const std::shared_ptr<const SharedTable>& known = nullptr) {
    stock.push_back(
        std::make_unique<StockHost>(name_of(i), endpoint_of(i), meta_of(i), StockVersion::v0_5_1));
    StockHost& host = *stock.back();
    host.known = known;
    host.compress = false;
    if (known == nullptr && i > 1) host.seeds = seeds_;
    net.attach(host);
    host.start(ring_, Rng::from_number(i), meta_of(i).key, net.now().at);
    net.started(host);
  }

  [[nodiscard]] bool all_know(std::size_t i) const {
    const std::string name = name_of(i);
    for (const Host* host : ours) {
      const Member* seen = host->mesh->find(name);
      const bool alive = seen != nullptr && seen->state == MemberState::alive;
      if (host->name != name && !alive) return false;
    }
    for (const auto& host : stock) {
      const StockRecord* seen = host->node->table().find(name);
      if (seen == nullptr || seen->state != wire::EntryState::alive) return false;
    }
    return true;
  }

  /// Runs until `done`, and prints what it took.
  template <class Done>
  void measure(const std::string& what, Done done) {
    const std::uint64_t datagrams = net.datagrams;
    const std::uint64_t bytes = net.bytes;
    const std::uint64_t streams = net.streams;
    const auto began = std::chrono::steady_clock::now();
    Duration passed{};
    for (; !done() && passed < kLongest; passed += 250ms)
      net.run(250ms);
    const auto per_node = [&](std::uint64_t now, std::uint64_t before) {
      return static_cast<double>(now - before) / static_cast<double>(ours.size() + stock.size());
    };
    const auto took = std::chrono::steady_clock::now() - began;
    std::cout << what << ": " << std::chrono::duration<double>(passed).count() << " s, "
              << per_node(net.datagrams, datagrams) << " datagrams, "
              << per_node(net.streams, streams) << " streams and "
              << per_node(net.bytes, bytes) / 1000 << " kB a member ("
              << std::chrono::duration<double>(took).count() << " s of real time)" << std::endl;
    CHECK(passed < kLongest);
  }

  Network net;
  std::vector<Host*> ours;
  std::vector<std::unique_ptr<StockHost>> stock;

 private:
  wire::Keyring ring_;
  std::vector<Endpoint> seeds_;
};

std::shared_ptr<const SharedTable> table_of(std::size_t count) {
  std::vector<StockRecord> records;
  for (std::size_t i = 1; i <= count; ++i) {
    const Endpoint endpoint = endpoint_of(i);
    const ByteView address = endpoint.address.bytes();
    records.push_back({name_of(i),
                       {address.begin(), address.end()},
                       endpoint.port,
                       wire::encode_node_meta(meta_of(i)),
                       wire::kOwnVersions,
                       2,
                       wire::EntryState::alive,
                       Instant{}});
  }
  return std::make_shared<const SharedTable>(std::move(records));
}

}  // namespace

TEST_CASE("all members join within a second", "[.scale]") {
  const std::size_t count = size_of(1000);
  const bool ours = GENERATE(true, false);
  Crowd crowd;
  for (std::size_t i = 1; i <= count; ++i) {
    if (ours) {
      crowd.add_ours(i);
    } else {
      crowd.add_stock(i);
    }
    crowd.net.run(Duration{1s} / static_cast<Duration::rep>(count));
  }
  std::size_t known = 1;  // those before it are known to all
  crowd.measure(std::to_string(count) + (ours ? " of ours" : " stock") + " join at once", [&] {
    while (known <= count && crowd.all_know(known))
      ++known;
    return known > count;
  });
}

TEST_CASE("one member joins a large cluster", "[.scale]") {
  const std::size_t count = size_of(10000);
  const bool ours = GENERATE(true, false);
  Crowd crowd;
  const auto known = table_of(count);
  for (std::size_t i = 1; i <= count; ++i)
    crowd.add_stock(i, known);
  const std::string others = std::to_string(count) + " stock";
  if (ours) {
    for (std::size_t i = 1; i <= kSample; ++i)
      crowd.add_ours(count + i);
    crowd.measure(std::to_string(kSample) + " of ours join " + others, [&] {
      bool all = true;
      for (std::size_t i = 1; i <= kSample && all; ++i)
        all = crowd.all_know(count + i);
      return all;
    });
  }
  crowd.net.run(5s);
  const std::size_t last = count + kSample + 1;
  if (ours) {
    crowd.add_ours(last);
  } else {
    crowd.add_stock(last);
  }
  crowd.measure(std::string("one ") + (ours ? "of ours" : "stock member") + " joins " + others,
                [&] { return crowd.all_know(last); });
  if (ours) CHECK(crowd.ours.back()->mesh->live() == count + kSample);
}

}  // namespace wesher::sim
