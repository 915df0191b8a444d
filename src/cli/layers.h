// The five judgements of `status`, each on its own. Each compares what is wanted with what is there
// and names what is missing; several problems of one layer stand in one line, the worst first.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/status.h"

namespace wesher::cli {

/// A partition is suspected when so many members failed, and at least half of all.
inline constexpr std::size_t kPartitionMembersMin = 2;
/// Failures within this time belong together.
inline constexpr std::chrono::minutes kPartitionSpread{5};

/// How many members are in which state, this host among them; those that left don't count.
struct Census {
  std::size_t alive = 1;  ///< this host
  std::size_t suspect = 0;
  std::size_t failed = 0;
  std::size_t refused = 0;
  WallTime first_failure = WallTime::max();
  WallTime last_failure = WallTime::min();

  [[nodiscard]] std::size_t total() const { return alive + suspect + failed; }

  [[nodiscard]] bool half_failed() const {
    return failed >= kPartitionMembersMin && failed * 2 >= total();
  }

  /// Half of the members failed together.
  [[nodiscard]] bool looks_partitioned() const;
};

[[nodiscard]] Census count_members(const std::vector<Member>& members);

/// A layer that is in order with this text, or not with these problems.
[[nodiscard]] Layer make_layer(std::string name,
                               const std::vector<std::string>& problems,
                               std::string text);

[[nodiscard]] Layer judge_device(const Snapshot& snapshot);
[[nodiscard]] Layer judge_routes(const Snapshot& snapshot);
[[nodiscard]] Layer judge_hosts(const Snapshot& snapshot);

}  // namespace wesher::cli
