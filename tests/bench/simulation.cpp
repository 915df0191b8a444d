// Speed of the simulation: idle nodes with the real core and real encryption in virtual time, on
// the network of tests/gossip/support/cluster. One row a size: nodes, and how many seconds of
// theirs, all together, pass in a second of processor time.
#include <cstdio>

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include "tests/gossip/support/cluster.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
}

}  // namespace

TEST_CASE("idle nodes") {
  constexpr auto kSpan = 600s;
  for (const std::size_t nodes : {100, 300}) {
    Cluster cluster(nodes);
    // One after the other: what many cost that join at once is another question.
    for (std::size_t i = 0; i < nodes; ++i) {
      cluster.start(i, 0);
      cluster.run(100ms);
    }
    cluster.run(120s);
    for (std::size_t i = 0; i < nodes; ++i)
      REQUIRE(cluster.node(i).live() == nodes - 1);
    const double before = processor_seconds();
    cluster.run(kSpan);
    const double node_seconds = static_cast<double>(nodes) * static_cast<double>(kSpan.count());
    std::printf("| %zu | %.0f |\n", nodes, node_seconds / (processor_seconds() - before));
    std::fflush(stdout);
  }
}

}  // namespace wesher::gossip::testing
