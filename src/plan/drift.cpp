#include "plan/drift.h"

#include <algorithm>

namespace wesher::plan {

bool DriftBook::may_repair(const std::string& object, Instant now) const {
  const auto it = objects_.find(object);
  return it == objects_.end() || !it->second.fight || now >= it->second.paused_until;
}

bool DriftBook::repaired(const std::string& object, Instant now) {
  if (objects_.size() >= kDriftObjectsMax && !objects_.contains(object)) {
    objects_.erase(std::min_element(objects_.begin(), objects_.end(), [](auto& a, auto& b) {
      return a.second.last < b.second.last;
    }));
  }
  Object& it = objects_[object];
  it.last = now;
  if (it.fight) {
    it.pause = std::min<Duration>(it.pause * 2, kFightPauseMax);
    it.paused_until = now + it.pause;
    return false;
  }
  it.recent.push_back(now);
  while (it.recent.front() + kFightWindow <= now)
    it.recent.pop_front();
  if (it.recent.size() <= kFightRepairs) return false;
  it.recent.clear();
  it.fight = true;
  it.pause = kFightPauseFirst;
  it.paused_until = now + it.pause;
  return true;
}

std::vector<std::string> DriftBook::settle(Instant now) {
  std::vector<std::string> peaceful;
  for (auto it = objects_.begin(); it != objects_.end();) {
    const Object& object = it->second;
    const Instant quiet_since = object.fight ? object.paused_until : object.last;
    if (now < quiet_since + kFightWindow) {
      ++it;
      continue;
    }
    if (object.fight) peaceful.push_back(it->first);
    it = objects_.erase(it);
  }
  return peaceful;
}

bool DriftBook::is_fought_over(const std::string& object) const {
  const auto it = objects_.find(object);
  return it != objects_.end() && it->second.fight;
}

bool DriftBook::any_fight() const {
  return std::any_of(objects_.begin(), objects_.end(),
                     [](const auto& object) { return object.second.fight; });
}

std::optional<Instant> DriftBook::next_repair(Instant now) const {
  std::optional<Instant> next;
  for (const auto& [name, object] : objects_) {
    if (!object.fight || object.paused_until <= now) continue;
    next = next ? std::min(*next, object.paused_until) : object.paused_until;
  }
  return next;
}

}  // namespace wesher::plan
