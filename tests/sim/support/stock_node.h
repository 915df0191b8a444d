// A member as HashiCorp memberlist runs it in the Go wesher (DefaultWANConfig): a model for tests,
// written from the protocol and not from our own code, faults included. It believes whoever holds
// the key: a forged goodbye, an incarnation at the end of the numbers after which a refutation
// wraps to 0, a record without versions that stops its merges. What it says and hears are real
// bytes. An event-driven state machine like gossip::Node; drive it the same way.
//
// Left out: compression of datagrams, labels, TCP errors, the event channel of the Go wesher that
// blocks above about a hundred members. It cannot tell others of a record without versions, as
// src/wire has no bytes for one.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gossip/event.h"
#include "tests/sim/support/stock_queue.h"
#include "tests/sim/support/stock_table.h"
#include "wire/keyring.h"
#include "wire/packet.h"

namespace wesher::sim {

/// Which memberlist: they differ in goodbyes and in what a left member may do.
enum class StockVersion : std::uint8_t {
  v0_1_4,  ///< wesher v0.2.6: no left state, a goodbye names no sender
  v0_5_1,  ///< wesher at its last state
};

struct StockConfig {
  std::string name;
  Bytes address;
  std::uint16_t port = 7946;
  Bytes meta;
  StockVersion version = StockVersion::v0_5_1;
  bool compress = true;  ///< stream frames, as every Go node does
};

class StockNode {
 public:
  /// `base`: what it knows already, itself included; for members of large clusters. The ring
  /// outlives it.
  StockNode(StockConfig config,
            const wire::Keyring& ring,
            Rng rng,
            std::shared_ptr<const SharedTable> base = nullptr);

  /// Its alive, without and then with metadata, and its timers.
  void start(Instant now);
  /// Push/pull with each; again after pauses of up to a minute while none answers, then never
  /// more.
  void join(std::vector<Endpoint> addresses, Instant now);
  void leave(Instant now);

  void handle_packet(const Endpoint& from, ByteView datagram, Instant now);
  [[nodiscard]] std::optional<Bytes> handle_request(ByteView frame, Instant now);
  void handle_reply(gossip::StreamId id, ByteView frame, Instant now);
  void handle_stream_failed(gossip::StreamId id, Instant now);
  void handle_timeout(Instant now);

  [[nodiscard]] std::optional<gossip::Transmit> poll_transmit();
  [[nodiscard]] std::optional<gossip::StreamRequest> poll_stream();
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  [[nodiscard]] const StockTable& table() const { return table_; }

  [[nodiscard]] std::uint32_t incarnation() const { return incarnation_; }

  [[nodiscard]] unsigned health() const { return health_; }

  /// Whether it still looks for somebody to join.
  [[nodiscard]] bool joining() const { return !to_join_.empty(); }

  [[nodiscard]] bool goodbye_spread() const { return !queue_.contains(config_.name); }

 private:
  /// One suspicion with Lifeguard's timer.
  struct Suspicion {
    std::set<std::string> accusers;
    Instant start;
    Duration min{};
    Duration max{};
    unsigned needed = 0;     ///< confirmations that bring the end from max to min
    unsigned confirmed = 0;  ///< so far

    [[nodiscard]] Instant end() const;
  };

  struct Probe {
    std::uint32_t sequence = 0;
    std::string name;
    std::uint32_t incarnation = 0;
    Endpoint endpoint;
    bool indirect = false;  ///< the others were asked
    bool tcp_ok = false;
    unsigned nacks_expected = 0;
    unsigned nacks = 0;
    Instant ask_others;
    Instant end;
  };

  struct Relay {
    Endpoint requester;
    std::uint32_t sequence = 0;
    bool nack = false;
    Instant end;
  };

  struct Stream {
    enum class Kind : std::uint8_t { push_pull, join, ping } kind = Kind::push_pull;
    std::uint32_t sequence = 0;
  };

  // Claims: stock_claims.cpp.
  void hear(const wire::Alive& claim, bool bootstrap, Instant now);
  void hear(const wire::Suspect& claim, Instant now);
  void hear(const wire::Dead& claim, Instant now);
  void refute(std::uint32_t accused);
  void merge(const wire::PushPull& theirs, Instant now);
  [[nodiscard]] bool versions_agree(const wire::PushPull& theirs) const;

  [[nodiscard]] bool is_self(const std::string& name) const { return name == config_.name; }

  [[nodiscard]] wire::Alive own_alive() const;
  void suspicions_end(Instant now);

  // Probes, gossip, streams: stock_node.cpp.
  void answer(const Endpoint& from, const wire::PacketMessage& message, Instant now);
  void answer(const Endpoint& from, const wire::IndirectPing& asked, Instant now);
  void acked(std::uint32_t sequence);
  void send(const Endpoint& to, Bytes message);
  void seal(const Endpoint& to, Bytes plain);
  void probe_tick(Instant now);
  void begin_probe(const StockRecord& target, Instant now);
  void ask_others(Instant now);
  void end_probe(bool ok, Instant now);
  /// Gossip ticks that passed with nothing to say.
  void pass_ticks(Instant now);
  void gossip_tick(Instant now);
  void push_pull_tick(Instant now);
  void push_pull(const Endpoint& to, Stream::Kind kind);
  void open(const Endpoint& to, Stream stream, const wire::StreamMessage& message);
  void join_failed(Instant now);
  [[nodiscard]] Bytes frame_of(const wire::StreamMessage& message);
  [[nodiscard]] wire::PushPull whole_table(bool join) const;
  template <class Pred>
  [[nodiscard]] std::vector<const StockRecord*> random(std::size_t count, Pred wanted);

  [[nodiscard]] unsigned limit() const { return stock_transmit_limit(table_.size()); }

  StockConfig config_;
  const wire::Keyring& ring_;
  Rng rng_;
  StockTable table_;
  StockQueue queue_;
  std::map<std::string, Suspicion> suspicions_;
  std::uint32_t incarnation_ = 0;
  std::uint32_t sequence_ = 0;
  unsigned health_ = 0;
  bool leaving_ = false;
  std::size_t walk_ = 0;  ///< position of the next probe
  std::optional<Probe> probe_;
  bool tick_waits_ = false;  ///< a probe tick fell into a running probe
  std::optional<Instant> probe_at_;
  std::optional<Instant> gossip_at_;
  std::optional<Instant> push_pull_at_;
  std::map<std::uint32_t, Relay> relays_;
  std::map<gossip::StreamId, Stream> streams_;
  gossip::StreamId stream_ids_ = 0;
  std::vector<Endpoint> to_join_;
  std::optional<Instant> join_at_;
  Duration join_pause_{};
  std::size_t joins_open_ = 0;
  std::deque<gossip::Transmit> transmits_;
  std::deque<gossip::StreamRequest> requests_;
};

/// The formulas by themselves: the least time of a suspicion, and of a push/pull round.
[[nodiscard]] Duration stock_suspicion_min(std::size_t members);
[[nodiscard]] Duration stock_push_pull_interval(std::size_t members);

}  // namespace wesher::sim
