// One member of a memberlist cluster as a state machine without I/O: SWIM with Lifeguard, as
// HashiCorp memberlist v0.1.0 to v0.6.0 behaves on the wire.
//
// Inputs are `handle_*` calls and commands; each may make output ready. After every one of them
// drain `poll_transmit`, `poll_stream` and `poll_event` until empty, then sleep until
// `poll_timeout` or the next input. `now` never goes back. No clock, no sockets, no threads;
// randomness comes from the Rng given at the start.
//
// Life: a new Node holds its own record and answers, but says nothing of itself. `probe_seed` asks
// others for their tables without being noticed; `announce` makes it a member; `leave` ends that.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "gossip/config.h"
#include "gossip/event.h"
#include "wire/keyring.h"

namespace wesher::gossip {

class Node {
 public:
  /// `admission` outlives the node; null accepts everything.
  Node(Config config, wire::Keyring keyring, Rng rng, Admission* admission, Instant now);
  ~Node();
  Node(Node&& other) noexcept;
  Node& operator=(Node&& other) noexcept;

  // --- inputs from the network and the clock ---

  void handle_packet(const Endpoint& from, ByteView datagram, Instant now);
  /// A complete request frame on an inbound stream → the reply frame, or nothing: close silently
  /// (also for whatever does not authenticate).
  [[nodiscard]] std::optional<Bytes> handle_request(const Endpoint& from,
                                                    ByteView frame,
                                                    Instant now);
  /// The reply frame of an outbound stream.
  void handle_reply(StreamId id, ByteView frame, Instant now);
  /// An outbound stream ended without a (readable) reply; `reason` for people.
  void handle_stream_failed(StreamId id, std::string reason, Instant now);
  /// An outbound stream that wants no reply was written.
  void handle_stream_done(StreamId id, Instant now);
  /// A datagram to `to` could not be sent: a probe through it counts as failed at once.
  void handle_send_error(const Endpoint& to, Instant now);
  void handle_timeout(Instant now);

  // --- commands ---

  /// Push/pull with an empty table: learns who is there, tells nothing. Result: ContactResult.
  void probe_seed(const Endpoint& seed, Instant now);
  /// From here on we are a member: the own alive is broadcast and the timers run.
  /// `relay`: the members that are known by now are gossiped, as memberlist's nodes do with all that
  /// a table taught them. Theirs have no other way to find out soon whom they missed.
  void announce(Instant now, bool relay = false);
  /// Push/pull with Join set. Result: ContactResult. Only after `announce`.
  void join(const Endpoint& seed, Instant now);
  /// A single encrypted ping to an address outside the probe round, e.g. of a failed member. An
  /// answer that brings the member back arrives as usual.
  void ping(const std::string& name, const Endpoint& to, Instant now);
  /// New metadata (at most 512 bytes): next incarnation, broadcast.
  void update_meta(Bytes meta, Instant now);
  void move_to(Move move, Instant now);
  /// Announces dead{From: ourselves} to all. LeaveSpread follows; no return.
  void leave(Instant now);
  /// Numbers up to but not including `end` are reserved from now on.
  void extend_incarnations(std::uint32_t end, Instant now);

  // --- outputs ---

  [[nodiscard]] std::optional<Transmit> poll_transmit();
  /// Gives a datagram back that was sent, so that the next one is made in its room.
  void reuse(Bytes datagram);
  [[nodiscard]] std::optional<StreamRequest> poll_stream();
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] std::optional<Wakeup> poll_timeout() const;

  // --- getters ---

  [[nodiscard]] const Record* find(std::string_view name) const;
  [[nodiscard]] const Record& self() const;
  /// All records of any state, ourselves included.
  [[nodiscard]] std::size_t size() const;
  /// Members other than us that are alive or suspect.
  [[nodiscard]] std::size_t live() const;
  /// Whether an address is that of a known member (for stream limits).
  [[nodiscard]] bool is_member_address(const IpAddress& address) const;
  /// Lifeguard local health, 0 (best) to 7.
  [[nodiscard]] unsigned health() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wesher::gossip
