// Packing, sealing and the three output queues of outbox.h.
#include "gossip/outbox.h"

#include <algorithm>
#include <utility>

#include "wire/limits.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::gossip {

namespace {

constexpr std::size_t kRoom = 256;         ///< datagrams that wait, of which the room is kept
constexpr std::size_t kSpare = 16;         ///< datagrams of which the room is kept
constexpr std::size_t kSpareBytes = 2048;  ///< and how much of each at most

/// A frame, if it is one.
std::optional<Bytes> whole(Bytes frame) {
  if (frame.empty()) return std::nullopt;
  return frame;
}

}  // namespace

wire::PacketParts& Outbox::compose() {
  parts_.clear();
  return parts_;
}

void Outbox::post(const Endpoint& to) {
  if (parts_.count() == 0 || to.port == 0) return;
  Bytes datagram;
  if (!spare_.empty()) {
    datagram = std::move(spare_.back());
    spare_.pop_back();
  }
  wire::seal_packet_to(datagram, keyring_, parts_, rng_);
  if (!datagram.empty()) datagrams_.push_back({to, std::move(datagram)});
}

void Outbox::post_with_broadcasts(const Endpoint& to,
                                  BroadcastQueue& queue,
                                  unsigned transmit_limit) {
  // memberlist does not charge the first part's length; we do, and stay within 1400 bytes.
  queue.draw(parts_, wire::packet_budget(parts_.charged()), limits::kCompoundParts - parts_.count(),
             transmit_limit);
  post(to);
}

void Outbox::send(const Endpoint& to, std::span<const Bytes> messages) {
  wire::PacketParts& parts = compose();
  for (const Bytes& message : messages)
    parts.add(message);
  post(to);
}

bool Outbox::send_broadcasts(const Endpoint& to, BroadcastQueue& queue, unsigned transmit_limit) {
  const wire::PacketParts& parts = compose();
  post_with_broadcasts(to, queue, transmit_limit);
  return parts.count() > 0;
}

std::optional<Bytes> Outbox::sealed(const Bytes& plain) {
  if (plain.empty()) return std::nullopt;
  return whole(wire::seal_frame(keyring_, plain, rng_));
}

std::optional<Bytes> Outbox::frame(const wire::StreamMessage& message) {
  return sealed(wire::encode_stream(message));
}

std::optional<Bytes> Outbox::frame(const wire::PushPullView& table, bool compact) {
  if (!compact) return whole(wire::seal_table(keyring_, table, rng_));
  Bytes plain = wire::encode_stream(table);
  if (!plain.empty()) {
    Bytes packed = wire::add_compression(plain);
    if (packed.size() < plain.size()) plain = std::move(packed);
  }
  return sealed(plain);
}

std::optional<Transmit> Outbox::poll_transmit() {
  if (next_datagram_ == datagrams_.size()) {
    // Few are left over after most inputs; the room of a flood is given back.
    datagrams_.clear();
    if (datagrams_.capacity() > kRoom) std::vector<Transmit>().swap(datagrams_);
    next_datagram_ = 0;
    return std::nullopt;
  }
  return std::move(datagrams_[next_datagram_++]);
}

void Outbox::reuse(Bytes datagram) {
  if (spare_.size() < kSpare && datagram.capacity() <= kSpareBytes)
    spare_.push_back(std::move(datagram));
}

std::optional<StreamRequest> Outbox::poll_stream() {
  return streams_.poll();
}

std::optional<Event> Outbox::poll_event() {
  return events_.poll();
}

}  // namespace wesher::gossip
