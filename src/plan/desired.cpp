// Desired rows out of facts, one member at a time. See desired.h.
//
// The outcome is that of going through the members in the order of their names and giving each its
// address and key if nobody before has them. A change can only alter the outcome of members with a
// greater name that want the same address or key, so those are judged anew, in that order.
#include "plan/desired.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace wesher::plan {

namespace {

/// Never changes while the member stays: a reason that follows every suspicion would be a new row
/// and a new generation each time.
std::string reason_of(const Member& member) {
  return "member since " + rfc3339(member.first_seen);
}

auto position(std::vector<DesiredPeer>& peers, const std::string& name) {
  return std::lower_bound(
      peers.begin(), peers.end(), name,
      [](const DesiredPeer& peer, const std::string& wanted) { return peer.name < wanted; });
}

}  // namespace

void merge(RowChanges& into, const RowChanges& later) {
  for (const auto& [name, change] : later) {
    const auto [it, fresh] = into.try_emplace(name, change);
    if (fresh) continue;
    it->second.after = change.after;
    if (it->second.before == it->second.after) into.erase(it);
  }
}

DesiredTable::DesiredTable(OwnNode own) {
  set_own(std::move(own));
}

void DesiredTable::set_own(OwnNode own) {
  own_ = std::move(own);
  desired_.interface = own_.interface;
  desired_.hosts = own_.hosts;
  desired_.own_name = own_.name;
  for (const auto& [name, member] : members_)
    dirty_.insert(name);
  settle();
}

void DesiredTable::enter(const Member& member, bool present) {
  if (member.standing != Standing::configured || !member.meta) return;
  const auto change = [&](auto& contest, const auto& value) {
    if (present) {
      contest.candidates[value].insert(member.name);
      return;
    }
    const auto it = contest.candidates.find(value);
    it->second.erase(member.name);
    if (it->second.empty()) contest.candidates.erase(it);
  };
  change(overlays_, member.meta->overlay);
  change(keys_, member.meta->key);
}

void DesiredTable::put(const Member& member) {
  const auto [it, fresh] = members_.try_emplace(member.name, member);
  if (!fresh) {
    enter(it->second, false);
    it->second = member;
  }
  enter(member, true);
  dirty_.insert(member.name);
  settle();
}

void DesiredTable::remove(const std::string& name) {
  const auto it = members_.find(name);
  if (it == members_.end()) return;
  enter(it->second, false);
  members_.erase(it);
  dirty_.insert(name);
  settle();
}

void DesiredTable::settle() {
  while (!dirty_.empty()) {
    const std::string name = *dirty_.begin();
    dirty_.erase(dirty_.begin());
    judge(name);
  }
}

std::optional<std::string> DesiredTable::unusable(const Member& member) const {
  if (member.name == own_.name) return "bears our own name";
  if (!member.meta) return "announced no overlay address and key";
  const IpAddress& overlay = member.meta->overlay;
  if (overlay == own_.interface.overlay)
    return "its overlay address " + overlay.text() + " is ours";
  if (overlay.is_unspecified() || overlay.is_loopback() || overlay.is_multicast() ||
      overlay.is_broadcast()) {
    return "its overlay address " + overlay.text() + " is none that a host can have";
  }
  if (overlay == member.underlay) {
    return "its overlay address " + overlay.text() + " is its underlay address, too";
  }
  if (member.meta->key == own_.interface.key) return "its public key is ours";
  if (member.meta->key.is_zero()) return "its public key is all zero";
  if (member.underlay.is_unspecified()) return "it has no underlay address";
  return std::nullopt;
}

template <class Value>
void DesiredTable::release(Contest<Value>& contest, const Value& value, const std::string& name) {
  const auto it = contest.owner.find(value);
  if (it == contest.owner.end() || it->second != name) return;
  contest.owner.erase(it);
  const auto candidates = contest.candidates.find(value);
  if (candidates == contest.candidates.end()) return;
  dirty_.insert(candidates->second.upper_bound(name), candidates->second.end());
}

template <class Value>
void DesiredTable::claim(Contest<Value>& contest, const Value& value, const std::string& name) {
  const auto [it, fresh] = contest.owner.try_emplace(value, name);
  if (fresh || it->second == name) return;
  const std::string loser = std::exchange(it->second, name);
  // Its row goes at once: it may own the other of the two, which is free from here on.
  if (const DesiredPeer* row = find(loser)) {
    const DesiredPeer old = *row;
    set_row(loser, std::nullopt);
    release(overlays_, old.overlay, loser);
    release(keys_, old.key, loser);
  }
  dirty_.insert(loser);
}

std::optional<std::string> DesiredTable::why_not(const Member& member) const {
  if (auto why = unusable(member)) return why;
  const auto taken = [&](const auto& contest, const auto& value) -> const std::string* {
    const auto owner = contest.owner.find(value);
    return owner != contest.owner.end() && owner->second < member.name ? &owner->second : nullptr;
  };
  if (const auto* owner = taken(overlays_, member.meta->overlay)) {
    return "its overlay address " + member.meta->overlay.text() + " belongs to " +
           printable(*owner);
  }
  if (const auto* owner = taken(keys_, member.meta->key)) {
    return "its public key " + member.meta->key.abbreviated() + " belongs to " + printable(*owner);
  }
  return std::nullopt;
}

void DesiredTable::judge(const std::string& name) {
  const auto it = members_.find(name);
  const Member* member =
      it != members_.end() && it->second.standing == Standing::configured ? &it->second : nullptr;
  auto why = member != nullptr ? why_not(*member) : std::nullopt;
  std::optional<DesiredPeer> row;
  if (member != nullptr && !why) {
    row = DesiredPeer{name, member->meta->key, member->meta->overlay,
                      Endpoint{member->underlay, own_.interface.listen_port}, reason_of(*member)};
  }
  if (why) {
    auto& known = losing_[name];
    if (known != *why) newly_losing_.insert(name);
    known = std::move(*why);
  } else {
    losing_.erase(name);
    newly_losing_.erase(name);
  }
  std::optional<DesiredPeer> old;
  if (const DesiredPeer* current = find(name)) old = *current;
  set_row(name, row);
  if (old && (!row || row->overlay != old->overlay)) release(overlays_, old->overlay, name);
  if (old && (!row || row->key != old->key)) release(keys_, old->key, name);
  if (row) {
    claim(overlays_, row->overlay, name);
    claim(keys_, row->key, name);
  }
}

void DesiredTable::set_row(const std::string& name, std::optional<DesiredPeer> row) {
  auto& peers = desired_.peers;
  const auto at = position(peers, name);
  const bool present = at != peers.end() && at->name == name;
  if (present && row == *at) return;
  if (!present && !row) return;
  RowChange change{present ? std::optional(*at) : std::nullopt, row};
  if (present && row) {
    *at = std::move(*row);
  } else if (present) {
    peers.erase(at);
  } else {
    peers.insert(at, std::move(*row));
  }
  merge(changes_, {{name, std::move(change)}});
}

const DesiredPeer* DesiredTable::find(const std::string& name) const {
  const auto& peers = desired_.peers;
  const auto at = std::lower_bound(
      peers.begin(), peers.end(), name,
      [](const DesiredPeer& peer, const std::string& wanted) { return peer.name < wanted; });
  return at != peers.end() && at->name == name ? &*at : nullptr;
}

const DesiredPeer* DesiredTable::owner(const PublicKey& key) const {
  const auto it = keys_.owner.find(key);
  return it == keys_.owner.end() ? nullptr : find(it->second);
}

const DesiredPeer* DesiredTable::owner(const IpAddress& overlay) const {
  const auto it = overlays_.owner.find(overlay);
  return it == overlays_.owner.end() ? nullptr : find(it->second);
}

RowChanges DesiredTable::take_changes() {
  return std::exchange(changes_, {});
}

std::vector<Loser> DesiredTable::take_losers() {
  std::vector<Loser> losers;
  for (const std::string& name : std::exchange(newly_losing_, {}))
    losers.push_back({name, losing_.at(name)});
  return losers;
}

}  // namespace wesher::plan
