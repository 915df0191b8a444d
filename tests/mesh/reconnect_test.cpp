#include "mesh/reconnect.h"

#include <map>

#include <catch2/catch.hpp>

#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

namespace {

using namespace test;

/// Runs from one timeout to the next and gives the calls per member.
std::map<std::string, int> run(Reconnect& reconnect, std::size_t live, Duration from, Duration to) {
  std::map<std::string, int> calls;
  Instant now = at(from).at;
  while (now < at(to).at) {
    const auto due = reconnect.poll_timeout();
    if (!due) break;
    const Instant before = now;
    now = std::max(now, *due);
    if (now >= at(to).at) break;
    while (const auto name = reconnect.take(live, now))
      ++calls[*name];
    const auto next = reconnect.poll_timeout();
    REQUIRE((!next || *next > before));
  }
  return calls;
}

}  // namespace

TEST_CASE("In its first minute a failed member is called every two seconds") {
  Reconnect reconnect(30s);
  reconnect.add("web", at(0s).at);
  CHECK(reconnect.poll_timeout() == at(2s).at);
  CHECK(run(reconnect, 1000, 0s, 60s)["web"] == 29);
}

TEST_CASE("Later all live members together call each failed one three times in the interval") {
  // 1 failed, 10 live: 3·1/(10·30) a second and node = one call in 100 s.
  Reconnect reconnect(30s);
  reconnect.add("web", at(0s).at);
  run(reconnect, 10, 0s, 61s);
  CHECK(run(reconnect, 10, 61s, 1061s)["web"] == 10);
}

TEST_CASE("However many are live each failed member is called every five minutes") {
  Reconnect reconnect(30s);
  reconnect.add("a", at(0s).at);
  reconnect.add("b", at(0s).at);
  run(reconnect, 100'000, 0s, 61s);
  const auto calls = run(reconnect, 100'000, 61s, 61s + 3000s);
  CHECK(calls.at("a") == 10);
  CHECK(calls.at("b") == 10);
}

TEST_CASE("Failed members are called in turn and never more than fifty a second") {
  Reconnect reconnect(30s);
  for (int i = 0; i < 5000; ++i)
    reconnect.add("m" + std::to_string(i), at(0s).at);
  int first = 0;
  for (const auto& [name, count] : run(reconnect, 1, 0s, 10s))
    first += count;
  CHECK(first <= 401);
  CHECK(first >= 399);
  run(reconnect, 1, 10s, 200s);
  const auto calls = run(reconnect, 1, 200s, 300s);
  CHECK(calls.size() == 5000);
  for (const auto& [name, count] : calls)
    REQUIRE(count == 1);
}

TEST_CASE("Who is removed is not called again and an empty list wants no timer") {
  Reconnect reconnect(30s);
  reconnect.add("a", at(0s).at);
  reconnect.add("b", at(0s).at);
  reconnect.remove("a");
  CHECK_FALSE(reconnect.contains("a"));
  CHECK(run(reconnect, 1, 0s, 600s).count("a") == 0);
  reconnect.remove("b");
  CHECK_FALSE(reconnect.poll_timeout());
  CHECK_FALSE(reconnect.take(1, at(700s).at));
}

}  // namespace wesher::mesh
