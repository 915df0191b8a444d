#include "tests/sim/support/stock_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace wesher::sim {

Endpoint StockRecord::endpoint() const {
  const auto parsed = IpAddress::from_bytes(address);
  return {parsed ? *parsed : IpAddress{}, port};
}

SharedTable::SharedTable(std::vector<StockRecord> all) : records(std::move(all)) {
  for (std::uint32_t i = 0; i < records.size(); ++i)
    places.emplace(records[i].name, i);
}

StockTable::StockTable(std::shared_ptr<const SharedTable> base)
    : base_(std::move(base)), base_size_(base_ == nullptr ? 0 : base_->records.size()) {}

std::optional<std::uint32_t> StockTable::place(std::string_view name) const {
  if (const auto own = own_places_.find(std::string(name)); own != own_places_.end())
    return own->second;
  if (base_size_ == 0) return std::nullopt;
  const auto shared = base_->places.find(name);
  return shared == base_->places.end() ? std::nullopt : std::optional(shared->second);
}

const StockRecord& StockTable::record(std::uint32_t place) const {
  if (place >= base_size_) return own_[place - base_size_];
  if (changed_.empty()) return base_->records[place];
  const auto changed = changed_.find(place);
  return changed == changed_.end() ? base_->records[place] : changed->second;
}

const StockRecord* StockTable::find(std::string_view name) const {
  const auto found = place(name);
  return found ? &record(*found) : nullptr;
}

StockRecord& StockTable::edit(std::string_view name) {
  const std::uint32_t found = place(name).value();
  if (found >= base_size_) return own_[found - base_size_];
  return changed_.try_emplace(found, base_->records[found]).first->second;
}

void StockTable::insert(StockRecord record, Rng& rng) {
  make_order();
  const auto place = static_cast<std::uint32_t>(size());
  own_places_.emplace(record.name, place);
  own_.push_back(std::move(record));
  order_.push_back(place);
  std::swap(order_.back(), order_[rng.below(std::uint64_t{order_.size()})]);
}

void StockTable::reap(Instant before) {
  const auto old = [&](const StockRecord& each) { return each.down() && each.changed < before; };
  bool any = false;
  for (std::size_t i = 0; i < size() && !any; ++i)
    any = old(at(i));
  if (!any) return;
  detach();
  std::vector<StockRecord> kept;
  for (const std::uint32_t place : order_) {
    if (!old(own_[place])) kept.push_back(std::move(own_[place]));
  }
  own_ = std::move(kept);
  own_places_.clear();
  for (std::uint32_t i = 0; i < own_.size(); ++i)
    own_places_.emplace(own_[i].name, i);
  order_.resize(own_.size());
  std::iota(order_.begin(), order_.end(), 0U);
}

void StockTable::shuffle(Rng& rng) {
  make_order();
  rng.shuffle(order_);
}

void StockTable::make_order() {
  if (!order_.empty() || size() == 0) return;
  order_.resize(size());
  std::iota(order_.begin(), order_.end(), 0U);
}

void StockTable::detach() {
  make_order();
  if (base_size_ == 0) return;
  std::vector<StockRecord> all;
  for (std::uint32_t i = 0; i < size(); ++i)
    all.push_back(record(i));
  own_ = std::move(all);
  changed_.clear();
  base_.reset();
  base_size_ = 0;
  own_places_.clear();
  for (std::uint32_t i = 0; i < own_.size(); ++i)
    own_places_.emplace(own_[i].name, i);
}

}  // namespace wesher::sim
