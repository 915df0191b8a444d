#include "plan/reason.h"

#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace wesher::plan {

Reasons::Reasons(const Desired& desired, std::span<const Member> members, WallTime now)
    : now_(now) {
  std::set<std::string_view> wanted_names;
  for (const DesiredPeer& peer : desired.peers) {
    wanted_names.insert(peer.name);
    wanted_.emplace(peer.overlay, &peer);
  }
  for (const Member& member : members) {
    by_name_.emplace(member.name, &member);
    if (!member.meta || wanted_names.contains(member.name)) continue;
    by_key_.emplace(member.meta->key, &member);
    by_address_.emplace(member.meta->overlay, &member);
  }
}

std::string Reasons::age(WallTime since) const {
  return age_text(now_ - since);
}

std::string Reasons::wanted(const DesiredPeer& peer) const {
  const auto it = by_name_.find(peer.name);
  if (it == by_name_.end()) return printable(peer.reason);
  return fmt::format("member {} since {}", to_text(it->second->state),
                     age(it->second->state_since));
}

std::string Reasons::gone(const Member& member) const {
  const std::string who = "member " + printable(member.name);
  if (member.state == MemberState::left) return who + " left " + age(member.state_since) + " ago";
  if (member.state == MemberState::gone) return who + " is gone: silent for too long, or forgotten";
  if (!member.reason.empty()) return who + " is not configured: " + printable(member.reason);
  if (member.state == MemberState::failed) {
    return who + " failed " + age(member.state_since) + " ago, kept no longer";
  }
  return who + " is not configured";
}

std::pair<std::string, std::string> Reasons::unwanted(const ObservedPeer& peer) const {
  if (const auto it = by_key_.find(peer.key); it != by_key_.end()) {
    return {it->second->name, gone(*it->second)};
  }
  for (const Prefix& allowed : peer.allowed_ips) {
    const auto it = allowed.is_host() ? wanted_.find(allowed.address) : wanted_.end();
    if (it == wanted_.end()) continue;
    const std::string& name = it->second->name;
    return {name, fmt::format("member {} has another key now", printable(name))};
  }
  return {"", "no member has this key"};
}

std::string Reasons::unwanted(const IpAddress& address, std::string otherwise) const {
  const auto it = by_address_.find(address);
  return it == by_address_.end() ? std::move(otherwise) : gone(*it->second);
}

std::string Reasons::unwanted(const std::string& name, std::string otherwise) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() || it->second->standing == Standing::configured ? std::move(otherwise)
                                                                              : gone(*it->second);
}

}  // namespace wesher::plan
