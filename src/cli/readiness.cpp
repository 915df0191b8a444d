#include "cli/readiness.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

std::string missing_daemon(const Snapshot& snapshot) {
  switch (snapshot.daemon) {
    case DaemonState::running:
      return "";
    case DaemonState::changing:
      return "the daemon is starting or stopping";
    case DaemonState::stopped:
      break;
  }
  return "the daemon is not running";
}

std::string missing_interface(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (!snapshot.live.observed) return single_line(snapshot.live.problem);
  const Observed& observed = *snapshot.live.observed;
  if (observed.link.kind == LinkKind::absent) return facts.interface + " is absent";
  if (!observed.link.up) return facts.interface + " is down";
  if (facts.desired->interface.overlay.is_unspecified()) {
    return facts.interface + " has no overlay address: see 'wesher status'";
  }
  const Prefix own = Prefix::host(facts.desired->interface.overlay);
  if (std::find(observed.addresses.begin(), observed.addresses.end(), own) ==
      observed.addresses.end()) {
    return fmt::format("{} lacks its address {}", facts.interface, own.address.text());
  }
  return "";
}

const DesiredPeer* wanted_peer(const Facts& facts, const std::string& name) {
  const auto& peers = facts.desired->peers;
  const auto found =
      std::find_if(peers.begin(), peers.end(), [&](const auto& peer) { return peer.name == name; });
  return found == peers.end() ? nullptr : &*found;
}

std::string missing_node(const Snapshot& snapshot, const std::string& name) {
  const Facts& facts = snapshot.facts;
  if (name.empty() || (facts.self && facts.self->name == name)) return "";
  const auto member = std::find_if(facts.members.begin(), facts.members.end(),
                                   [&](const Member& each) { return each.name == name; });
  const std::string shown = shown_name(name);
  if (member == facts.members.end()) return "no member is named " + shown;
  if (!is_live_state(member->state)) return fmt::format("{} is {}", shown, to_text(member->state));
  const DesiredPeer* wanted = wanted_peer(facts, name);
  if (wanted == nullptr) {
    return fmt::format("{} is not configured{}{}", shown, member->reason.empty() ? "" : ": ",
                       single_line(member->reason));
  }
  const auto& peers = snapshot.live.observed->peers;
  const bool there = std::any_of(peers.begin(), peers.end(),
                                 [&](const auto& peer) { return peer.key == wanted->key; });
  return there ? "" : fmt::format("{} is no peer of {} yet", shown, facts.interface);
}

std::string missing_peers(const Facts& facts, std::size_t wanted) {
  const auto alive = static_cast<std::size_t>(
      std::count_if(facts.members.begin(), facts.members.end(), [&](const Member& member) {
        return is_live_state(member.state) && wanted_peer(facts, member.name) != nullptr;
      }));
  if (alive >= wanted) return "";
  return fmt::format("{} of {} {} alive", alive, counted(wanted, "peer"),
                     wanted == 1 ? "is" : "are");
}

}  // namespace

std::string what_is_missing(const Snapshot& snapshot, const WaitFor& wanted) {
  const Facts& facts = snapshot.facts;
  if (auto missing = missing_daemon(snapshot); !missing.empty()) return missing;
  if (!facts.desired) return "the daemon has not stored a desired state";
  if (auto missing = missing_interface(snapshot); !missing.empty()) return missing;
  if (facts.applied.generation < facts.desired->generation) {
    return fmt::format("generation {} is wanted, {} is applied", facts.desired->generation,
                       facts.applied.generation);
  }
  if (auto missing = missing_node(snapshot, wanted.node); !missing.empty()) return missing;
  return missing_peers(facts, wanted.peers);
}

}  // namespace wesher::cli
