#include "store/rows.h"

#include <array>
#include <stdexcept>

namespace wesher::store {

namespace {

/// A number of 64 bits: SQLite's integers have a sign.
std::array<std::uint8_t, 8> number_bytes(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = bytes.size(); i-- > 0; number >>= 8U)
    bytes[i] = static_cast<std::uint8_t>(number);
  return bytes;
}

std::uint64_t read_number(RowReader& row) {
  const Bytes bytes = row.blob();
  if (bytes.size() != 8) throw std::runtime_error("a number that is not of 8 bytes");
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes)
    number = (number << 8U) | byte;
  return number;
}

IdentityKey read_identity(RowReader& row) {
  const auto identity = IdentityKey::from_bytes(row.blob());
  if (!identity) throw std::runtime_error("an identity that is not one");
  return *identity;
}

void bind_claim(Binder& to, const std::optional<SignedClaim>& claim) {
  if (!claim) {
    to.null().null().null().null().null();
    return;
  }
  to.blob(claim->identity.bytes())
      .blob(number_bytes(claim->epoch))
      .time(claim->claimed)
      .blob(number_bytes(claim->instance))
      .flag(claim->for_good);
}

std::optional<SignedClaim> read_claim(RowReader& row) {
  if (row.next_is_null()) {
    row.skip(5);
    return std::nullopt;
  }
  SignedClaim claim;
  claim.identity = read_identity(row);
  claim.epoch = read_number(row);
  claim.claimed = row.time();
  claim.instance = read_number(row);
  claim.for_good = row.flag();
  return claim;
}

}  // namespace

void bind_member(Binder& to, const Member& member) {
  to.name(member.name)
      .blob(member.underlay_bytes)
      .integer(member.gossip_port)
      .integer(member.incarnation)
      .text(to_text(member.state))
      .time(member.state_since)
      .time(member.first_seen);
  if (member.meta) {
    to.address(member.meta->overlay).key(member.meta->key).text(to_text(member.meta->format));
  } else {
    to.null().null().null();
  }
  to.text(to_text(member.standing)).text(clipped(member.reason, kTextMax));
  bind_claim(to, member.signed_claim);
}

Member read_member(RowReader& row) {
  Member member;
  member.name = row.text();
  member.underlay_bytes = row.blob();
  const auto underlay = IpAddress::from_bytes(member.underlay_bytes);
  if (!underlay) throw std::runtime_error("an address that is not one");
  member.underlay = *underlay;
  member.gossip_port = row.integer<std::uint16_t>();
  member.incarnation = row.integer<std::uint32_t>();
  member.state = known(member_state_from(row.text()));
  member.state_since = row.time();
  member.first_seen = row.time();
  if (row.next_is_null()) {
    row.skip(3);
  } else {
    NodeMeta meta;
    meta.overlay = row.address();
    meta.key = row.key();
    meta.format = known(meta_format_from(row.text()));
    member.meta = meta;
  }
  member.standing = known(standing_from(row.text()));
  member.reason = row.text();
  member.signed_claim = read_claim(row);
  return member;
}

void bind_desired_peer(Binder& to, const DesiredPeer& peer) {
  to.name(peer.name)
      .key(peer.key)
      .address(peer.overlay)
      .address(peer.endpoint.address)
      .integer(peer.endpoint.port)
      .text(clipped(peer.reason, kTextMax));
}

DesiredPeer read_desired_peer(RowReader& row) {
  DesiredPeer peer;
  peer.name = row.text();
  peer.key = row.key();
  peer.overlay = row.address();
  peer.endpoint.address = row.address();
  peer.endpoint.port = row.integer<std::uint16_t>();
  peer.reason = row.text();
  return peer;
}

void bind_self(Binder& to, const SelfRow& self) {
  to.name(self.name).text(self.interface);
  if (self.overlay) {
    to.address(*self.overlay);
  } else {
    to.null();
  }
  if (self.overlay && self.claimed) {
    to.time(*self.claimed);
  } else {
    to.null();
  }
  to.address(self.overlay_net.address)
      .integer(self.overlay_net.length)
      .key(self.key)
      .blob(self.identity.bytes())
      .text(self.cluster)
      .text(self.underlay)
      .integer(self.gossip_port)
      .integer(self.wireguard_port)
      .text(to_text(self.meta_format))
      .text(self.backend)
      .text(self.version)
      .integer(self.pid)
      .time(self.started);
  if (self.stopped) {
    to.time(*self.stopped);
  } else {
    to.null();
  }
  to.text(self.stop_kind).text(clipped(self.kept_out, kTextMax));
}

SelfRow read_self(RowReader& row) {
  SelfRow self;
  self.name = row.text();
  self.interface = row.text();
  if (row.next_is_null()) {
    row.skip(1);
  } else {
    self.overlay = row.address();
  }
  if (row.next_is_null()) {
    row.skip(1);
  } else {
    self.claimed = row.time();
  }
  self.overlay_net.address = row.address();
  self.overlay_net.length = row.integer<unsigned>();
  self.key = row.key();
  self.identity = read_identity(row);
  self.cluster = row.text();
  self.underlay = row.text();
  self.gossip_port = row.integer<std::uint16_t>();
  self.wireguard_port = row.integer<std::uint16_t>();
  self.meta_format = known(meta_format_from(row.text()));
  self.backend = row.text();
  self.version = row.text();
  self.pid = row.integer<std::uint32_t>();
  self.started = row.time();
  if (row.next_is_null()) {
    row.skip(1);
  } else {
    self.stopped = row.time();
  }
  self.stop_kind = row.text();
  self.kept_out = row.text();
  return self;
}

std::string_view to_text(HealthKind kind) {
  switch (kind) {
    case HealthKind::seed:
      return "seed";
    case HealthKind::foreign_packets:
      return "foreign_packets";
    case HealthKind::member:
      return "member";
  }
  return "";
}

std::optional<HealthKind> health_kind_from(std::string_view text) {
  for (const auto kind : {HealthKind::seed, HealthKind::foreign_packets, HealthKind::member}) {
    if (to_text(kind) == text) return kind;
  }
  return std::nullopt;
}

}  // namespace wesher::store
