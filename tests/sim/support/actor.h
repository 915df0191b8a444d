// What the simulator drives: one process of one host, whoever wrote its rules. Inputs and outputs
// are those of mesh::Mesh; after each input the world drains the outputs and arms the timer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gossip/event.h"
#include "mesh/fact.h"

namespace wesher::sim {

/// A member as an actor sees it.
struct Seen {
  std::string name;
  gossip::RecordState state = gossip::RecordState::alive;
  std::uint32_t incarnation = 0;
  Endpoint endpoint;
  Bytes meta;
  bool usable = true;  ///< ours: configured with exactly this metadata
};

class Actor {
 public:
  Actor() = default;
  virtual ~Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// The process starts; `seeds` are its --join addresses.
  virtual void start(const std::vector<Endpoint>& seeds, Moment now) = 0;
  /// Says goodbye; `gone` is true once it may be stopped.
  virtual void leave(Moment now) = 0;
  [[nodiscard]] virtual bool gone() const = 0;
  virtual void update_meta(const NodeMeta& meta, Moment now) = 0;

  virtual void handle_packet(const Endpoint& from, ByteView datagram, Moment now) = 0;
  [[nodiscard]] virtual std::optional<Bytes> handle_request(const Endpoint& from,
                                                            ByteView frame,
                                                            Moment now) = 0;
  virtual void handle_reply(gossip::StreamId id, ByteView frame, Moment now) = 0;
  virtual void handle_stream_failed(gossip::StreamId id, std::string reason, Moment now) = 0;
  virtual void handle_stream_done(gossip::StreamId id, Moment now) = 0;
  virtual void handle_send_error(const Endpoint& to, Moment now) = 0;
  virtual void handle_timeout(Moment now) = 0;

  [[nodiscard]] virtual std::optional<gossip::Transmit> poll_transmit() = 0;
  [[nodiscard]] virtual std::optional<gossip::StreamRequest> poll_stream() = 0;
  [[nodiscard]] virtual std::optional<mesh::Fact> poll_fact() = 0;
  [[nodiscard]] virtual std::optional<Instant> poll_timeout() const = 0;

  /// A number that was asked for by ReserveIncarnations is on disk.
  virtual void incarnations_reserved(std::uint32_t end, Moment now) = 0;
  /// Whether it made itself known.
  [[nodiscard]] virtual bool announced() const = 0;
  /// How it sees the member of that name; nothing if it knows none.
  [[nodiscard]] virtual std::optional<Seen> see(const std::string& name) const = 0;
  /// Names of all members that it knows beside itself.
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
};

}  // namespace wesher::sim
