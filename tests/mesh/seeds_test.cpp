#include "mesh/seeds.h"

#include <catch2/catch.hpp>

#include "mesh/mesh.h"
#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

namespace {

using namespace test;

const Endpoint kSeed = Endpoint{IpAddress::v4(203, 0, 113, 5), 7946};

struct Bench {
  Seeds seeds{2s, 60s, "3f9a-c2e1"};
  Rng rng = Rng::from_number(1);

  std::vector<Fact> fail(Duration when, const std::string& reason) {
    return seeds.result(kSeed, false, reason, at(when), rng);
  }
};

SeedHealth health(const std::vector<Fact>& facts) {
  REQUIRE_FALSE(facts.empty());
  return std::get<SeedHealth>(facts.front());
}

}  // namespace

TEST_CASE("A seed is due at once and not again while it is being tried") {
  Bench bench;
  bench.seeds.set({kSeed}, at(0s).at);
  CHECK(bench.seeds.poll_timeout() == at(0s).at);
  CHECK(bench.seeds.take_due(at(0s).at) == std::vector<Endpoint>{kSeed});
  CHECK(bench.seeds.take_due(at(0s).at).empty());
  CHECK_FALSE(bench.seeds.poll_timeout());
}

TEST_CASE("A silent seed is retried with pauses that grow from 2 to 60 seconds and reported once") {
  Bench bench;
  bench.seeds.set({kSeed}, at(0s).at);
  Instant now = at(0s).at;
  std::vector<std::string> lines;
  std::vector<double> pauses;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    REQUIRE(bench.seeds.take_due(now).size() == 1);
    const auto facts = bench.fail(now - at(0s).at, "it closed the connection without an answer");
    for (const std::string& text : texts(facts))
      lines.push_back(text);
    CHECK(health(facts).tries == i);
    CHECK(health(facts).since == kWall);
    CHECK(health(facts).detail == "connected, no answer (another cluster key?)");
    pauses.push_back(std::chrono::duration<double>(*bench.seeds.poll_timeout() - now).count());
    now = *bench.seeds.poll_timeout();
  }
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        "cannot join through 203.0.113.5:7946: it closed the connection without an answer; most "
        "likely its cluster key is not ours (3f9a-c2e1). Compare 'wesher status' there. Trying "
        "again in 2s, then up to every 60s");
  for (std::size_t i = 0; i < pauses.size(); ++i) {
    const double full = std::min(60.0, 2.0 * static_cast<double>(1U << i));
    CHECK(pauses[i] <= full);
    CHECK(pauses[i] >= full * 0.9);
  }
}

TEST_CASE("Each new situation of a seed is reported once until it was reached") {
  Bench bench;
  bench.seeds.set({kSeed}, at(0s).at);
  CHECK(texts(bench.fail(0s, "connection refused")).size() == 1);
  CHECK(texts(bench.fail(2s, "connection refused")).empty());
  CHECK(texts(bench.fail(4s, "no route to host")) ==
        std::vector<std::string>{"cannot join through 203.0.113.5:7946: no route to host. Trying "
                                 "again in 8s, then up to every 60s"});
  CHECK(texts(bench.fail(9s, "connection refused")).empty());
  const auto reached = bench.seeds.result(kSeed, true, "", at(20s), bench.rng);
  REQUIRE(reached.size() == 1);
  CHECK(health(reached).ok);
  CHECK(bench.seeds.result(kSeed, true, "", at(80s), bench.rng).empty());
  const auto again = bench.fail(140s, "connection refused");
  CHECK(texts(again).size() == 1);
  CHECK(health(again).tries == 1);
  CHECK(health(again).since == at(140s).wall);
}

TEST_CASE("A seed that was reached is asked again after the longest pause") {
  Bench bench;
  bench.seeds.set({kSeed}, at(0s).at);
  CHECK(bench.seeds.take_due(at(0s).at).size() == 1);
  (void)bench.seeds.result(kSeed, true, "", at(1s), bench.rng);
  CHECK(bench.seeds.poll_timeout() == at(61s).at);
}

TEST_CASE("A new set keeps what is known of old seeds and drops the others") {
  Bench bench;
  const Endpoint other = endpoint("203.0.113.6:7946");
  bench.seeds.set({kSeed}, at(0s).at);
  CHECK(bench.seeds.take_due(at(0s).at).size() == 1);
  (void)bench.fail(0s, "connection refused");
  bench.seeds.set({other, kSeed}, at(1s).at);
  CHECK(bench.seeds.take_due(at(1s).at) == std::vector<Endpoint>{other});
  bench.seeds.set({other}, at(1s).at);
  CHECK_FALSE(bench.seeds.contains(kSeed));
  CHECK(bench.fail(2s, "connection refused").empty());
}

TEST_CASE("A name that resolves to very many addresses gives 64 seeds") {
  Bench bench;
  std::vector<Endpoint> many;
  for (std::uint16_t i = 0; i < 1000; ++i)
    many.push_back({IpAddress::v4(203, 0, 113, 5), i});
  bench.seeds.set(many, at(0s).at);
  CHECK(bench.seeds.all().size() == Seeds::kSeedsMax);
}

}  // namespace wesher::mesh
