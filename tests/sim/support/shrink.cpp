#include "tests/sim/support/shrink.h"

#include <algorithm>
#include <utility>

namespace wesher::sim {

namespace {

class Shrinker {
 public:
  Shrinker(Plan plan, const std::function<bool(const Plan&)>& fails, unsigned tries)
      : best_(std::move(plan)), fails_(fails), left_(tries) {}

  Plan go() {
    for (bool smaller = true; smaller && left_ > 0;) {
      smaller = drop_kinds();
      smaller = drop_steps() || smaller;
      smaller = drop_hosts() || smaller;
    }
    return best_;
  }

 private:
  bool accept(Plan plan) {
    if (left_ == 0) return false;
    --left_;
    if (!fails_(plan)) return false;
    best_ = std::move(plan);
    return true;
  }

  bool drop_kinds() {
    bool any = false;
    for (const Kind kind : std::set<Kind>(best_.kinds)) {
      std::set<Kind> others = best_.kinds;
      others.erase(kind);
      any = accept(with_kinds(best_, std::move(others))) || any;
    }
    return any;
  }

  /// Runs of half the steps, then of a quarter, and so on, down to single ones.
  bool drop_steps() {
    bool any = false;
    for (std::size_t chunk = std::max<std::size_t>(best_.steps.size() / 2, 1); chunk > 0;
         chunk /= 2) {
      for (std::size_t first = 0; first < best_.steps.size();) {
        Plan fewer = best_;
        const auto from = fewer.steps.begin() + static_cast<std::ptrdiff_t>(first);
        const std::size_t count = std::min(chunk, fewer.steps.size() - first);
        fewer.steps.erase(from, from + static_cast<std::ptrdiff_t>(count));
        if (accept(std::move(fewer))) {
          any = true;
        } else {
          first += chunk;
        }
      }
    }
    return any;
  }

  bool drop_hosts() {
    bool any = false;
    const auto drop = [&](unsigned Plan::*count, unsigned least) {
      while (best_.*count > least) {
        Plan fewer = best_;
        --(fewer.*count);
        if (!accept(std::move(fewer))) return;
        any = true;
      }
    };
    drop(&Plan::stock, 0);
    drop(&Plan::hosts, 2);
    return any;
  }

  Plan best_;
  const std::function<bool(const Plan&)>& fails_;
  unsigned left_;
};

}  // namespace

Plan shrink(Plan plan, const std::function<bool(const Plan&)>& fails, unsigned tries) {
  return Shrinker(std::move(plan), fails, tries).go();
}

}  // namespace wesher::sim
