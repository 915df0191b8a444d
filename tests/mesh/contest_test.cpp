#include "mesh/contest.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "base/random.h"

namespace wesher::mesh {

namespace {

constexpr bool kLive = true;
constexpr bool kGone = false;

using Things = Contest<int>;

/// The rule in its plainest form, for one thing.
struct Plain {
  std::map<std::string, bool> live;  ///< by claimant
  std::string owner;

  void decide() {
    const auto here = live.find(owner);
    if (here != live.end() && here->second) return;
    const auto first =
        std::find_if(live.begin(), live.end(), [](const auto& one) { return one.second; });
    if (first != live.end()) {
      owner = first->first;
    } else if (here == live.end()) {
      owner = live.empty() ? std::string{} : live.begin()->first;
    }
  }
};

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

TEST_CASE("Whatever is claimed, withdrawn and given, owners and claimants are those of the rule") {
  Rng rng = Rng::from_number(1);
  Things things;
  std::map<int, Plain> plain;
  for (int step = 0; step < 20000; ++step) {
    const int thing = static_cast<int>(rng.below(3));
    const std::string name(1, static_cast<char>('a' + rng.below(5)));
    Plain& expected = plain[thing];
    const std::string before = expected.owner;
    Things::Owners owners;
    switch (rng.below(5)) {
      case 0:
      case 1: {
        const bool live = rng.below(2) == 0;
        owners = things.claim(thing, name, live);
        expected.live[name] = live;
        expected.decide();
        break;
      }
      case 2:
        owners = things.give(thing, name);
        if (expected.live.contains(name)) expected.owner = name;
        break;
      default:
        owners = things.withdraw(thing, name);
        expected.live.erase(name);
        expected.decide();
    }
    CHECK(owners.changed() == (before != expected.owner));
    if (owners.changed()) {
      CHECK(owners.before == before);
      CHECK(owners.after == expected.owner);
    }
    CHECK(things.owner(thing) == expected.owner);
    std::vector<std::string> claimants;
    things.each_claimant(thing, [&](const std::string& one) { claimants.push_back(one); });
    std::sort(claimants.begin(), claimants.end());
    std::vector<std::string> wanted;
    for (const auto& [one, live] : expected.live)
      wanted.push_back(one);
    CHECK(claimants == wanted);
  }
}

}  // namespace wesher::mesh
