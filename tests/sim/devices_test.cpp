// What the devices hold while clusters are disturbed: the mesh, the store and the planner of every
// host, each with a device that is a value (support/machine.h). Fewer faults than in sim_test.cpp,
// and the rules that are about peers.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/sim/support/machine.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::Host;
using mesh::test::Network;
using mesh::test::RuleBroken;

namespace {

constexpr std::uint64_t kSeeds = 24;
constexpr unsigned kSteps = 12;
/// How long a cluster may take to be whole when nothing is cut any more (partitions_test.cpp).
constexpr Duration kWhole = 2min;
/// A stock-like member that signs nothing comes back by its own push/pull.
constexpr Duration kWholeUnsigned = 10min;

class Devices {
 public:
  explicit Devices(std::uint64_t seed) : net_(seed), rng_(Rng::from_number(seed * 3 + 1)) {
    net_.on_fact = [this](Host& host, const mesh::Fact& fact) {
      for (const auto& machine : machines_) {
        if (&machine->host() == &host) machine->hear(fact);
      }
    };
    const std::uint64_t count = 3 + pick(3);
    for (std::uint8_t number = 1; number <= count; ++number)
      add("h" + std::to_string(number), number, number);
    has_thief_ = seed % 3 == 0;
    if (has_thief_) {  // it announces the key of h1
      Host& thief = add("thief", 50, 50);
      thief.own.key = machines_[0]->host().own.key;
    }
    if (seed % 4 == 1) unsigned_ = &add("go", 60, 0);
  }

  void run() {
    for (const auto& machine : machines_)
      machine->start(false, seeds());
    pass(20s);
    for (unsigned i = 0; i < kSteps; ++i) {
      disturb();
      pass(1s * (2 + pick(40)));
    }
    net_.heal();
    for (const auto& machine : machines_) {
      if (!machine->host().up()) machine->start(false, seeds());
    }
    Duration passed{};
    const Duration bound = unsigned_ != nullptr ? kWholeUnsigned : kWhole;
    for (; !missing().empty(); passed += 1s) {
      if (passed >= bound) throw RuleBroken("I-M1: " + missing());
      pass(1s);
    }
  }

 private:
  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return rng_.u64() % below; }

  Host& add(const std::string& name, std::uint8_t number, std::uint8_t identity) {
    Host& host = net_.add(name, number);
    host.identity = identity;
    host.claimed = net_.now().wall;
    host.claim_is_new = false;
    machines_.push_back(std::make_unique<Machine>(net_, host));
    return host;
  }

  [[nodiscard]] std::vector<std::string> seeds() const { return {"h1", "h2"}; }

  void pass(Duration span) {
    for (Duration passed{}; passed < span; passed += kSlice) {
      net_.run(kSlice);
      for (const auto& machine : machines_)
        machine->advance();
      check_thief();
    }
  }

  void disturb() {
    Machine& machine = *machines_[pick(machines_.size())];
    Host& host = machine.host();
    if (!host.up()) return machine.start(pick(4) == 0, seeds());
    switch (pick(8)) {
      case 0:
      case 1:
        host.group = static_cast<unsigned>(1 + pick(2));
        return;
      case 2:
        return net_.heal();
      case 3:
      case 4:
        return machine.kill();
      case 5:
        return machine.leave();
      case 6:
        if (host.name != "thief") net_.change_key(host, mesh::test::key(next_key_++));
        return;
      default:
        net_.weather.lost = 100 * pick(3);
    }
  }

  /// I-T5: an address is never at a key that its owner did not announce.
  void check_thief() {
    for (const auto& there : machines_)
      keys_[there->host().name].insert(there->host().own.key);
    for (const auto& here : machines_) {
      for (const auto& there : machines_) {
        const auto key = here->key_at(there->host().own.overlay);
        if (key && !keys_.at(there->host().name).contains(*key))
          throw RuleBroken("I-T5: " + here->host().name + " has the address of " +
                           there->host().name + " at a key that is not its own");
      }
    }
  }

  /// Who misses whom in its device; empty: nobody. Where h1 was away, the thief has its key for
  /// good.
  [[nodiscard]] std::string missing() const {
    for (const auto& here : machines_) {
      for (const auto& there : machines_) {
        const Host& owner = there->host();
        const bool robbed = has_thief_ && (owner.name == "h1" || owner.name == "thief");
        if (here == there || robbed) continue;
        if (here->key_at(owner.own.overlay) != owner.own.key)
          return here->host().name + " lacks " + owner.name;
      }
    }
    return {};
  }

  Network net_;
  Rng rng_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::map<std::string, std::set<PublicKey>> keys_;  ///< that a host ever announced
  Host* unsigned_ = nullptr;
  bool has_thief_ = false;
  std::uint8_t next_key_ = 100;
};

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string broken_by(std::uint64_t seed) {
  try {
    Devices(seed).run();
  } catch (const RuleBroken& broken) {
    return std::string(broken.what()) + "\nagain:   WESHER_DEVICE_SEED=" + std::to_string(seed) +
           " build/dev/tests/sim_tests \"devices*\"";
  }
  return {};
}

}  // namespace

TEST_CASE("devices hold what hosts believe and nothing is done to peers that did not change") {
  const std::uint64_t only = number_of("WESHER_DEVICE_SEED", 0);
  const std::uint64_t last = only != 0 ? only : number_of("WESHER_DEVICE_SEEDS", kSeeds);
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= last; ++seed)
    CHECK(broken_by(seed) == "");
}

}  // namespace wesher::sim
