// The brain of a node: one object without I/O around gossip::Node. It decides who is who, who owns
// which overlay address and which key, what failed and left mean, and whom to contact again. The
// daemon, the simulator and the fuzzers drive exactly this.
//
// Drive it like gossip::Node: one input, then drain `poll_transmit`, `poll_stream`, `poll_fact`
// until empty, then sleep until `poll_timeout`.
//
// Rules it keeps (tests/mesh/ has a test of each):
// - Metadata that is missing or bad costs nobody but its sender: that member is `refused` or a
//   `seed`, with the reason.
// - One address, one owner: the table in contest.h. Our own address is never given away.
// - One key, one peer: the same table; so a new name replaces an older one as soon as that is not
//   live any more, and at once if nothing but the name is new (host renamed).
// - A failed member stays configured for `failed_retention`; one that left is a seed at once.
// - Gossip's reaping changes nothing here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "gossip/config.h"
#include "gossip/event.h"
#include "mesh/fact.h"
#include "model/member.h"
#include "wire/keyring.h"

namespace wesher::mesh {

/// The part of a `handle_stream_failed` reason by which the mesh knows that a connection was
/// accepted and then closed without a reply, which is how a member treats what it can't decrypt.
inline constexpr std::string_view kClosedWithoutAnswer = "closed the connection without an answer";

struct Config {
  gossip::Config gossip;  ///< `meta` is filled in by the mesh from `own`
  NodeMeta own;           ///< our overlay address, key and the format we speak
  Prefix overlay_net;     ///< masked; addresses outside it are refused
  std::string cluster;    ///< fingerprint of our cluster key, for lines about another key
  Duration failed_retention = std::chrono::hours{72};
  Duration left_retention = std::chrono::days{30};  ///< how long a left member remains a seed
  Duration reconnect_interval = std::chrono::seconds{30};
  Duration seed_retry_first = std::chrono::seconds{2};
  Duration seed_retry_max = std::chrono::seconds{60};
};

class Mesh {
 public:
  /// `restored`: the members of the database; failed and alive ones are contacted again, left ones
  /// when nobody else is there.
  Mesh(Config config, wire::Keyring keyring, Rng rng, std::vector<Member> restored, Moment now);
  ~Mesh();
  Mesh(Mesh&&) noexcept;
  Mesh& operator=(Mesh&&) noexcept;

  void handle_packet(const Endpoint& from, ByteView datagram, Moment now);
  [[nodiscard]] std::optional<Bytes> handle_request(const Endpoint& from,
                                                    ByteView frame,
                                                    Moment now);
  void handle_reply(gossip::StreamId id, ByteView frame, Moment now);
  void handle_stream_failed(gossip::StreamId id, std::string reason, Moment now);
  void handle_stream_done(gossip::StreamId id, Moment now);
  void handle_send_error(const Endpoint& to, Moment now);
  void handle_timeout(Moment now);

  /// The addresses that the --join names resolve to at present; replaces the earlier set. Tried in
  /// parallel at once, then with growing pauses, for ever, while none of them is an alive member.
  void set_seeds(std::vector<Endpoint> seeds, Moment now);
  /// Starts: asks seeds and restored members read-only for at most `probe_max`, then announces;
  /// at once when there is nobody to ask.
  void start(Duration probe_max, Moment now);
  /// Announces our leaving. LeaveDone follows within `max_wait`.
  void leave(Duration max_wait, Moment now);
  void incarnations_reserved(std::uint32_t end, Moment now);
  /// Our WireGuard key is another one from now on; announced at once, if we are announced.
  void own_key_changed(const PublicKey& key, Moment now);

  [[nodiscard]] std::optional<gossip::Transmit> poll_transmit();
  [[nodiscard]] std::optional<gossip::StreamRequest> poll_stream();
  [[nodiscard]] std::optional<Fact> poll_fact();
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  [[nodiscard]] const Member* find(std::string_view name) const;
  [[nodiscard]] std::vector<Member> members() const;  ///< sorted by name
  [[nodiscard]] bool is_member_address(const IpAddress& address) const;
  /// Members other than us that are alive or suspect.
  [[nodiscard]] std::size_t live() const;
  [[nodiscard]] bool announced() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wesher::mesh
