// Gossip: every tick a few random members get what the queue holds; and what we say about
// ourselves goes to every live member directly, so that it is known after one latency.
// memberlist state.go gossip(), v0.6.0. Ours are the direct datagrams, and that a node with nothing
// to say does not tick: what it hears after a silence goes on at once.
#pragma once

#include <optional>
#include <vector>

#include "gossip/core.h"

namespace wesher::gossip {

class Spreader {
 public:
  explicit Spreader(Core& core) : core_(core) {}

  /// The ticks start after a random part of an interval.
  void start(Instant now);
  /// Sends a message to every live member, a chunk at a time; replaces a flood still under way,
  /// which an older statement about ourselves is. How many it goes to.
  std::size_t flood(const Bytes& message, Instant now);
  /// Sends a message about ourselves to these as well, behind a flood that is under way.
  void tell(const Bytes& message, const std::vector<Endpoint>& others, Instant now);

  [[nodiscard]] bool flooding() const { return flood_next_ < flood_to_.size(); }

  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  [[nodiscard]] bool ticking() const { return tick_at_ && !core_.queue.empty(); }

  void tick(Instant now);
  void flood_chunk(Instant now);

  Core& core_;
  std::optional<Instant> tick_at_;
  Bytes flood_message_;
  std::vector<Endpoint> flood_to_;
  std::size_t flood_next_ = 0;
  Instant flood_at_;
};

}  // namespace wesher::gossip
