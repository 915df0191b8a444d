// What the parts of one node share: settings, randomness, table, queue, outbox, health, phase. One
// object a node; the parts keep a reference to it. Not thread safe, does not move.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gossip/broadcast_queue.h"
#include "gossip/config.h"
#include "gossip/lifeguard.h"
#include "gossip/member_table.h"
#include "gossip/nonce_memory.h"
#include "gossip/outbox.h"
#include "gossip/transition.h"

namespace wesher::gossip {

/// Where a node is in its life.
enum class Phase : std::uint8_t {
  quiet,   ///< answers, but nobody was told of us
  member,  ///< announced
  moving,  ///< says goodbye at the old address, to come back at the new one
  gone,    ///< left
};

struct Core {
  Core(Config settings, wire::Keyring keyring, Rng random, Admission* hook, Instant now);

  /// Gossips a message about `subject`; a quiet node gossips nothing.
  void broadcast(std::string_view subject, const Bytes& message);

  /// Sends a message, filled up with broadcasts.
  template <class Message>
  void send(const Endpoint& to, const Message& message) {
    outbox.compose().add(message);
    outbox.post_with_broadcasts(to, queue, transmit_limit());
  }

  /// A fresh number for a ping of ours: random, not 0, not in use.
  [[nodiscard]] std::uint32_t take_sequence();

  void release_sequence(std::uint32_t sequence) { sequences_.erase(sequence); }

  /// Reports a refusal; at most kRefusedReported for one input.
  void refuse(std::string_view name, std::string_view reason);

  void begin_input() { refused_ = 0; }

  [[nodiscard]] bool announced() const { return phase != Phase::quiet; }

  [[nodiscard]] Subject subject(std::string_view name) const;
  [[nodiscard]] unsigned transmit_limit() const;

  /// One hostile table must not make thousands of events.
  static constexpr std::size_t kRefusedReported = 16;

  Config config;
  Rng rng;
  MemberTable table;
  BroadcastQueue queue;
  Outbox outbox;
  Awareness health;
  NonceMemory nonces;  ///< of datagrams and of stream frames
  Admission* admission;
  Phase phase = Phase::quiet;
  std::vector<Endpoint> questions;  ///< whom to ask read-only for a table, when the input is done
  std::vector<Endpoint> strangers;  ///< learned by asking; may not know us, and hear of us then
  bool news = false;                ///< somebody came, by the input at hand

 private:
  std::set<std::uint32_t> sequences_;
  std::size_t refused_ = 0;
};

/// The alive message that tells a record, as views into it.
[[nodiscard]] wire::AliveView alive_of(const Record& record);
/// What tells a member how we hold it if that is not alive: suspect, dead or left; empty if it is.
[[nodiscard]] Bytes accusation_of(const Record& record, std::string_view from);

}  // namespace wesher::gossip
