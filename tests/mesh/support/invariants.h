// What must hold of a mesh after whatever input, however hostile.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "mesh/mesh.h"

namespace wesher::mesh::test {

/// All but the incarnation: new numbers alone are not told.
inline bool same_row(const Member& a, const Member& b) {
  return a.state == b.state && a.state_since == b.state_since && a.standing == b.standing &&
         a.gossip_port == b.gossip_port && a.underlay_bytes == b.underlay_bytes &&
         a.underlay == b.underlay && a.first_seen == b.first_seen && a.meta == b.meta &&
         a.reason == b.reason && a.name == b.name;
}

/// A row that is not what the mesh thinks of the member, as a sentence. `rows` is what the facts so
/// far add up to.
inline std::optional<std::string> stale_row(const Mesh& mesh,
                                            const std::map<std::string, Member>& rows) {
  for (const auto& [name, row] : rows) {
    const Member* member = mesh.find(name);
    if (member == nullptr) return "a member is gone, and nobody was told: " + name;
    if (!same_row(row, *member)) return "the facts about a member are not what it is: " + name;
  }
  return std::nullopt;
}

/// The first rule that is broken, as a sentence; nothing if all hold.
inline std::optional<std::string> broken_rule(const Mesh& mesh,
                                              const Config& config,
                                              const std::map<std::string, Member>& rows) {
  std::set<IpAddress> addresses;
  std::set<PublicKey> keys;
  std::size_t live = 0;
  if (auto stale = stale_row(mesh, rows)) return stale;
  const auto members = mesh.members();
  if (members.size() != rows.size()) return "a member was never told";
  for (const Member& member : members) {
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
