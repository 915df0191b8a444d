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
// - A name belongs to the identity that signed its first record: the table in evidence.h.
// - Whoever finds its own overlay address with an older claim moves away (address_rules.h).
// - One key, one peer: the same table; so a new name replaces an older one as soon as that is not
//   live any more, and at once if nothing but the name is new (host renamed).
// - A failed member stays configured for `failed_retention` and is gone then; one that left is a
//   seed at once.
// - Gossip's reaping changes nothing here.
// - Live members of the Go program can read us, if they agree on a format: spoken_format.h.
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
  NodeMeta own;           ///< our overlay address (unspecified: none), key and the format we speak
  Prefix overlay_net;     ///< masked; our address is chosen from it
  std::vector<Prefix> accepted_nets;  ///< masked; where else the addresses of members may be
  std::string cluster;  ///< fingerprint of our cluster key, for lines about another key

  SecretKey identity_seed;  ///< all zero: nothing is signed, and our address is never contested
  std::uint64_t epoch_first = 1;  ///< of the epochs reserved in the key file for this run
  std::uint64_t epoch_end = 1001;
  std::uint64_t instance = 0;  ///< drawn at this start
  WallTime claimed{};          ///< when `own.overlay` was claimed
  /// Our claim was never announced, or nobody has heard of it for longer than the retention of
  /// failed members: it takes a new time, behind all that are known, before it is announced.
  bool claim_is_new = false;
  std::optional<IpAddress> fixed_overlay;  ///< the only address we want
  std::vector<IpAddress> host_addresses;   ///< of this host, its gateways, resolvers: not chosen
  /// How long a name's holder must be silent before another identity gets the name from another
  /// address; nothing: never.
  std::optional<Duration> takeover_after = std::chrono::minutes{5};

  /// What signs nothing is in only at the address that the Go program gives its name.
  bool checks_unsigned = false;

  bool format_is_fixed = false;  ///< `own.format` is spoken whatever members of the Go program do
  /// How long none of them must speak our format before we speak theirs.
  Duration format_patience = std::chrono::seconds{30};

  std::vector<std::string> static_members;  ///< names whose members are never forgotten as failed
  Duration failed_retention = std::chrono::hours{72};
  /// `failed_retention` is the longest, and members that were here shortly are kept shorter:
  /// `retention_by_lifetime` of model/member.h.
  bool retention_by_lifetime = false;
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
  /// Announces our leaving. LeaveDone follows within `max_wait`. `for_good`: our address and name
  /// are free at once, else they stay reserved for us as those of a failed member.
  void leave(Duration max_wait, bool for_good, Moment now);
  void incarnations_reserved(std::uint32_t end, Moment now);
  void epochs_reserved(std::uint64_t end, Moment now);
  /// The answer to OwnClaim: it is on disk. Announced from now on.
  void claim_stored(std::optional<IpAddress> overlay, Moment now);
  /// The answer to SpeakFormat: it is on disk. Announced from now on.
  void format_stored(MetaFormat format, Moment now);
  /// We are reached at another underlay address from now on: 4 or 16 bytes, as to be announced.
  void own_address_changed(Bytes underlay, Moment now);
  /// Drops a member that is not live; what was dropped, or why not.
  [[nodiscard]] Result<std::string> forget(std::string_view name, Moment now);
  /// The same with all that failed longer ago; their names.
  std::vector<std::string> forget_failed_older(Duration age, Moment now);
  /// Our WireGuard key is another one from now on; announced at once, if we are announced.
  void own_key_changed(const PublicKey& key, Moment now);

  [[nodiscard]] std::optional<gossip::Transmit> poll_transmit();
  /// Gives back a datagram that was sent, so that the next one takes nothing from the heap.
  void reuse(Bytes datagram);
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
