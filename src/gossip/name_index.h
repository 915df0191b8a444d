// Which member has a name: a table of hashes and places in the list of members, that a look-up asks
// once or twice, however many members there are. Names are compared by whoever holds the list.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

namespace wesher::gossip {

/// Open addressing, linear probing; what is taken out leaves no gap. Names that somebody chose so
/// that they collide make a look-up pass over as many numbers as there are members, no more.
class NameIndex {
 public:
  static constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

  NameIndex() : slots_(kFirstSlots) {}

  /// The place for which `is_it(place)` holds, of those filed under the name's hash.
  template <class IsIt>
  [[nodiscard]] std::uint32_t find(std::string_view name, IsIt is_it) const {
    return find(hash_of(name), is_it);
  }

  template <class IsIt>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, IsIt is_it) const {
    for (std::size_t at = home(hash); slots_[at].place != kNowhere; at = after(at)) {
      if (slots_[at].hash == hash && is_it(slots_[at].place)) return slots_[at].place;
    }
    return kNowhere;
  }

  /// The place of the first under the hash, which mostly is that of the name.
  [[nodiscard]] std::uint32_t first(std::uint32_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }

  /// Will soon be looked for.
  void expect(std::uint32_t hash) const { __builtin_prefetch(&slots_[home(hash)]); }

  [[nodiscard]] static std::uint32_t hash_of(std::string_view name) {
    const std::uint64_t hash = std::hash<std::string_view>{}(name);
    return static_cast<std::uint32_t>(hash ^ hash >> 32U);
  }

  /// A name that is not there yet.
  void add(std::string_view name, std::uint32_t place) {
    if (4 * (used_ + 1) > 3 * slots_.size()) grow();
    put({hash_of(name), place});
    ++used_;
  }

  /// A name that is there at `from` is at `to` now.
  void move(std::string_view name, std::uint32_t from, std::uint32_t to) {
    slots_[slot_of(name, from)].place = to;
  }

  void remove(std::string_view name, std::uint32_t place) {
    std::size_t gap = slot_of(name, place);
    for (std::size_t at = after(gap); slots_[at].place != kNowhere; at = after(at)) {
      // Nearer to its home in the gap than where it is?
      if (distance(home(slots_[at].hash), at) < distance(gap, at)) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = {};
    --used_;
  }

 private:
  static constexpr std::size_t kFirstSlots = 16;  ///< a power of two, as are all sizes

  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t place = kNowhere;
  };

  [[nodiscard]] std::size_t home(std::uint32_t hash) const { return hash & (slots_.size() - 1); }

  [[nodiscard]] std::size_t after(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const {
    return (to - from) & (slots_.size() - 1);
  }

  [[nodiscard]] std::size_t slot_of(std::string_view name, std::uint32_t place) const {
    std::size_t at = home(hash_of(name));
    while (slots_[at].place != place)
      at = after(at);
    return at;
  }

  void put(Slot slot) {
    std::size_t at = home(slot.hash);
    while (slots_[at].place != kNowhere)
      at = after(at);
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> smaller(slots_.size() * 2);
    smaller.swap(slots_);
    for (const Slot& slot : smaller) {
      if (slot.place != kNowhere) put(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace wesher::gossip
