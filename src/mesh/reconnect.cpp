#include "mesh/reconnect.h"

#include <algorithm>

namespace wesher::mesh {

void Reconnect::add(const std::string& name, Instant now) {
  remove(name);
  ring_.insert(name);
  fast_[name] = {now + kFastPause, now + kFastPhase};
  queue_.emplace(now + kFastPause, name);
  if (!slow_due_) slow_due_ = now + kFastPhase;
}

void Reconnect::remove(std::string_view name) {
  const auto found = fast_.find(name);
  if (found != fast_.end()) {
    queue_.erase({found->second.due, found->first});
    fast_.erase(found);
  }
  const auto at = ring_.find(name);
  if (at != ring_.end()) ring_.erase(at);
  if (ring_.empty()) slow_due_.reset();
}

std::optional<std::string> Reconnect::take(std::size_t live, Instant now) {
  if (now < not_before_) return std::nullopt;
  if (!queue_.empty() && queue_.begin()->first <= now) {
    const std::string name = queue_.begin()->second;
    queue_.erase(queue_.begin());
    Fast& fast = fast_[name];
    fast.due = now + kFastPause;
    if (fast.due < fast.until) {
      queue_.emplace(fast.due, name);
    } else {
      fast_.erase(name);
    }
    not_before_ = now + kShortestPause;
    return name;
  }
  if (!slow_due_ || *slow_due_ > now) return std::nullopt;
  schedule_slow(live, now);
  auto next = ring_.upper_bound(cursor_);
  if (next == ring_.end()) next = ring_.begin();
  cursor_ = *next;
  if (fast_.contains(*next)) return std::nullopt;  // called every 2 s anyway
  not_before_ = now + kShortestPause;
  return *next;
}

std::optional<Instant> Reconnect::poll_timeout() const {
  std::optional<Instant> due = slow_due_;
  if (!queue_.empty()) due = due ? std::min(*due, queue_.begin()->first) : queue_.begin()->first;
  if (due) due = std::max(*due, not_before_);
  return due;
}

void Reconnect::schedule_slow(std::size_t live, Instant now) {
  const auto failed = static_cast<Duration::rep>(ring_.size());
  const auto sharers = static_cast<Duration::rep>(std::max<std::size_t>(live, 1));
  const Duration shared = interval_ * sharers / (3 * failed);
  const Duration alone = kSlowestRound / failed;
  slow_due_ = now + std::max(std::min(shared, alone), kShortestPause);
}

}  // namespace wesher::mesh
