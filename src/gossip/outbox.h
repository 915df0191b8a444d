// The one place through which a node says anything: datagrams are packed and sealed here, stream
// requests and events wait here until they are polled. What must never reach a Go node (an empty
// plaintext, an empty part, 128 parts) can't leave it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/poll_queue.h"
#include "base/random.h"
#include "gossip/broadcast_queue.h"
#include "gossip/event.h"
#include "wire/keyring.h"
#include "wire/packet.h"

namespace wesher::gossip {

class Outbox {
 public:
  /// `rng` outlives the outbox.
  Outbox(wire::Keyring keyring, Rng& rng) : keyring_(std::move(keyring)), rng_(rng) {}

  [[nodiscard]] const wire::Keyring& keyring() const { return keyring_; }

  /// The parts of the next datagram, none so far; `post` sends it.
  [[nodiscard]] wire::PacketParts& compose();
  void post(const Endpoint& to);
  /// The same, filled up with broadcasts from `queue` to the size of a datagram.
  void post_with_broadcasts(const Endpoint& to, BroadcastQueue& queue, unsigned transmit_limit);

  /// One datagram of these messages.
  void send(const Endpoint& to, std::span<const Bytes> messages);
  /// A datagram of broadcasts only; false when there are none that fit.
  bool send_broadcasts(const Endpoint& to, BroadcastQueue& queue, unsigned transmit_limit);

  /// A sealed stream frame; nothing for a message that must not be sent. `compact`: compressed if
  /// that makes it smaller, which takes time that somebody who joins should not wait for.
  [[nodiscard]] std::optional<Bytes> frame(const wire::StreamMessage& message);
  [[nodiscard]] std::optional<Bytes> frame(const wire::PushPullView& table, bool compact);

  void open_stream(StreamRequest request) { streams_.push(std::move(request)); }

  void event(Event event) { events_.push(std::move(event)); }

  [[nodiscard]] std::optional<Transmit> poll_transmit();

  /// Takes a datagram back that was sent: the next one is made in its room.
  void reuse(Bytes datagram);

  [[nodiscard]] std::optional<StreamRequest> poll_stream();
  [[nodiscard]] std::optional<Event> poll_event();

 private:
  [[nodiscard]] std::optional<Bytes> sealed(const Bytes& plain);

  wire::Keyring keyring_;
  Rng& rng_;
  wire::PacketParts parts_;
  std::vector<Transmit> datagrams_;
  std::size_t next_datagram_ = 0;  ///< of those the first that was not polled
  std::vector<Bytes> spare_;       ///< room of datagrams that were sent
  PollQueue<StreamRequest> streams_;
  PollQueue<Event> events_;
};

}  // namespace wesher::gossip
