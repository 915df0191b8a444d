// The queue of broadcast_queue.h: items by subject, and an index of them by preference.
#include "gossip/broadcast_queue.h"

#include <iterator>
#include <limits>

namespace wesher::gossip {

namespace {
constexpr std::size_t kPartOverhead = 2;  ///< a part's length in the compound header
}

void BroadcastQueue::put(std::string_view subject, Bytes message) {
  if (message.empty()) return;
  auto item = items_.find(subject);
  if (item == items_.end()) {
    item = items_.emplace(std::string(subject), Item{}).first;
  } else {
    ranked_.erase(item->second.rank);
  }
  item->second.rank = {0, message.size(), next_id_++};
  item->second.message = std::move(message);
  ranked_.emplace(item->second.rank, item);
  if (items_.size() > capacity_) {
    const auto worst = std::prev(ranked_.end());
    items_.erase(worst->second);
    ranked_.erase(worst);
  }
}

std::vector<Bytes> BroadcastQueue::draw(std::size_t budget, std::size_t parts, unsigned limit) {
  std::vector<Bytes> drawn;
  std::vector<Items::iterator> taken;
  auto at = ranked_.begin();
  while (at != ranked_.end() && taken.size() < parts && budget > kPartOverhead) {
    // The first of this transmit count that fits, or the first of the next count, to be asked
    // again.
    const unsigned count = at->first.transmits;
    at = ranked_.lower_bound(
        {count, budget - kPartOverhead, std::numeric_limits<std::uint64_t>::max()});
    if (at == ranked_.end()) break;
    if (at->first.transmits != count) continue;
    budget -= at->first.size + kPartOverhead;
    drawn.push_back(at->second->second.message);
    taken.push_back(at->second);
    at = ranked_.erase(at);
  }
  for (const auto& item : taken) {
    Rank& rank = item->second.rank;
    if (++rank.transmits >= limit) {
      items_.erase(item);
    } else {
      ranked_.emplace(rank, item);
    }
  }
  return drawn;
}

}  // namespace wesher::gossip
