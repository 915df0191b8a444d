#include "mesh/contest.h"

#include <catch2/catch.hpp>

namespace wesher::mesh {

namespace {

constexpr bool kLive = true;
constexpr bool kGone = false;

using Things = Contest<int>;

}  // namespace

// One test per line of the table in contest.h, then what follows from it.

TEST_CASE("A live owner stays owner against a live claimant of a smaller name") {
  Things things;
  things.claim(1, "web", kLive);
  CHECK_FALSE(things.claim(1, "app", kLive).changed());
  CHECK(things.owner(1) == "web");
}

TEST_CASE("An owner that is not live yields to the live claimant with the smallest name") {
  Things things;
  things.claim(1, "app", kLive);
  things.claim(1, "web", kLive);
  things.claim(1, "db", kLive);
  const auto owners = things.claim(1, "app", kGone);
  CHECK(owners.before == "app");
  CHECK(owners.after == "db");
}

TEST_CASE("While nobody is live an owner that still claims stays") {
  Things things;
  things.claim(1, "web", kGone);
  CHECK_FALSE(things.claim(1, "app", kGone).changed());
  CHECK(things.owner(1) == "web");
}

TEST_CASE(
    "When the owner withdraws the smallest live name follows before smaller ones that are not") {
  Things things;
  things.claim(1, "web", kLive);
  things.claim(1, "app", kGone);
  things.claim(1, "db", kLive);
  CHECK(things.withdraw(1, "web").after == "db");
}

TEST_CASE("When the owner withdraws and nobody is live the smallest name follows") {
  Things things;
  things.claim(1, "web", kGone);
  things.claim(1, "db", kGone);
  things.claim(1, "app", kGone);
  CHECK(things.withdraw(1, "web").after == "app");
}

TEST_CASE("Without a claimant there is no owner and nothing is held") {
  Things things;
  things.claim(1, "web", kLive);
  CHECK(things.withdraw(1, "web").after.empty());
  CHECK(things.owner(1).empty());
  CHECK(things.size() == 0);
  CHECK_FALSE(things.withdraw(1, "web").changed());
}

TEST_CASE("An owner that comes back takes nothing from the one that followed it") {
  Things things;
  things.claim(1, "app", kLive);
  things.claim(1, "web", kLive);
  things.claim(1, "app", kGone);
  REQUIRE(things.owner(1) == "web");
  CHECK_FALSE(things.claim(1, "app", kLive).changed());
  CHECK(things.owner(1) == "web");
}

TEST_CASE("Things are contested each on its own") {
  Things things;
  things.claim(1, "web", kLive);
  things.claim(2, "app", kLive);
  CHECK(things.owner(1) == "web");
  CHECK(things.owner(2) == "app");
}

TEST_CASE("A thing is given only to somebody who claims it") {
  Things things;
  things.claim(1, "app", kLive);
  things.claim(1, "web", kLive);
  CHECK_FALSE(things.give(1, "db").changed());
  CHECK_FALSE(things.give(2, "web").changed());
  CHECK(things.give(1, "web").changed());
  CHECK(things.owner(1) == "web");
}

}  // namespace wesher::mesh
