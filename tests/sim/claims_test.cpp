// Who has which overlay address: the real rules, between nodes on a network of rounds
// (support/claims.h). README.md tells what is held against them and how to repeat a run.
#include "tests/sim/support/claims.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace wesher::sim::claims {

namespace {

constexpr std::uint64_t kSeeds = 20'000;
constexpr std::uint64_t kHunts = 1000;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The seeds of one parity: two halves that run beside each other.
void run_seeds(std::uint64_t parity) {
  const std::uint64_t only = number_of("WESHER_CLAIM_SEED", 0);
  const std::uint64_t first = only != 0 ? only : number_of("WESHER_CLAIM_FIRST", 1);
  const std::uint64_t last = only != 0 ? only : first - 1 + number_of("WESHER_CLAIM_SEEDS", kSeeds);
  Outcome most;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    if (seed % 2 != parity) continue;
    const Outcome outcome = run(seed, only != 0);
    if (!outcome.broken.empty()) {
      CHECK(outcome.broken + "\nagain: WESHER_CLAIM_SEED=" + std::to_string(seed) +
                " build/dev/tests/sim_tests \"claims*\"" ==
            "");
    }
    most.conflicts = std::max(most.conflicts, outcome.conflicts);
    most.address_rounds = std::max(most.address_rounds, outcome.address_rounds);
    most.rounds = std::max(most.rounds, outcome.rounds);
    most.moves += outcome.moves;
    most.stayed += outcome.stayed;
    most.stayed_honestly += outcome.stayed_honestly;
    most.waiting += outcome.waiting;
  }
  WARN("rounds until no address was held twice: at most "
       << most.address_rounds << ", until all was settled: " << most.rounds
       << "; conflicts when the faults stopped: at most " << most.conflicts << "; forced moves: "
       << most.moves << "; conflicts left because somebody had moved too often: " << most.stayed
       << ", without a liar: " << most.stayed_honestly << "; without an address as the pool was "
       << "full: " << most.waiting);
}

/// Runs that once ended wrongly, by what was wrong with the rules that they were held against.
struct Found {
  const char* what;
  std::vector<std::uint64_t> seeds;
};

}  // namespace

TEST_CASE("runs of claims that were once judged wrongly pass") {
  const Found all[] = {
      {"a liar wants the network address, which is another name's", {56074, 86407, 575696, 799054}},
      {"who waits for --overlay-ip asks many, and one knows that its holder is dead",
       {30855, 400722, 632876}},
      {"a liar's own key is that of a name that it made up", {97188, 122846, 718825}},
      {"a liar has the name of a Go member, and an address under it", {567956}},
  };
  for (const Found& found : all) {
    for (const std::uint64_t seed : found.seeds) {
      INFO(found.what << ": WESHER_CLAIM_SEED=" << seed);
      CHECK(run(seed).broken == "");
    }
  }
}

TEST_CASE("claims of addresses of one node by one liar move it three times a day, and it stays") {
  unsigned stayed = 0;
  for (std::uint64_t seed = 1; seed <= kHunts; ++seed) {
    const Outcome outcome = run(seed, false, Course::hunt);
    INFO("seed " << seed);
    CHECK(outcome.broken == "");
    stayed += outcome.stayed;
  }
  CHECK(stayed > kHunts / 100);
}

TEST_CASE("claims of addresses break no rule and are settled when the faults stop (odd seeds)") {
  run_seeds(1);
}

TEST_CASE("claims of addresses break no rule and are settled when the faults stop (even seeds)") {
  run_seeds(0);
}

}  // namespace wesher::sim::claims
