// See derive.h.
#include "tests/plan/support/derive.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"

namespace wesher::plan::test {

namespace {

/// Who owns what so far; members come in the order of their names, so the smaller name wins.
class Owners {
 public:
  explicit Owners(const OwnNode& own) : own_(own) {}

  /// Why the member can't become a peer; nothing if it now owns its address and key.
  std::optional<std::string> take(const Member& member) {
    if (auto why = unusable(member)) return why;
    const IpAddress& overlay = member.meta->overlay;
    const PublicKey& key = member.meta->key;
    if (const auto it = addresses_.find(overlay); it != addresses_.end()) {
      return "its overlay address " + overlay.text() + " belongs to " + printable(it->second);
    }
    if (const auto it = keys_.find(key); it != keys_.end()) {
      return "its public key " + key.abbreviated() + " belongs to " + printable(it->second);
    }
    addresses_.emplace(overlay, member.name);
    keys_.emplace(key, member.name);
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<std::string> unusable(const Member& member) const {
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

  const OwnNode& own_;
  std::map<IpAddress, std::string> addresses_;
  std::map<PublicKey, std::string> keys_;
};

/// Never changes while the member stays: a reason that follows every suspicion would be a new row
/// and a new generation each time.
std::string reason_of(const Member& member) {
  return "member since " + rfc3339(member.first_seen);
}

}  // namespace

DesiredResult derive(const OwnNode& own, const std::vector<Member>& members) {
  std::vector<const Member*> candidates;
  for (const Member& member : members) {
    if (member.standing == Standing::configured) candidates.push_back(&member);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Member* a, const Member* b) { return a->name < b->name; });

  DesiredResult result;
  result.desired.interface = own.interface;
  result.desired.hosts = own.hosts;
  result.desired.own_name = own.name;
  Owners owners(own);
  const std::string* last_name = nullptr;
  for (const Member* member : candidates) {
    if (last_name != nullptr && *last_name == member->name) {
      result.losers.push_back({member->name, "is listed twice"});
      continue;
    }
    last_name = &member->name;
    if (auto why = owners.take(*member)) {
      result.losers.push_back({member->name, std::move(*why)});
      continue;
    }
    result.desired.peers.push_back({member->name, member->meta->key, member->meta->overlay,
                                    Endpoint{member->underlay, own.interface.listen_port},
                                    reason_of(*member)});
  }
  return result;
}

DesiredResult by_table(const OwnNode& own, const std::vector<Member>& members) {
  DesiredTable table(own);
  for (const Member& member : members)
    table.put(member);
  return {table.desired(), table.take_losers()};
}

}  // namespace wesher::plan::test
