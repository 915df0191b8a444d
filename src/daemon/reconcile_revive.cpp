// Sessions with members of the Go program, which end whenever anything happens in the cluster:
// plan/revival.h. What happens is what makes such a member replace its peers: somebody comes, is
// gone, or changes what it announces, we ourselves included.
#include <fmt/format.h>

#include "base/name_list.h"
#include "base/text.h"
#include "daemon/reconcile_core.h"

namespace wesher::daemon {

namespace {

constexpr std::size_t kNamesShown = 20;

/// Whether the callbacks of the Go program run for this change: those of memberlist for members
/// that come, go, or change what they announce.
bool disturbs_legacy(const std::optional<Member>& before, const Member& after) {
  const bool is_there = is_live_state(after.state);
  const bool was_there = before && is_live_state(before->state);
  if (!is_there || !was_there) return is_there != was_there;
  return before->meta != after.meta || before->underlay != after.underlay;
}

}  // namespace

/// With `before` equal to the member, as at the start, it is only noted.
void ReconcileCore::note_legacy(const Member& member, const std::optional<Member>& before) {
  const bool legacy = member.standing == Standing::configured && member.meta &&
                      !member.signed_claim && is_live_state(member.state);
  if (legacy) {
    legacy_.insert(member.name);
  } else {
    legacy_.erase(member.name);
  }
  if (disturbs_legacy(before, member)) disturb_legacy();
}

void ReconcileCore::forget_legacy(const std::string& name) {
  legacy_.erase(name);
}

void ReconcileCore::disturb_legacy() {
  if (!legacy_.empty()) revival_.event(clock_().at);
}

void ReconcileCore::revive() {
  const Moment moment = clock_();
  auto peers = parts_.data_plane->observe_peers();
  if (!peers) peers = std::vector<ObservedPeer>{};  // the next look, or the next pass, tells more
  const std::set<PublicKey>& silent = first_sessions_.unanswered(*peers);
  std::set<PublicKey> keys;
  for (const std::string& name : legacy_) {
    const DesiredPeer* row = table_.find(name);
    if (row != nullptr && !silent.contains(row->key)) keys.insert(row->key);
  }
  renew_sessions(revival_.look(*peers, keys, moment),
                 "Go members drop their sessions when something happens");
}

/// A peer that is taken out and put in again begins anew.
void ReconcileCore::renew_sessions(const std::vector<ObservedPeer>& peers,
                                   const std::string& reason) {
  const Moment moment = clock_();
  std::vector<plan::Action> actions;
  std::vector<std::string> renewed;
  std::vector<IpAddress> addresses;
  for (const ObservedPeer& peer : peers) {
    const DesiredPeer* row = table_.owner(peer.key);
    if (row == nullptr) continue;
    actions.push_back({plan::RemovePeer{row->name, row->key}, reason});
    actions.push_back({plan::AddPeer{row->name, row->key, peer.endpoint.value_or(row->endpoint),
                                     Prefix::host(row->overlay), peer.keepalive_s},
                       reason});
    renewed.push_back(printable(row->name));
    addresses.push_back(row->overlay);
  }
  if (actions.empty()) return;
  const auto results =
      parts_.data_plane->apply_all(actions, parts_.identity.keys.wireguard_private);
  for (const Result<void>& result : results) {
    if (result) continue;
    // The comparison that follows puts in again what is missing.
    log_.line(LogLevel::warn, "apply session", result.error().detail);
    expect_all_ = true;
    due_for_all(moment.at);
  }
  parts_.data_plane->knock(addresses);
  const std::string names = name_list(renewed, kNamesShown);
  log_.info(fmt::format("new sessions with {}: {}", names, reason));
  journal_.batch().history.push_back({0, moment.wall, "sessions", "renewed: " + names, reason});
  due_for_change(moment.at);
}

}  // namespace wesher::daemon
