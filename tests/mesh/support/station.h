// What the virtual network talks to: anything with an address that takes datagrams and streams and
// has a timer. `Host` (network.h) is our own kind.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/ip.h"
#include "base/time.h"
#include "gossip/event.h"

namespace wesher::mesh::test {

/// A rule was broken; `what` is the sentence for people, the name of the rule first.
struct RuleBroken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Station {
 public:
  Station() = default;
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  virtual ~Station() = default;

  [[nodiscard]] virtual bool up() const = 0;

  // Inputs, only while up. Each is followed by a drain of the outputs.
  virtual void packet(const Endpoint& from, ByteView datagram, Moment now) = 0;
  [[nodiscard]] virtual std::optional<Bytes> request(const Endpoint& from,
                                                     ByteView frame,
                                                     Moment now) = 0;
  virtual void reply(gossip::StreamId id, ByteView frame, Moment now) = 0;
  virtual void stream_failed(gossip::StreamId id, const std::string& reason, Moment now) = 0;
  virtual void stream_done(gossip::StreamId id, Moment now) = 0;
  virtual void timeout(Moment now) = 0;

  // Outputs.
  [[nodiscard]] virtual std::optional<gossip::Transmit> poll_transmit() = 0;
  [[nodiscard]] virtual std::optional<gossip::StreamRequest> poll_stream() = 0;
  [[nodiscard]] virtual std::optional<Instant> poll_timeout() const = 0;

  std::string name;
  Endpoint endpoint;
  std::uint64_t life = 0;         ///< counts starts; what was under way to an earlier life is lost
  std::optional<Instant> timer;   ///< as last polled
  unsigned group = 0;             ///< nothing passes between two groups
  bool isolated = false;          ///< nothing passes at all
  Duration stopped_until{};       ///< the process gets nothing before; then all of it at once
  Duration wall_step{};           ///< how wrong its wall clock is
  std::optional<Duration> armed;  ///< kept by the network: when it will be woken
};

/// What one input made a station say.
struct Output {
  std::uint64_t datagrams = 0;
  std::uint64_t streams = 0;
  std::uint64_t facts = 0;
};

}  // namespace wesher::mesh::test
