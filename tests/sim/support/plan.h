// What one run does, as data: which hosts there are, which faults may happen, and the steps, each
// with its own dice, so that any of them can be left out without a change of the others.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace wesher::sim {

enum class Kind : std::uint8_t {
  weather,   ///< datagrams lost, doubled and overtaken, streams lost; or good weather again
  cut,       ///< a partition in two
  split,     ///< a partition in three
  one_way,   ///< nothing passes from one to another
  swizzle,   ///< one after the other loses the network; it comes back in another order
  heal,      ///< all ways are open again
  restart,   ///< killed; or started again, with its state, without its database or with nothing
  leave,     ///< a goodbye
  pause,     ///< a process gets nothing for a while, then everything at once
  clock,     ///< the wall clock of a host is set
  replay,    ///< captured datagrams, to whomever
  lie,       ///< a holder of the key accuses others and invents members
  poison,    ///< lies that break stock nodes for good; told to our own only
  flood,     ///< more invented members, at once
  settings,  ///< timers, retention and blocks of incarnations of our hosts are odd in this run
};

[[nodiscard]] std::string_view to_text(Kind kind);
[[nodiscard]] const std::vector<Kind>& all_kinds();

struct Step {
  unsigned index = 0;  ///< its place in the whole plan of the seed
  Kind kind = Kind::heal;
  std::uint64_t dice = 0;  ///< seeds what it draws
  Duration wait{};         ///< what passes after it

  friend bool operator==(const Step&, const Step&) = default;
};

struct Plan {
  std::uint64_t seed = 0;
  unsigned hosts = 0;  ///< ours
  unsigned stock = 0;
  std::set<Kind> kinds;
  std::vector<Step> steps;

  friend bool operator==(const Plan&, const Plan&) = default;
};

/// The whole plan of a seed.
[[nodiscard]] Plan plan_of(std::uint64_t seed);
/// The same plan without the steps of other kinds.
[[nodiscard]] Plan with_kinds(Plan plan, std::set<Kind> kinds);

/// What to put before the program to run exactly this plan: "WESHER_SIM_SEED=57
/// WESHER_SIM_KINDS=cut,lie WESHER_SIM_HOSTS=3+1 WESHER_SIM_STEPS=4,17". `kinds` names those that
/// the run needs, "none" if there are none.
[[nodiscard]] std::string command_of(const Plan& plan);
/// The plan of a seed, cut down by such values; those that are null cut nothing down. Nothing if a
/// text can't be read or names what the plan does not have.
[[nodiscard]] std::optional<Plan> plan_from(std::uint64_t seed,
                                            const char* kinds,
                                            const char* hosts,
                                            const char* steps);

}  // namespace wesher::sim
