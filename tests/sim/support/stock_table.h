// The member table of a StockNode: records in an order that is shuffled, found by name. Many nodes
// may start from one shared table; what a node changes in it is its own.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "base/random.h"
#include "wire/messages.h"

namespace wesher::sim {

struct StockRecord {
  std::string name;
  Bytes address;
  std::uint16_t port = 0;
  Bytes meta;
  wire::Versions versions{};  ///< all zero: none were announced
  std::uint32_t incarnation = 0;
  wire::EntryState state = wire::EntryState::dead;
  Instant changed;

  [[nodiscard]] bool down() const {
    return state == wire::EntryState::dead || state == wire::EntryState::left;
  }

  [[nodiscard]] Endpoint endpoint() const;
};

/// Records that are the same at many nodes.
struct SharedTable {
  explicit SharedTable(std::vector<StockRecord> all);
  std::vector<StockRecord> records;
  std::unordered_map<std::string_view, std::uint32_t> places;
};

class StockTable {
 public:
  explicit StockTable(std::shared_ptr<const SharedTable> base = nullptr);

  [[nodiscard]] std::size_t size() const { return base_size_ + own_.size(); }

  /// By position in the probe order.
  [[nodiscard]] const StockRecord& at(std::size_t position) const {
    return record(order_.empty() ? static_cast<std::uint32_t>(position) : order_[position]);
  }

  [[nodiscard]] const StockRecord* find(std::string_view name) const;
  /// For a change; the record exists. Good until the next insertion or removal.
  [[nodiscard]] StockRecord& edit(std::string_view name);
  /// At a random position of the probe order, as memberlist does.
  void insert(StockRecord record, Rng& rng);
  /// Removes what is down since before `before`.
  void reap(Instant before);
  void shuffle(Rng& rng);

 private:
  [[nodiscard]] std::optional<std::uint32_t> place(std::string_view name) const;
  [[nodiscard]] const StockRecord& record(std::uint32_t place) const;
  void make_order();
  /// Everything its own from here on.
  void detach();

  std::shared_ptr<const SharedTable> base_;
  std::size_t base_size_ = 0;
  std::unordered_map<std::uint32_t, StockRecord> changed_;  ///< of the shared ones, by place
  std::vector<StockRecord> own_;
  std::unordered_map<std::string, std::uint32_t> own_places_;
  std::vector<std::uint32_t> order_;  ///< empty: as they lie
};

}  // namespace wesher::sim
