// How members and desired rows look in the database: bound and read at one place each.
#pragma once

#include "model/member.h"
#include "model/state.h"
#include "store/repository.h"
#include "store/sql.h"

namespace wesher::store {

/// Longest text of ours in a row (reason, error, answer); what is longer is cut.
inline constexpr std::size_t kTextMax = 1024;

/// Columns of `member` in the order of bind_member and read_member.
inline constexpr std::string_view kMemberColumns =
    "name, underlay, gossip_port, incarnation, state, state_since_ms, first_seen_ms, meta_overlay, "
    "meta_key, meta_format, standing, reason, identity, epoch, claimed_ms, instance, for_good";
void bind_member(Binder& to, const Member& member);
[[nodiscard]] Member read_member(RowReader& row);

/// Columns of `desired_peer`, likewise.
inline constexpr std::string_view kDesiredPeerColumns =
    "name, key, overlay, endpoint, endpoint_port, reason";
void bind_desired_peer(Binder& to, const DesiredPeer& peer);
[[nodiscard]] DesiredPeer read_desired_peer(RowReader& row);

/// Columns of `self`, likewise.
inline constexpr std::string_view kSelfColumns =
    "name, interface, overlay, claimed_ms, overlay_net, overlay_net_length, key, identity, "
    "cluster, underlay, gossip_port, wireguard_port, meta_format, backend, version, pid, "
    "started_ms, stopped_ms, stop_kind, kept_out";
void bind_self(Binder& to, const SelfRow& self);
[[nodiscard]] SelfRow read_self(RowReader& row);

/// The parts of a batch that are about desired state, inside its transaction. `change.put` is
/// stored with texts as they are bound, whatever order names, keys and addresses are exchanged in.
void write_desired(SQLite::Database& db, const DesiredChange& change);
void write_applied(SQLite::Database& db, const AppliedChange& change);

/// "seed", "foreign_packets", "member".
[[nodiscard]] std::string_view to_text(HealthKind kind);
[[nodiscard]] std::optional<HealthKind> health_kind_from(std::string_view text);

/// A value whose text the CHECKs allow; throws std::runtime_error for nothing.
template <class T>
[[nodiscard]] T known(const std::optional<T>& value) {
  if (!value) throw std::runtime_error("a word that is not known");
  return *value;
}

}  // namespace wesher::store
