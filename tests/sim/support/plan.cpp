#include "tests/sim/support/plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/random.h"

namespace wesher::sim {

using namespace std::chrono_literals;

namespace {

constexpr unsigned kSteps = 40;
constexpr std::uint64_t kWaitMs = 20000;

/// How often a kind comes up among those that a run has.
unsigned weight_of(Kind kind) {
  switch (kind) {
    case Kind::settings:
      return 0;
    case Kind::swizzle:
    case Kind::flood:
      return 1;
    case Kind::restart:
    case Kind::lie:
      return 4;
    default:
      return 2;
  }
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::optional<unsigned> number_of(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::set<Kind>> kinds_from(std::string_view text) {
  std::set<Kind> kinds;
  if (text == "none") return kinds;
  for (const std::string_view part : parts_of(text)) {
    const auto found = std::find_if(all_kinds().begin(), all_kinds().end(),
                                    [&](Kind kind) { return to_text(kind) == part; });
    if (found == all_kinds().end()) return std::nullopt;
    kinds.insert(*found);
  }
  return kinds;
}

}  // namespace

std::string_view to_text(Kind kind) {
  static constexpr std::string_view kTexts[] = {
      "weather", "cut",   "split",  "one-way", "swizzle", "heal",  "restart", "leave",
      "pause",   "clock", "replay", "lie",     "poison",  "flood", "settings"};
  return kTexts[static_cast<std::size_t>(kind)];
}

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kinds = [] {
    std::vector<Kind> all;
    for (int i = 0; i <= static_cast<int>(Kind::settings); ++i)
      all.push_back(static_cast<Kind>(i));
    return all;
  }();
  return kinds;
}

Plan plan_of(std::uint64_t seed) {
  Rng rng = Rng::from_number(seed * 2 + 1);
  Plan plan;
  plan.seed = seed;
  plan.stock = static_cast<unsigned>(rng.below(std::uint64_t{6}));
  if (plan.stock > 3) plan.stock = 0;  // half of the seeds are ours alone
  plan.hosts = 3 + static_cast<unsigned>(rng.below(std::uint64_t{plan.stock == 0 ? 5U : 3U}));
  std::vector<Kind> bag;
  for (const Kind kind : all_kinds()) {
    const bool rare = kind == Kind::settings || kind == Kind::flood;
    if (rng.below(std::uint64_t{4}) < (rare ? 3U : 1U)) continue;
    plan.kinds.insert(kind);
    bag.insert(bag.end(), weight_of(kind), kind);
  }
  for (unsigned i = 0; i < kSteps && !bag.empty(); ++i) {
    const Kind kind = bag[rng.below(std::uint64_t{bag.size()})];
    const std::uint64_t dice = rng.u64();
    plan.steps.push_back({i, kind, dice, std::chrono::milliseconds(rng.below(kWaitMs))});
  }
  return plan;
}

Plan with_kinds(Plan plan, std::set<Kind> kinds) {
  plan.kinds = std::move(kinds);
  plan.steps.erase(
      std::remove_if(plan.steps.begin(), plan.steps.end(),
                     [&](const Step& step) { return !plan.kinds.contains(step.kind); }),
      plan.steps.end());
  return plan;
}

std::string command_of(const Plan& plan) {
  std::string kinds;
  for (const Kind kind : plan.kinds)
    kinds.append(kinds.empty() ? "" : ",").append(to_text(kind));
  std::string steps;
  for (const Step& step : plan.steps)
    steps.append(steps.empty() ? "" : ",").append(std::to_string(step.index));
  return "WESHER_SIM_SEED=" + std::to_string(plan.seed) +
         " WESHER_SIM_KINDS=" + (kinds.empty() ? "none" : kinds) +
         " WESHER_SIM_HOSTS=" + std::to_string(plan.hosts) + "+" + std::to_string(plan.stock) +
         " WESHER_SIM_STEPS=" + (steps.empty() ? "none" : steps);
}

std::optional<Plan> plan_from(std::uint64_t seed,
                              const char* kinds,
                              const char* hosts,
                              const char* steps) {
  Plan plan = plan_of(seed);
  if (kinds != nullptr) {
    auto wanted = kinds_from(kinds);
    if (!wanted) return std::nullopt;
    plan = with_kinds(std::move(plan), std::move(*wanted));
  }
  if (hosts != nullptr) {
    const std::string_view text = hosts;
    const std::size_t plus = text.find('+');
    if (plus == std::string_view::npos) return std::nullopt;
    const auto ours = number_of(text.substr(0, plus));
    const auto stock = number_of(text.substr(plus + 1));
    if (!ours || !stock || *ours < 2) return std::nullopt;
    plan.hosts = *ours;
    plan.stock = *stock;
  }
  if (steps == nullptr) return plan;
  std::vector<Step> wanted;
  for (const std::string_view part : parts_of(steps)) {
    if (part == "none") continue;
    const auto found = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
      return number_of(part) == step.index;
    });
    if (found == plan.steps.end()) return std::nullopt;
    wanted.push_back(*found);
  }
  plan.steps = std::move(wanted);
  return plan;
}

}  // namespace wesher::sim
