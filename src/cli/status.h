// `wesher status`: the five layers of the program, each judged by comparing what is with what is
// wanted, and one line per member. Pure: a Snapshot in, a report out, text or JSON from that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/facts.h"
#include "cli/legacy.h"

namespace wesher::cli {

/// Gossip, database, device, routes or hosts: in order or not, with the reason.
struct Layer {
  std::string name;
  bool ok = true;
  std::string text;

  friend bool operator==(const Layer&, const Layer&) = default;
};

/// How a member's tunnel stands as far as the device shows it.
enum class Tunnel : std::uint8_t {
  no_peer,  ///< not in the device
  idle,     ///< no fresh handshake, and none is overdue
  up,       ///< handshake younger than plan::kHandshakeYoung: packets went both ways
  silent,   ///< we send, and there never was a handshake
};

struct MemberLine {
  std::string name;  ///< safe to print
  bool this_host = false;
  std::optional<IpAddress> overlay;
  std::string endpoint;  ///< as the device has it, else as wanted, else as announced
  MemberState state = MemberState::alive;
  WallTime state_since{};
  Standing standing = Standing::configured;
  std::string reason;
  Tunnel tunnel = Tunnel::no_peer;
  std::optional<WallTime> handshake;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::string version;  ///< program version, where known
  std::optional<MetaFormat> meta_format;
  std::optional<SignedClaim> signed_claim;  ///< of others
};

struct StatusReport {
  WallTime now{};
  std::string interface;
  std::optional<store::SelfRow> self;
  DaemonState daemon = DaemonState::stopped;
  bool left = false;     ///< see has_left
  WallTime last_sign{};  ///< see last_sign_of
  std::vector<Layer> layers;
  std::vector<MemberLine> members;  ///< this host among them, sorted by name; left ones are omitted
  bool partitioned = false;         ///< half of the members failed: their tunnels are told
  std::optional<store::DriftRow> last_drift;
  LegacyReport legacy;
  std::vector<std::string> remarks;

  /// Whether all layers are in order.
  [[nodiscard]] bool ok() const;
};

/// For how long we send without any handshake before that is called broken: six attempts, as
/// WireGuard repeats an initiation every 5 s (REKEY_TIMEOUT).
inline constexpr std::chrono::seconds kSilentTunnel{30};
/// Whether this host said goodbye when its daemon stopped: its data plane was removed then.
[[nodiscard]] bool has_left(const Facts& facts);

/// The newest time that the database mentions: of an orderly stop, else of anything written.
[[nodiscard]] WallTime last_sign_of(const Facts& facts);

/// Judges the five layers, in the order gossip, database, device, routes, hosts.
[[nodiscard]] std::vector<Layer> judge_layers(const Snapshot& snapshot);

/// One line per member that has not left, and this host.
[[nodiscard]] std::vector<MemberLine> member_lines(const Snapshot& snapshot);

/// How the tunnel to a member stands. `peer` may be null.
[[nodiscard]] Tunnel judge_tunnel(const Member& member,
                                  const ObservedPeer* peer,
                                  const Snapshot& snapshot);

/// "kept for 70h more", or "kept: named by --static", for a failed member that is still configured;
/// else empty.
[[nodiscard]] std::string retention_text(const Member& member, const Facts& facts, WallTime now);

/// "no tunnel to web2: sent for 40s, nothing came back; is UDP 51820 open at 198.51.100.22?"
[[nodiscard]] std::string silent_sentence(const Member& member,
                                          const DesiredPeer& wanted,
                                          const ObservedPeer& peer,
                                          const Snapshot& snapshot);

/// For how long at least we have sent to a member: since it is alive and we run.
[[nodiscard]] Duration sending_for(const Member& member, const Snapshot& snapshot);

[[nodiscard]] StatusReport build_status(const Snapshot& snapshot);

/// The report for a terminal.
[[nodiscard]] std::string render_text(const StatusReport& report);
/// The report as JSON, schema wesher.status/1.
[[nodiscard]] std::string render_json(const StatusReport& report);

}  // namespace wesher::cli
