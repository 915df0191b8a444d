// Packing, sealing and the three output queues of outbox.h.
#include "gossip/outbox.h"

#include <algorithm>
#include <utility>

#include "wire/limits.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::gossip {

namespace {

template <class T>
std::optional<T> pop(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  std::optional<T> front(std::move(queue.front()));
  queue.pop_front();
  return front;
}

}  // namespace

void Outbox::send(const Endpoint& to, std::span<const Bytes> messages) {
  const Bytes plain = wire::pack(messages);
  if (plain.empty() || to.port == 0) return;
  Bytes datagram = wire::seal_packet(keyring_, plain, rng_);
  if (!datagram.empty()) datagrams_.push_back({to, std::move(datagram)});
}

void Outbox::send_with_broadcasts(const Endpoint& to,
                                  Bytes message,
                                  BroadcastQueue& queue,
                                  unsigned transmit_limit) {
  // memberlist does not charge the first part's length; we do, and stay within 1400 bytes.
  const std::size_t budget = wire::packet_budget(message.size() + 2);
  std::vector<Bytes> parts = queue.draw(budget, limits::kCompoundParts - 1, transmit_limit);
  parts.insert(parts.begin(), std::move(message));
  send(to, parts);
}

bool Outbox::send_broadcasts(const Endpoint& to, BroadcastQueue& queue, unsigned transmit_limit) {
  const std::vector<Bytes> parts =
      queue.draw(wire::packet_budget(0), limits::kCompoundParts, transmit_limit);
  send(to, parts);
  return !parts.empty();
}

std::optional<Bytes> Outbox::sealed(const Bytes& plain) {
  if (plain.empty()) return std::nullopt;
  Bytes frame = wire::seal_frame(keyring_, plain, rng_);
  if (frame.empty()) return std::nullopt;
  return frame;
}

std::optional<Bytes> Outbox::frame(const wire::StreamMessage& message) {
  return sealed(wire::encode_stream(message));
}

std::optional<Bytes> Outbox::frame(const wire::PushPullView& table, bool compact) {
  Bytes plain = wire::encode_stream(table);
  if (compact && !plain.empty()) {
    Bytes packed = wire::add_compression(plain);
    if (packed.size() < plain.size()) plain = std::move(packed);
  }
  return sealed(plain);
}

std::optional<Transmit> Outbox::poll_transmit() {
  return pop(datagrams_);
}

std::optional<StreamRequest> Outbox::poll_stream() {
  return pop(streams_);
}

std::optional<Event> Outbox::poll_event() {
  return pop(events_);
}

}  // namespace wesher::gossip
