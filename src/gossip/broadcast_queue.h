// Messages about members that wait to be gossiped: memberlist's TransmitLimitedQueue (queue.go).
// One message a subject; each is sent a limited number of times; a draw takes the least sent ones
// first, among those the largest that fits, among those the newest. Adding, replacing and each
// message drawn cost O(log n).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <absl/container/btree_set.h>

#include "base/bytes.h"
#include "base/compact.h"
#include "wire/packet.h"

namespace wesher::gossip {

class BroadcastQueue {
 public:
  /// At most `capacity` messages are held; the most often sent one gives way.
  explicit BroadcastQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Adds a message about `subject`; an older one about it is dropped. Empty messages are not
  /// taken.
  void put(std::string_view subject, const Bytes& message);

  /// Adds messages for one datagram to `out`: together at most `budget` bytes, each charged its
  /// length + 2, at most `parts` of them. Each counts one transmission and is gone after `limit`.
  void draw(wire::PacketParts& out, std::size_t budget, std::size_t parts, unsigned limit);

  [[nodiscard]] bool contains(std::string_view subject) const { return items_.contains(subject); }

  [[nodiscard]] std::size_t size() const { return items_.size(); }

  [[nodiscard]] bool empty() const { return items_.empty(); }

 private:
  /// What a draw asks of a message.
  struct Rank {
    unsigned transmits = 0;
    std::size_t size = 0;
    std::uint64_t id = 0;

    /// The order in which a draw prefers.
    friend bool operator<(const Rank& a, const Rank& b) {
      return std::tie(a.transmits, b.size, b.id) < std::tie(b.transmits, a.size, a.id);
    }
  };

  struct Item {
    std::string subject;
    PackedBytes message;
    std::uint64_t id = 0;
    unsigned transmits = 0;

    [[nodiscard]] Rank rank() const { return {transmits, message.size(), id}; }
  };

  struct BySubject {
    using is_transparent = void;

    static std::string_view key(const std::unique_ptr<Item>& item) { return item->subject; }

    static std::string_view key(std::string_view subject) { return subject; }

    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) < key(b);
    }
  };

  struct ByRank {
    using is_transparent = void;

    static Rank key(const Item* item) { return item->rank(); }

    static const Rank& key(const Rank& rank) { return rank; }

    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) < key(b);
    }
  };

  std::size_t capacity_;
  std::uint64_t next_id_ = 0;
  absl::btree_set<std::unique_ptr<Item>, BySubject> items_;
  absl::btree_set<Item*, ByRank> ranked_;  ///< an item is out of it while its rank changes
  std::vector<Item*> taken_;               ///< by the draw at hand
};

}  // namespace wesher::gossip
