// A roster as a test drives it, and rows that an earlier run stored.
#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "mesh/roster.h"
#include "tests/mesh/support/samples.h"

namespace wesher::mesh::test {

struct Book {
  Roster roster{Roster::Limits{72h, std::chrono::days{30}, 100}};

  std::vector<MemberChanged> see(const std::string& name,
                                 std::uint8_t host,
                                 const NodeMeta& announced,
                                 MemberState state = MemberState::alive,
                                 Duration after = 0s,
                                 const std::string& why = "why") {
    roster.see(sighting(name, host, announced, state), why, at(after));
    return changes(roster.take());
  }

  const Member& row(const std::string& name) {
    const Member* member = roster.find(name);
    REQUIRE(member != nullptr);
    return *member;
  }

  std::string stands(const std::string& name) {
    const Member& member = row(name);
    std::string text(to_text(member.standing));
    return member.reason.empty() ? text : text + ": " + member.reason;
  }
};

inline Member stored(const std::string& name,
              std::uint8_t host,
              const NodeMeta& announced,
              MemberState state,
              Duration age) {
  Member member;
  member.name = name;
  member.underlay_bytes = {192, 0, 2, host};
  member.underlay = IpAddress::v4(192, 0, 2, host);
  member.gossip_port = 7946;
  member.incarnation = 7;
  member.state = state;
  member.state_since = kWall - std::chrono::duration_cast<std::chrono::milliseconds>(age);
  member.first_seen = kWall - std::chrono::days{100};
  member.meta = announced;
  member.standing = state == MemberState::left ? Standing::seed : Standing::configured;
  if (state == MemberState::left) member.reason = "left";
  if (state == MemberState::failed) member.reason = "silent; stays configured for 72h";
  return member;
}

inline Judgement good(const NodeMeta& announced) {
  return {announced, Standing::configured, {}};
}

}  // namespace wesher::mesh::test
