#include "tests/sim/support/stock_queue.h"

#include <cmath>
#include <utility>

namespace wesher::sim {

namespace {

constexpr std::size_t kItemOverhead = 2;
/// No claim is shorter; the search for something that still fits ends below it.
constexpr std::size_t kSmallest = 30;

}  // namespace

unsigned stock_transmit_limit(std::size_t members) {
  return 4 * static_cast<unsigned>(std::ceil(std::log10(static_cast<double>(members + 1))));
}

void StockQueue::push(const std::string& name, Bytes message) {
  if (message.empty()) return;
  if (const auto old = names_.find(name); old != names_.end()) items_.erase(old->second);
  names_[name] = items_.insert({0, ++ids_, name, std::move(message)}).first;
}

std::vector<Bytes> StockQueue::draw(std::size_t budget, unsigned limit) {
  std::vector<Bytes> drawn;
  std::vector<Item> again;
  for (auto at = items_.begin(); at != items_.end() && budget >= kSmallest;) {
    if (at->message.size() + kItemOverhead > budget) {
      ++at;
      continue;
    }
    budget -= at->message.size() + kItemOverhead;
    drawn.push_back(at->message);
    auto node = items_.extract(at++);
    if (++node.value().sent >= limit) {
      names_.erase(node.value().name);
    } else {
      again.push_back(std::move(node.value()));
    }
  }
  for (Item& item : again) {
    const std::string name = item.name;
    names_[name] = items_.insert(std::move(item)).first;
  }
  return drawn;
}

}  // namespace wesher::sim
