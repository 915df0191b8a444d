// What goes over streams: push/pull in both roles, and the TCP ping of the prober. memberlist
// state.go pushPullNode, mergeState, sendAndReceiveState; net.go handleConn. Differences: a bad
// entry is dropped alone, and nobody who does not hold a key gets an answer.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "gossip/agreement.h"
#include "gossip/core.h"
#include "gossip/membership.h"

namespace wesher::gossip {

class Streams {
 public:
  Streams(Core& core, Membership& membership, Agreement& agreement)
      : core_(core), membership_(membership), agreement_(agreement) {}

  /// Periodic push/pulls from here on, each left out that has nothing to tell.
  void start(Instant now);
  void stop();

  /// Push/pull with an empty table.
  void probe_seed(const Endpoint& to, Instant now);
  /// Push/pull with Join set and our whole table.
  void join(const Endpoint& to, Instant now);
  /// Push/pull with an empty table, of which nobody is told: a doubtful claim is looked up.
  void question(const Endpoint& to, Instant now);
  /// Push/pull with a member whose table differs from ours.
  void exchange(const Endpoint& to, Instant now);
  /// The same ping as over UDP; `deadline` is the end of the probe.
  void tcp_ping(const Endpoint& to,
                const std::string& name,
                std::uint32_t sequence,
                Instant deadline);

  /// The answer to an inbound request, made before the request's content is merged. Nothing is
  /// answered to what no key of ours opens; it is told as Undecryptable.
  [[nodiscard]] std::optional<Bytes> answer(const Endpoint& from, ByteView frame, Instant now);
  /// A reply; the sequence number if it was the ack of a TCP ping.
  std::optional<std::uint32_t> reply(StreamId id, ByteView frame, Instant now);
  void failed(StreamId id, std::string reason, Instant now);

  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  enum class Purpose : std::uint8_t { probe_seed, join, periodic, exchange, tcp_ping, question };

  struct Contact {
    Purpose purpose = Purpose::periodic;
    Endpoint to;
    Instant deadline;
    std::uint32_t sequence = 0;
  };

  /// Views into the table: to be encoded before anything changes it.
  [[nodiscard]] wire::PushPullView table(bool join) const;
  [[nodiscard]] Bytes user_state(bool newcomer) const;
  void push_pull(Purpose purpose, const Endpoint& to, wire::PushPullView content, Instant now);
  bool open(const Contact& contact, std::optional<Bytes> frame);
  [[nodiscard]] bool has_room(const Contact& contact) const;
  std::optional<Contact> take(StreamId id);
  /// `teller` is whose table it is, if we asked for it; else `way` holds for all of it.
  void merge(const wire::PushPullView& theirs, Way way, std::string_view teller, Instant now);
  /// Ends a contact; an empty reason means success.
  void finish(const Contact& contact, std::string reason, std::size_t members, Instant now);
  void periodic(Instant now);

  Core& core_;
  Membership& membership_;
  Agreement& agreement_;
  std::map<StreamId, Contact> contacts_;
  std::set<std::pair<Instant, StreamId>> deadlines_;
  StreamId next_id_ = 1;
  std::optional<Instant> periodic_at_;
  bool running_ = false;
};

}  // namespace wesher::gossip
