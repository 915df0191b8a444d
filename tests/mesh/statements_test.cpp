#include "mesh/statements.h"

#include <catch2/catch.hpp>

#include "tests/mesh/support/samples.h"

namespace wesher::mesh {

using namespace test;

namespace {

wire::Statement forget(const std::string& name, std::chrono::minutes at, std::uint8_t by = 1) {
  std::array<std::uint8_t, kKeyBytes> seed{};
  seed.fill(by);
  return wire::make_statement(wire::StatementKind::forget, kWall + at, name,
                              SigningKey(SecretKey(seed)));
}

}  // namespace

TEST_CASE("Of two statements about a member the later one counts, whatever their order") {
  Statements set;
  CHECK(set.hear(forget("web", 0min), kWall));
  CHECK_FALSE(set.hear(forget("web", 0min), kWall));
  CHECK(set.hear(forget("web", 1min), kWall));
  CHECK_FALSE(set.hear(forget("web", 0min, 2), kWall));
  Statements other;
  CHECK(other.hear(forget("web", 1min), kWall));
  CHECK(other.digest() == set.digest());
  CHECK(other.digest() != 0);
  CHECK(set.all() == other.all());
}

TEST_CASE("A statement concerns a member that was away already, clocks being what they are") {
  Statements set;
  REQUIRE(set.hear(forget("web", 10min), kWall + 10min));
  CHECK(set.forgotten("web", kWall));
  CHECK(set.forgotten("web", kWall + 15min));
  CHECK_FALSE(set.forgotten("web", kWall + 15min + 1ms));
  CHECK_FALSE(set.forgotten("db", kWall));
}

TEST_CASE("A statement from the future or past its time is refused, and dropped when it is over") {
  Statements set;
  CHECK(set.hear(forget("a", 5min), kWall));
  CHECK_FALSE(set.hear(forget("b", 6min), kWall));
  CHECK_FALSE(set.hear(forget("b", 0min), kWall + Statements::kKept));
  CHECK(set.hear(forget("c", 0min), kWall + Statements::kKept - 1ms));
  set.expire(kWall + Statements::kKept);
  CHECK(set.all().size() == 1);
  set.expire(kWall + Statements::kKept + 5min);
  CHECK(set.empty());
  CHECK(set.digest() == 0);
}

TEST_CASE("Of too many statements the oldest goes") {
  Statements set;
  for (std::size_t i = 0; i < wire::kStatementsMax; ++i)
    REQUIRE(set.hear(forget("m" + std::to_string(i), std::chrono::minutes{i % 60}), kWall + 1h));
  CHECK_FALSE(set.hear(forget("older", -1min), kWall + 1h));
  CHECK(set.hear(forget("newer", 60min), kWall + 1h));
  CHECK(set.all().size() == wire::kStatementsMax);
  CHECK_FALSE(set.forgotten("m0", kWall));
}

}  // namespace wesher::mesh
