// The failure detector: one member at a time is probed, directly, then through others and over
// TCP, and suspected if none of it brings an ack. memberlist state.go probeNode v0.6.0: a local
// send error counts as a failed direct ping.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gossip/core.h"
#include "gossip/membership.h"
#include "gossip/streams.h"

namespace wesher::gossip {

class Prober {
 public:
  Prober(Core& core, Membership& membership, Streams& streams)
      : core_(core), membership_(membership), streams_(streams) {}

  /// The ticks start after a random part of an interval.
  void start(Instant now);
  void stop();
  /// The next tick comes at that time at the latest.
  void hurry(Instant by);

  /// Whom the probe under way asks directly under that number; empty: nobody, or relays know the
  /// number too.
  [[nodiscard]] std::string_view asked_under(std::uint32_t sequence) const;
  /// Whether the number was that of the probe under way.
  bool on_ack(std::uint32_t sequence, Instant now);
  void on_nack(std::uint32_t sequence);
  void on_tcp_ack(std::uint32_t sequence);
  void on_send_error(const Endpoint& to);

  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  /// Values as they were when the probe began.
  struct Probe {
    std::uint32_t sequence = 0;
    std::string name;
    Endpoint to;
    AddressBytes address;
    std::uint8_t pmax = 0;
    std::uint32_t incarnation = 0;
    Instant direct_until;
    Instant until;
    bool direct = true;
    bool tcp_acked = false;
    unsigned nacks_expected = 0;
    unsigned nacks = 0;
  };

  void tick(Instant now);
  void begin(const Member& target, Instant now);
  void ask_others();
  void conclude(Instant now);
  void succeed(bool tcp_only, Instant now);
  void end(Instant now);

  Core& core_;
  Membership& membership_;
  Streams& streams_;
  std::optional<Probe> probe_;
  std::optional<Instant> tick_at_;
  bool due_ = false;  ///< a tick came while a probe was under way
};

}  // namespace wesher::gossip
