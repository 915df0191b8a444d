// Values that wait until they are polled, in one piece of memory that is given back when the last
// one was: thousands at once leave no holes between what stays.
#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace wesher {

template <class T>
class PollQueue {
 public:
  void push(T value) { values_.push_back(std::move(value)); }

  [[nodiscard]] bool empty() const { return values_.empty(); }

  /// The first of those that wait, if any does.
  [[nodiscard]] std::optional<T> poll() {
    if (values_.empty()) return std::nullopt;
    std::optional<T> first(std::move(values_[next_++]));
    if (next_ < values_.size()) return first;
    next_ = 0;
    values_.clear();
    if (values_.capacity() > kKept) std::vector<T>().swap(values_);
    return first;
  }

 private:
  static constexpr std::size_t kKept = 64;  ///< values whose room is kept

  std::vector<T> values_;
  std::size_t next_ = 0;  ///< of those the first that was not polled; less than there are
};

}  // namespace wesher
