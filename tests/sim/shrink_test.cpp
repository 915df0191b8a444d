// A run that fails is made smaller, and what is printed for it fails again in the same way.
#include "tests/sim/support/shrink.h"

#include <optional>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/sim/support/run.h"

namespace wesher::sim {

namespace {

/// A rule that the first kill of a host breaks, if there was a partition before.
Rule no_death_after_a_cut() {
  return [cut = false](const mesh::test::Network& net) mutable -> std::optional<std::string> {
    cut = cut || net.disturbed();
    if (cut && !(net.is_up("h1") && net.is_up("h2"))) return "no death after a cut";
    return std::nullopt;
  };
}

bool fails(const Plan& plan) {
  return run(plan, no_death_after_a_cut()).broken == "no death after a cut";
}

/// The value of one variable of a command.
std::string value_in(const std::string& command, const std::string& variable) {
  std::istringstream words(command);
  for (std::string word; words >> word;) {
    if (word.rfind(variable + "=", 0) == 0) return word.substr(variable.size() + 1);
  }
  return {};
}

}  // namespace

TEST_CASE("a failing plan is cut down to the faults that it needs, and its command repeats it") {
  std::uint64_t seed = 1;
  while (plan_of(seed).kinds.size() < 10 || !fails(plan_of(seed)))
    ++seed;
  const Plan least = shrink(plan_of(seed), fails, 500);
  CHECK(fails(least));
  CHECK(least.kinds.size() <= 2);
  CHECK(least.steps.size() == 2);  // one that disturbs, one that kills
  CHECK(least.hosts == 2);
  CHECK(least.stock == 0);

  const std::string command = command_of(least);
  const auto again = plan_from(seed, value_in(command, "WESHER_SIM_KINDS").c_str(),
                               value_in(command, "WESHER_SIM_HOSTS").c_str(),
                               value_in(command, "WESHER_SIM_STEPS").c_str());
  REQUIRE(again);
  CHECK(*again == least);
  CHECK(run(*again).trace == run(least).trace);
}

TEST_CASE("nothing is dropped of a plan that fails by all of its parts") {
  const Plan whole = plan_of(3);
  CHECK(shrink(
            whole, [&](const Plan& plan) { return plan == whole; }, 500) == whole);
}

TEST_CASE("a command with what the plan does not have is refused") {
  CHECK(plan_from(3, nullptr, nullptr, nullptr) == plan_of(3));
  CHECK_FALSE(plan_from(3, "cut,gremlins", nullptr, nullptr));
  CHECK_FALSE(plan_from(3, nullptr, "4", nullptr));
  CHECK_FALSE(plan_from(3, nullptr, "1+0", nullptr));
  CHECK_FALSE(plan_from(3, nullptr, nullptr, "0,400"));
  CHECK(plan_from(3, "none", "2+0", "none")->steps.empty());
}

}  // namespace wesher::sim
