#include "plan/change.h"

#include <algorithm>

#include "base/text.h"
#include "plan/reason.h"

namespace wesher::plan {

namespace {

/// Reasons made of the little that one row needs: its member, and the row itself.
class RowReasons {
 public:
  RowReasons(const DesiredTable& table, const DesiredPeer& row, WallTime now) {
    if (const DesiredPeer* current = table.find(row.name)) desired_.peers.push_back(*current);
    const auto it = table.members().find(row.name);
    if (it != table.members().end()) member_.push_back(it->second);
    reasons_.emplace(desired_, member_, now);
  }

  RowReasons(const RowReasons&) = delete;
  RowReasons& operator=(const RowReasons&) = delete;
  RowReasons(RowReasons&&) = delete;
  RowReasons& operator=(RowReasons&&) = delete;
  ~RowReasons() = default;

  [[nodiscard]] const Reasons& operator*() const { return *reasons_; }

 private:
  Desired desired_;
  std::vector<Member> member_;
  std::optional<Reasons> reasons_;
};

}  // namespace

std::optional<std::vector<Action>> additions(const DesiredTable& table,
                                             const RowChange& change,
                                             WallTime now) {
  std::vector<Action> actions;
  if (!change.after) return actions;
  const DesiredPeer& after = *change.after;
  const bool new_peer = !change.before || change.before->key != after.key;
  const bool new_overlay = !change.before || change.before->overlay != after.overlay;
  if (!new_peer && change.before->endpoint != after.endpoint) return std::nullopt;
  const Prefix allowed = Prefix::host(after.overlay);
  const RowReasons reasons(table, after, now);
  std::string why = (*reasons).wanted(after);
  if (new_peer) {
    actions.push_back(
        {AddPeer{after.name, after.key, after.endpoint, allowed, table.own().interface.keepalive_s},
         std::move(why)});
  } else if (new_overlay) {
    actions.push_back({UpdatePeer{after.name, after.key, std::nullopt, allowed},
                       "its address was " + change.before->overlay.text()});
  }
  if (new_overlay) {
    actions.push_back({AddRoute{allowed}, "address of member " + printable(after.name)});
  }
  return actions;
}

std::vector<Action> removals(const DesiredTable& table, const DesiredPeer& gone, WallTime now) {
  std::vector<Action> actions;
  const RowReasons reasons(table, gone, now);
  const Prefix route = Prefix::host(gone.overlay);
  if (table.owner(gone.key) == nullptr) {
    ObservedPeer peer;
    peer.key = gone.key;
    peer.allowed_ips = {route};
    auto [name, reason] = (*reasons).unwanted(peer);
    actions.push_back({RemovePeer{gone.name, gone.key}, std::move(reason)});
  }
  if (table.owner(gone.overlay) == nullptr) {
    const DesiredPeer* now_is = table.find(gone.name);
    std::string otherwise = now_is == nullptr ? "no member has this address"
                                              : "member " + printable(gone.name) + " has " +
                                                    now_is->overlay.text() + " now";
    actions.push_back(
        {RemoveRoute{route}, (*reasons).unwanted(gone.overlay, std::move(otherwise))});
  }
  return actions;
}

Touched::Touched(const RowChanges& changes) {
  for (const auto& [name, change] : changes) {
    if (change.before) add(*change.before);
    if (change.after) add(*change.after);
  }
}

void Touched::add(const DesiredPeer& row) {
  names_.insert(row.name);
  keys_.insert(row.key);
  overlays_.insert(row.overlay);
}

bool Touched::covers(const Action& action) const {
  return std::visit(
      [&](const auto& what) {
        using Kind = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<Kind, WriteHosts>) {
          return !what.changes.empty() &&
                 std::all_of(what.changes.begin(), what.changes.end(), [&](const HostsChange& c) {
                   return names_.contains(c.name) || overlays_.contains(c.address);
                 });
        } else if constexpr (requires { what.destination; }) {
          return overlays_.contains(what.destination.address);
        } else if constexpr (std::is_same_v<Kind, AddPeer> || std::is_same_v<Kind, UpdatePeer> ||
                             std::is_same_v<Kind, RemovePeer>) {
          return keys_.contains(what.key);
        } else {
          return false;
        }
      },
      action.what);
}

}  // namespace wesher::plan
