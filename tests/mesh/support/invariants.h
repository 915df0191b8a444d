// What must hold of a mesh after whatever input, however hostile.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "mesh/mesh.h"

namespace wesher::mesh::test {

/// The first rule that is broken, as a sentence; nothing if all hold. `rows` is what the facts so
/// far add up to.
inline std::optional<std::string> broken_rule(const Mesh& mesh,
                                              const Config& config,
                                              const std::map<std::string, Member>& rows) {
  std::set<IpAddress> addresses;
  std::set<PublicKey> keys;
  std::size_t live = 0;
  const auto members = mesh.members();
  if (members.size() != rows.size()) return "facts and members differ in number";
  for (const Member& member : members) {
    const auto row = rows.find(member.name);
    if (row == rows.end()) return "a member was never told: " + member.name;
    Member told = row->second;
    told.incarnation = member.incarnation;
    if (told != member) return "the facts about a member are not what it is: " + member.name;
    if (member.name.empty() || member.name == config.gossip.name) return "a member of our name";
    live += member.state == MemberState::alive || member.state == MemberState::suspect;
    if (member.standing != Standing::configured && member.reason.empty()) {
      return "no reason for the standing of " + member.name;
    }
    if (member.standing != Standing::configured) continue;
    if (!member.meta) return "configured without metadata: " + member.name;
    if (member.state == MemberState::left) return "left and configured: " + member.name;
    if (!config.overlay_net.contains(member.meta->overlay)) return "outside: " + member.name;
    if (member.meta->overlay == config.own.overlay) return "our address given to " + member.name;
    if (member.meta->key == config.own.key) return "our key given to " + member.name;
    if (!addresses.insert(member.meta->overlay).second) return "two owners of an address";
    if (!keys.insert(member.meta->key).second) return "two peers of one key";
  }
  if (mesh.live() > live) return "more members count as live than are";
  return std::nullopt;
}

}  // namespace wesher::mesh::test
