// Values that tests of mesh/ share.
#pragma once

#include <string>
#include <vector>

#include "mesh/fact.h"
#include "mesh/judge.h"
#include "mesh/roster.h"
#include "model/member.h"

namespace wesher::mesh::test {

using namespace std::chrono_literals;

inline const WallTime kWall = wall_from_ms(1'790'000'000'000);

/// Both clocks `after` the beginning of the test.
inline Moment at(Duration after) {
  return {Instant{} + std::chrono::hours{1} + after,
          kWall + std::chrono::duration_cast<std::chrono::milliseconds>(after)};
}

/// A key of 32 equal bytes.
inline PublicKey key(std::uint8_t byte) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(byte);
  return PublicKey(bytes);
}

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

inline Endpoint endpoint(const std::string& text) {
  return Endpoint::parse(text).value();
}

inline NodeMeta meta(const std::string& overlay, std::uint8_t key_byte) {
  return {ip(overlay), key(key_byte), MetaFormat::f2};
}

/// A sighting of a member at 192.0.2.`host` that nothing speaks against.
inline Sighting sighting(const std::string& name,
                         std::uint8_t host,
                         const NodeMeta& announced,
                         MemberState state = MemberState::alive) {
  Sighting seen;
  seen.name = name;
  seen.underlay_bytes = {192, 0, 2, host};
  seen.gossip_port = 7946;
  seen.incarnation = 1;
  seen.state = state;
  seen.judgement = {announced, Standing::configured, {}};
  return seen;
}

inline std::vector<MemberChanged> changes(const std::vector<Fact>& facts) {
  std::vector<MemberChanged> out;
  for (const Fact& fact : facts) {
    if (const auto* changed = std::get_if<MemberChanged>(&fact)) out.push_back(*changed);
  }
  return out;
}

inline std::vector<std::string> texts(const std::vector<Fact>& facts) {
  std::vector<std::string> out;
  for (const Fact& fact : facts) {
    if (const auto* notice = std::get_if<Notice>(&fact)) out.push_back(notice->text);
  }
  return out;
}

}  // namespace wesher::mesh::test
