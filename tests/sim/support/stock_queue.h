// The broadcast queue of a StockNode: memberlist's TransmitLimitedQueue.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"

namespace wesher::sim {

/// RetransmitMult · ⌈log10(n + 1)⌉ with the multiplier 4.
[[nodiscard]] unsigned stock_transmit_limit(std::size_t members);

class StockQueue {
 public:
  /// What was queued under the same name is displaced.
  void push(const std::string& name, Bytes message);
  /// Messages for one packet: those sent least often first, of these the largest that fit; each
  /// costs its length and 2 of the budget. Counts one transmission of each.
  [[nodiscard]] std::vector<Bytes> draw(std::size_t budget, unsigned limit);

  [[nodiscard]] bool contains(const std::string& name) const { return names_.contains(name); }

  [[nodiscard]] bool empty() const { return items_.empty(); }

  [[nodiscard]] std::size_t size() const { return items_.size(); }

 private:
  struct Item {
    unsigned sent = 0;
    std::uint64_t id = 0;
    std::string name;
    Bytes message;

    friend bool operator<(const Item& a, const Item& b) {
      if (a.sent != b.sent) return a.sent < b.sent;
      if (a.message.size() != b.message.size()) return a.message.size() > b.message.size();
      return a.id > b.id;
    }
  };

  std::set<Item> items_;
  std::unordered_map<std::string, std::set<Item>::iterator> names_;
  std::uint64_t ids_ = 0;
};

}  // namespace wesher::sim
