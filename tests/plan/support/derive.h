// Desired rows by going through all members once, in the order of their names: what DesiredTable
// must come to, whatever way it was filled.
#pragma once

#include <vector>

#include "plan/desired.h"

namespace wesher::plan::test {

struct DesiredResult {
  Desired desired;
  std::vector<Loser> losers;  ///< sorted by name
};

[[nodiscard]] DesiredResult derive(const OwnNode& own, const std::vector<Member>& members);

/// The same by a table: members put in one after the other.
[[nodiscard]] DesiredResult by_table(const OwnNode& own, const std::vector<Member>& members);

}  // namespace wesher::plan::test
