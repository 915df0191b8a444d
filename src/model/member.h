// A member of the mesh, as everybody in the program talks about it: decided by mesh/, stored by
// store/, turned into desired state by plan/, shown by cli/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/identity.h"
#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"

namespace wesher {

/// Which struct the Go program of a generation gob-encodes into a member's metadata. The three
/// can't decode each other.
enum class MetaFormat : std::uint8_t {
  f1,  ///< v0.1.0–v0.1.2: net.IP and string
  f2,  ///< v0.2.0–v0.2.6: net.IPNet and string
  f3,  ///< v0.3.0-alpha.1 and later: netip.Addr and string
};

/// What a node says of itself in its gossip metadata, decoded and valid.
struct NodeMeta {
  IpAddress overlay;
  PublicKey key;
  MetaFormat format = MetaFormat::f2;

  friend bool operator==(const NodeMeta&, const NodeMeta&) = default;
};

/// What a member's signed record says beside its metadata; verified.
struct SignedClaim {
  IdentityKey identity;
  std::uint64_t epoch = 0;     ///< grows with every change of its record
  WallTime claimed{};          ///< when it claimed its overlay address
  std::uint64_t instance = 0;  ///< drawn at each start of its program
  bool for_good = false;       ///< it left by `wesher leave`: address and name are free

  friend bool operator==(const SignedClaim&, const SignedClaim&) = default;
};

enum class MemberState : std::uint8_t {
  alive,
  suspect,  ///< accused, may still refute; treated like alive
  failed,   ///< silent, not gone: stays configured until its retention is over
  left,     ///< said goodbye: nothing configured, kept as a seed
  gone,     ///< was silent for longer than it is kept, or forgotten: name and address are free
};

/// Alive or suspect: it is there as far as anybody knows.
[[nodiscard]] inline bool is_live_state(MemberState state) {
  return state == MemberState::alive || state == MemberState::suspect;
}

/// Left or gone: nothing of it is configured, its address is one to try.
[[nodiscard]] inline bool is_departed(MemberState state) {
  return state == MemberState::left || state == MemberState::gone;
}

/// What follows from a member for this host.
enum class Standing : std::uint8_t {
  configured,  ///< gets a peer, a route and a hosts line
  seed,        ///< only an address to try: left, or nothing usable heard yet
  refused,     ///< present, but not configured, for the reason given
};

/// One member other than ourselves.
struct Member {
  std::string name;      ///< primary key; any bytes a peer chose, 1–253
  Bytes underlay_bytes;  ///< its advertised address exactly as received: 4 or 16 bytes
  IpAddress underlay;    ///< the same, canonical
  std::uint16_t gossip_port = 0;
  std::uint32_t incarnation = 0;
  MemberState state = MemberState::alive;
  WallTime state_since{};        ///< when the state was entered
  WallTime first_seen{};         ///< when the name was first heard of
  std::optional<NodeMeta> meta;  ///< nothing when it announced none, or none that is valid
  std::optional<SignedClaim> signed_claim;  ///< nothing: it signs nothing, as the Go program
  Standing standing = Standing::seed;
  std::string reason;  ///< why it stands as it stands, one short clause, printable

  friend bool operator==(const Member&, const Member&) = default;
};

/// How long a member that failed stays configured when its lifetime counts: ten times as long as it
/// had been there, at least kRetentionAtLeast and at most `longest`. An instance that lived for
/// five minutes is gone after fifty, a server of a year stays.
[[nodiscard]] Duration retention_by_lifetime(WallTime first_seen,
                                             WallTime failed,
                                             Duration longest);
inline constexpr Duration kRetentionAtLeast = std::chrono::minutes{10};

/// "alive", "suspect", "failed", "left", "gone".
[[nodiscard]] std::string_view to_text(MemberState state);
/// "configured", "seed", "refused".
[[nodiscard]] std::string_view to_text(Standing standing);
/// "F1", "F2", "F3".
[[nodiscard]] std::string_view to_text(MetaFormat format);
/// The inverse of `to_text`, for the database; nothing for another text.
[[nodiscard]] std::optional<MemberState> member_state_from(std::string_view text);
[[nodiscard]] std::optional<Standing> standing_from(std::string_view text);
[[nodiscard]] std::optional<MetaFormat> meta_format_from(std::string_view text);

}  // namespace wesher
