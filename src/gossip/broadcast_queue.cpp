// The queue of broadcast_queue.h: items by subject, and an index of them by preference.
#include "gossip/broadcast_queue.h"

#include <iterator>
#include <limits>

namespace wesher::gossip {

namespace {
constexpr std::size_t kPartOverhead = 2;  ///< a part's length in the compound header
}

void BroadcastQueue::put(std::string_view subject, const Bytes& message) {
  if (message.empty()) return;
  const auto found = items_.find(subject);
  Item* item = nullptr;
  if (found == items_.end()) {
    auto made = std::make_unique<Item>();
    item = made.get();
    item->subject = subject;
    items_.insert(std::move(made));
  } else {
    item = found->get();
    ranked_.erase(item);
  }
  item->message = message;
  item->id = next_id_++;
  item->transmits = 0;
  ranked_.insert(item);
  if (items_.size() > capacity_) {
    const auto worst = std::prev(ranked_.end());
    const std::string_view dropped = (*worst)->subject;
    ranked_.erase(worst);
    items_.erase(items_.find(dropped));
  }
}

void BroadcastQueue::draw(wire::PacketParts& out,
                          std::size_t budget,
                          std::size_t parts,
                          unsigned limit) {
  taken_.clear();
  auto at = ranked_.begin();
  while (at != ranked_.end() && taken_.size() < parts && budget > kPartOverhead) {
    // The first of this transmit count that fits, or the first of the next count, to be asked
    // again.
    const unsigned count = (*at)->transmits;
    at = ranked_.lower_bound(
        Rank{count, budget - kPartOverhead, std::numeric_limits<std::uint64_t>::max()});
    if (at == ranked_.end()) break;
    Item* item = *at;
    if (item->transmits != count) continue;
    budget -= item->message.size() + kPartOverhead;
    out.add(item->message);
    taken_.push_back(item);
    at = ranked_.erase(at);
  }
  for (Item* item : taken_) {
    if (++item->transmits >= limit) {
      items_.erase(items_.find(std::string_view(item->subject)));
    } else {
      ranked_.insert(item);
    }
  }
}

}  // namespace wesher::gossip
