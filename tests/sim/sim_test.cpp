// Whole clusters of the real Mesh on a virtual network and clock, under faults that one seed
// decides: first a time of faults, in which no rule may ever be broken (Network checks every host
// after each of its inputs), then a calm in which everybody must find everybody.
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/mesh/support/network.h"
#include "wire/keyring.h"
#include "wire/messages.h"
#include "wire/packet.h"

namespace wesher::sim {

using namespace std::chrono_literals;
using mesh::test::Host;
using mesh::test::Network;

namespace {

constexpr unsigned kSteps = 40;
/// How long a cluster may take to be whole after the last fault. The slowest parts: a suspicion
/// that began just before (two minutes), and members that failed are called every 30 s.
constexpr Duration kCalm = 4min;
constexpr unsigned kSeeds = 150;

struct Outcome {
  std::uint64_t trace = 0;
  Duration whole{};  ///< after the last fault
  bool converged = false;
};

class Run {
 public:
  explicit Run(std::uint64_t seed) : net_(seed), rng_(Rng::from_number(seed * 2 + 1)) {
    REQUIRE(ring_.add(Bytes(32, 1)));
    net_.on_datagram = [this](Host&, const gossip::Transmit& sent) {
      if (captured_.size() < 500) captured_.push_back(sent);
    };
    const std::uint64_t count = 3 + pick(5);
    for (std::uint64_t i = 1; i <= count; ++i)
      hosts_.push_back(&net_.add("h" + std::to_string(i), static_cast<std::uint8_t>(i)));
    for (Host* host : hosts_) {
      host->seeds = {hosts_[0]->endpoint, hosts_[1]->endpoint};
      net_.start(*host);
      net_.run(std::chrono::milliseconds(pick(3000)));
    }
  }

  Outcome go() {
    for (unsigned i = 0; i < kSteps; ++i) {
      step();
      net_.run(std::chrono::milliseconds(pick(20000)));
    }
    calm();
    Outcome outcome;
    while (!outcome.converged && outcome.whole < kCalm) {
      net_.run(1s);
      outcome.whole += 1s;
      outcome.converged = net_.converged();
    }
    outcome.trace = net_.trace;
    return outcome;
  }

 private:
  std::uint64_t pick(std::uint64_t below) { return rng_.u64() % below; }

  Host& any() { return *hosts_[pick(hosts_.size())]; }

  void calm() {
    net_.weather = {};
    net_.one_way.clear();
    net_.heal();
    for (Host* host : hosts_) {
      if (!host->up()) net_.start(*host);
    }
  }

  void step() {
    switch (pick(12)) {
      case 0:
        net_.weather = {pick(400), pick(200), std::chrono::milliseconds(pick(800))};
        return;
      case 1:
        net_.weather = {};
        return;
      case 2:
        return cut();
      case 3:
        return net_.heal();
      case 4:
        net_.one_way.insert({any().name, any().name});
        return;
      case 5:
        return net_.one_way.clear();
      case 6:
      case 7:
        return restart(any());
      case 8:
        return leave(any());
      case 9:
        return replay();
      default:
        return lie();
    }
  }

  void cut() {
    std::set<std::string> group;
    for (const Host* host : hosts_) {
      if (pick(2) == 0) group.insert(host->name);
    }
    net_.cut(group);
  }

  /// Killed, or started again: with its state, without its database, or without any state.
  void restart(Host& host) {
    if (host.up()) return net_.kill(host);
    const std::uint64_t lost = pick(6);
    if (lost <= 1) host.rows.clear();
    if (lost == 0) {
      host.incarnation = 1;
      host.own.key = mesh::test::key(static_cast<std::uint8_t>(100 + ++keys_ % 100));
    }
    net_.start(host);
  }

  void leave(Host& host) {
    if (host.up()) (void)net_.leave(host, 3s);
  }

  void replay() {
    for (unsigned i = 0; i < 50 && !captured_.empty(); ++i) {
      Host& to = any();
      if (to.up()) net_.inject(to, any().endpoint, captured_[pick(captured_.size())].datagram);
    }
  }

  /// A holder of the key says that others are gone or suspect, and invents members.
  void lie() {
    const Host& victim = any();
    const std::string accuser = pick(2) == 0 ? victim.name : any().name;
    const auto incarnation = static_cast<std::uint32_t>(pick(1U << (1 + pick(20))));
    std::vector<Bytes> lies;
    lies.push_back(wire::encode(wire::Dead{incarnation, victim.name, accuser}));
    lies.push_back(wire::encode(wire::Suspect{incarnation, any().name, accuser}));
    wire::Alive ghost;
    ghost.incarnation = 1;
    ghost.node = "ghost" + std::to_string(pick(5));
    ghost.address = {192, 0, 2, 250};
    ghost.port = 7946;
    ghost.versions = {1, 5, 2, 0, 0, 0};
    lies.push_back(wire::encode(ghost));
    const Bytes datagram = wire::seal_packet(ring_, wire::pack(lies), rng_);
    for (Host* host : hosts_) {
      if (host->up() && pick(2) == 0) net_.inject(*host, any().endpoint, datagram);
    }
  }

  Network net_;
  Rng rng_;
  wire::Keyring ring_;
  std::vector<Host*> hosts_;
  std::vector<gossip::Transmit> captured_;
  unsigned keys_ = 0;
};

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("clusters under faults break no rule and are whole when the faults stop") {
  const std::uint64_t only = number_of("WESHER_SIM_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : number_of("WESHER_SIM_SEEDS", kSeeds);
  Duration longest{};
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    INFO("again: WESHER_SIM_SEED=" << seed << " build/dev/tests/sim_tests");
    const Outcome outcome = Run(seed).go();
    CHECK(outcome.converged);
    longest = std::max(longest, outcome.whole);
  }
  WARN("longest time until a cluster was whole: "
       << std::chrono::duration_cast<std::chrono::seconds>(longest).count() << " s");
}

TEST_CASE("one seed gives one run") {
  const std::uint64_t trace = Run(5).go().trace;
  CHECK(Run(5).go().trace == trace);
  CHECK(Run(6).go().trace != trace);
}

}  // namespace wesher::sim
