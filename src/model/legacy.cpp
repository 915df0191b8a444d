#include "model/legacy.h"

namespace wesher {

bool disturbs_legacy(const std::optional<Member>& before, const Member& after) {
  const bool is_there = is_live_state(after.state);
  const bool was_there = before && is_live_state(before->state);
  if (!is_there || !was_there) return is_there != was_there;
  return before->meta != after.meta || before->underlay != after.underlay;
}

}  // namespace wesher
