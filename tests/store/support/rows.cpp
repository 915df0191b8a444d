#include "tests/store/support/rows.h"

#include <stdexcept>

namespace wesher::store::test {

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  return std::move(*result);
}

IpAddress address_of(std::uint8_t net, unsigned number) {
  return IpAddress::v4(net, 0, static_cast<std::uint8_t>(number >> 8U),
                       static_cast<std::uint8_t>(number));
}

}  // namespace

PublicKey key_of(unsigned number) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[1] = static_cast<std::uint8_t>(number >> 8U);
  bytes[31] = 1;
  return PublicKey(bytes);
}

SignedClaim claim_of(unsigned number) {
  SignedClaim claim;
  claim.identity = IdentityKey(key_of(number).bytes());
  claim.epoch = 0xffff'ffff'0000'0000U + number;
  claim.claimed = wall_from_ms(1775000000000);
  claim.instance = 0x8000'0000'0000'0001U;
  return claim;
}

SelfRow self_row() {
  SelfRow row;
  row.name = "db1";
  row.interface = "wgoverlay";
  row.overlay = IpAddress::v4(10, 1, 2, 3);
  row.claimed = wall_from_ms(1779000000000);
  row.overlay_net = Prefix::parse("10.0.0.0/8").value();
  row.key = key_of(7);
  row.identity = claim_of(7).identity;
  row.cluster = "3f9a-c2e1";
  row.underlay = "203.0.113.5";
  row.gossip_port = 7946;
  row.wireguard_port = 51820;
  row.meta_format = MetaFormat::f3;
  row.backend = "kernel WireGuard";
  row.version = "2.0.0";
  row.pid = 4000000000U;
  row.started = wall_from_ms(1780000000000);
  return row;
}

Member member_of(const std::string& name, unsigned number) {
  Member member;
  member.name = name;
  member.underlay = address_of(192, number);
  member.underlay_bytes.assign(member.underlay.bytes().begin(), member.underlay.bytes().end());
  member.gossip_port = 7946;
  member.incarnation = number;
  member.state_since = wall_from_ms(1780000000000 + number);
  member.first_seen = wall_from_ms(1770000000000);
  member.meta = NodeMeta{address_of(10, number), key_of(number), MetaFormat::f2};
  member.standing = Standing::configured;
  member.reason = "alive";
  return member;
}

DesiredPeer peer_of(const std::string& name, unsigned number) {
  return {name,
          key_of(number),
          address_of(10, number),
          {address_of(192, number), 51820},
          "member alive"};
}

Desired desired_of(std::vector<DesiredPeer> peers) {
  Desired desired;
  desired.interface = {"wgoverlay", key_of(60000), 51820, address_of(10, 60000), std::nullopt, 25};
  desired.peers = std::move(peers);
  desired.own_name = "db1";
  return desired;
}

Store::Store() {
  restart();
}

void Store::restart() {
  repository_.reset();
  database_.reset();
  database_ = std::make_unique<Database>(
      must(Database::open_for_daemon(place_("wgoverlay.db"), kId)).database);
  repository_ = std::make_unique<Repository>(*database_);
}

Database Store::connect() const {
  return must(Database::open_for_command(place_("wgoverlay.db"), Database::Access::write));
}

Result<void> put_applied(Store& store,
                         std::uint64_t generation,
                         const std::vector<AppliedObject>& objects,
                         WallTime at) {
  Batch batch;
  batch.applied = AppliedChange{generation, at, objects};
  return store->write(batch);
}

}  // namespace wesher::store::test
