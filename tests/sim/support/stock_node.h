// A stock node: memberlist as Go programs run it with DefaultWANConfig and an encryption key, as a
// state machine without I/O. It shares the byte formats of wire/ with the program under test and
// none of the rules of gossip/: what it does follows memberlist's own sources, faults included, so
// that a mixed cluster on a virtual network tells how the program gets on with them.
//
// Drive it like mesh::Mesh: one input, then drain `poll_transmit` and `poll_stream` until empty,
// then sleep until `poll_timeout`.
//
// Faults that it has on purpose, as the original does:
// - anybody with the key can make a member "left" everywhere; it is back only by chance;
// - an incarnation of 2^32-1 wraps the counter of whoever refutes it, and that member loses for
//   ever;
// - one record without protocol versions ends all joins and push/pulls;
// - a version vector of 1 to 5 bytes, and a stream frame around nothing, end the process
//   (`crashed`).
//
// What it leaves out: the two queues between socket and state (messages are handled in the order
// in which they arrive), the limit of 127 push/pulls at once, the application's event channel, and
// CPU time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "gossip/event.h"
#include "wire/keyring.h"

namespace wesher::sim {

/// The two memberlists that the deployed Go programs were built with. They differ in: source fields
/// of pings, how a leave is told, the state "left", the return of a name from another address, what
/// a failed send does to a probe, and the form of signed integers.
enum class StockVersion : std::uint8_t { v0_1_4, v0_5_1 };

/// What nodes of one simulation know in common, so that a thousand tables of a thousand members fit
/// in memory: each name and each distinct message is kept once. It changes no behaviour.
class RumourPool;
[[nodiscard]] std::shared_ptr<RumourPool> make_rumour_pool();

struct StockConfig {
  std::string name;
  Endpoint endpoint;  ///< bound and announced; the port is that of UDP and TCP
  Bytes meta;         ///< announced as an update after a first alive without any, as Go wesher does
  StockVersion version = StockVersion::v0_5_1;
  /// Announces IPv4 in the 16 bytes of the mapped form, as a node bound to 0.0.0.0 does.
  bool mapped_address = false;
  /// Compresses as the original does. Costs CPU and changes nothing but bytes.
  bool compress = false;
  std::shared_ptr<RumourPool> pool;  ///< one for all nodes of a simulation; nullptr: its own
};

/// A record of its table.
struct StockMember {
  std::string name;
  gossip::RecordState state = gossip::RecordState::dead;
  std::uint32_t incarnation = 0;
  Endpoint endpoint;  ///< 0.0.0.0 where the address announced is none
  Bytes meta;

  friend bool operator==(const StockMember&, const StockMember&) = default;
};

/// What happened so far, for figures and for tests.
struct StockCounters {
  std::uint64_t probes = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t refutations = 0;
  std::uint64_t conflicts = 0;       ///< a known name from another address, refused
  std::uint64_t merges = 0;          ///< push/pulls merged, either role
  std::uint64_t merges_refused = 0;  ///< over incompatible versions
  std::uint64_t joins_failed = 0;    ///< rounds of `join` in which no address worked
  std::uint64_t changes = 0;         ///< members that came, went or changed their metadata
};

class StockNode {
 public:
  /// Announces itself (to nobody yet) and starts its timers.
  StockNode(StockConfig config, wire::Keyring keyring, Rng rng, Moment now);
  ~StockNode();
  StockNode(StockNode&&) noexcept;
  StockNode& operator=(StockNode&&) noexcept;

  void handle_packet(const Endpoint& from, ByteView datagram, Moment now);
  /// A frame somebody sent over a stream → the frame to answer with, or nothing: close.
  [[nodiscard]] std::optional<Bytes> handle_request(const Endpoint& from,
                                                    ByteView frame,
                                                    Moment now);
  void handle_reply(gossip::StreamId id, ByteView frame, Moment now);
  void handle_stream_failed(gossip::StreamId id, std::string reason, Moment now);
  /// It has no stream without a reply; ignored.
  void handle_stream_done(gossip::StreamId id, Moment now);
  /// The last datagram to `to` could not be sent.
  void handle_send_error(const Endpoint& to, Moment now);
  void handle_timeout(Moment now);

  [[nodiscard]] std::optional<gossip::Transmit> poll_transmit();
  [[nodiscard]] std::optional<gossip::StreamRequest> poll_stream();
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  /// Push/pull with one address after the other. When none works, again after 0.5 s, and so on with
  /// pauses that grow by half up to 60 s, for 15 minutes; never again after a success. That is what
  /// Go wesher makes of memberlist's Join.
  void join(std::vector<Endpoint> addresses, Moment now);
  /// Says goodbye; the node answers and gossips on until it is destroyed. It can't come back.
  void leave(Moment now);
  /// At most 512 bytes; more is ignored.
  void update_meta(Bytes meta, Moment now);

  /// The goodbye was sent often enough, or nobody was there to hear it. Go wesher exits then, or
  /// after 10 s.
  [[nodiscard]] bool leave_done() const;
  /// An address of `join` worked.
  [[nodiscard]] bool joined() const;
  /// Something arrived that ends the process of the original; the node does nothing any more.
  [[nodiscard]] bool crashed() const;

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::vector<StockMember> members() const;  ///< sorted by name; itself among them
  [[nodiscard]] std::optional<StockMember> find(std::string_view name) const;
  /// Records of any state, its own among them.
  [[nodiscard]] std::size_t records() const;
  /// Records in state alive, its own among them. Both of constant cost.
  [[nodiscard]] std::size_t alive() const;
  /// Lifeguard's health score: 0 (well) to 7.
  [[nodiscard]] unsigned health() const;
  /// Broadcasts that wait for their last transmission.
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] const StockCounters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wesher::sim
