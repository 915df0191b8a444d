#include "mesh/overlay_pings.h"

#include <algorithm>

namespace wesher::mesh {

void OverlayPings::event(Instant now) {
  if (!enabled_) return;
  event_at_ = now;
  const Instant soon = now + kStages.front().every;
  next_ = next_ ? std::min(*next_, soon) : soon;
}

std::vector<std::string> OverlayPings::take_due(const std::set<std::string, std::less<>>& names,
                                                Instant now) {
  std::vector<std::string> due;
  if (!next_ || now < *next_) return due;
  const std::size_t count = std::min(kAtOnce, names.size());
  for (auto at = names.upper_bound(cursor_); due.size() < count; ++at) {
    if (at == names.end()) at = names.begin();
    if (!budget_.take(now, kBurst)) break;
    due.push_back(*at);
  }
  if (!due.empty()) cursor_ = due.back();
  const auto stage = std::find_if(kStages.begin(), kStages.end(), [&](const Stage& each) {
    return now + each.every <= event_at_ + each.until;
  });
  next_.reset();
  if (stage != kStages.end() && !names.empty()) next_ = now + stage->every;
  return due;
}

}  // namespace wesher::mesh
