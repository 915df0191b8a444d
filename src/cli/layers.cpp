// The five judgements of `status`. Each compares what is wanted with what is there and names what
// is missing; several problems of one layer stand in one line, the worst first.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/status.h"
#include "cli/text.h"
#include "plan/diff.h"

namespace wesher::cli {

namespace {

/// A partition is suspected when so many members failed, and at least half of all.
constexpr std::size_t kPartitionMembersMin = 2;
/// Failures within this time belong together.
constexpr std::chrono::minutes kPartitionSpread{5};

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts)
    out += (out.empty() ? "" : "; ") + part;
  return out;
}

/// A layer that is in order with this text, or not with these problems.
Layer layer_of(std::string name, const std::vector<std::string>& problems, std::string text) {
  if (problems.empty()) return {std::move(name), true, std::move(text)};
  return {std::move(name), false, joined(problems)};
}

std::string seed_trouble(const store::HealthRow& row, WallTime now) {
  return fmt::format("seed {}: {}, {} in {}", printable(row.subject), single_line(row.detail),
                     row.count == 1 ? "1 try" : fmt::format("{} tries", row.count),
                     age_text(age_of(row.since, now)));
}

struct Census {
  std::size_t alive = 1;  ///< this host
  std::size_t suspect = 0;
  std::size_t failed = 0;
  std::size_t refused = 0;
  WallTime first_failure = WallTime::max();
  WallTime last_failure = WallTime::min();

  [[nodiscard]] std::size_t total() const { return alive + suspect + failed; }
};

Census count_members(const std::vector<Member>& members) {
  Census census;
  for (const Member& member : members) {
    if (member.state == MemberState::left) continue;
    census.alive += member.state == MemberState::alive ? 1 : 0;
    census.suspect += member.state == MemberState::suspect ? 1 : 0;
    census.refused += member.standing == Standing::refused ? 1 : 0;
    if (member.state != MemberState::failed) continue;
    ++census.failed;
    census.first_failure = std::min(census.first_failure, member.state_since);
    census.last_failure = std::max(census.last_failure, member.state_since);
  }
  return census;
}

/// "8 of 16 members failed within 12s, 4m ago", or without the time when they failed one by one.
std::string failure_text(const Census& census, WallTime now) {
  const Duration spread = age_of(census.first_failure, census.last_failure);
  const std::string ago = age_text(age_of(census.last_failure, now));
  if (census.failed == 1) return fmt::format("1 of {} members failed {} ago", census.total(), ago);
  if (spread > kPartitionSpread) {
    return fmt::format("{} of {} members failed, the last {} ago", census.failed, census.total(),
                       ago);
  }
  return fmt::format("{} of {} members failed within {}, {} ago: a partition?", census.failed,
                     census.total(), age_text(spread), ago);
}

/// This host counts itself out when a row of the members' health bears its own name.
const store::HealthRow* own_trouble(const Facts& facts) {
  const auto row = std::find_if(facts.health.begin(), facts.health.end(), [&](const auto& each) {
    return !each.ok && each.kind == store::HealthKind::member && facts.self &&
           each.subject == facts.self->name;
  });
  return row == facts.health.end() ? nullptr : &*row;
}

Layer gossip_when_alone(const Snapshot& snapshot, const Census& census) {
  std::vector<std::string> problems;
  if (census.failed > 0) problems.push_back("alone; " + failure_text(census, snapshot.now));
  for (const auto& row : snapshot.facts.health) {
    if (row.kind != store::HealthKind::seed || row.ok) continue;
    problems.push_back((problems.empty() ? "alone; " : "") + seed_trouble(row, snapshot.now));
  }
  return layer_of("gossip", problems, "1 member: this host");
}

Layer judge_gossip(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (snapshot.daemon == DaemonState::stopped) {
    return {"gossip", false,
            fmt::format("members as last seen {} ago",
                        age_text(age_of(last_sign_of(facts), snapshot.now)))};
  }
  if (snapshot.daemon == DaemonState::changing)
    return {"gossip", false, "the daemon is starting or stopping"};
  if (const auto* row = own_trouble(facts)) {
    return {"gossip", false, "NOT IN THE MESH: " + single_line(row->detail)};
  }
  const Census census = count_members(facts.members);
  if (census.alive + census.suspect == 1) return gossip_when_alone(snapshot, census);
  if (census.failed >= kPartitionMembersMin && census.failed * 2 >= census.total()) {
    return {"gossip", false, failure_text(census, snapshot.now)};
  }
  std::string text = fmt::format("{}: {} alive", counted(census.total(), "member"), census.alive);
  if (census.suspect > 0) text += fmt::format(", {} suspect", census.suspect);
  if (census.failed > 0) text += fmt::format(", {} failed", census.failed);
  if (census.refused > 0) text += fmt::format("; {} refused", census.refused);
  return {"gossip", true, text};
}

Layer judge_database(const Facts& facts) {
  if (!facts.desired) return {"database", false, "no desired state yet"};
  std::string text =
      fmt::format("generation {}, applied {}", facts.desired->generation, facts.applied.generation);
  std::vector<std::string> failed;
  for (const auto& object : facts.applied.failed) {
    failed.push_back(fmt::format(
        "{}: {}{}", single_line(object.object), single_line(object.detail),
        object.attempts > 1 ? fmt::format(" ({} attempts)", object.attempts) : std::string()));
  }
  if (!failed.empty()) text += "; failed: " + name_list(failed);
  if (facts.adopting) text += "; rebuilt, nothing is removed yet";
  // A pass that reached a newer generation than the one just read is no lag.
  return {"database", failed.empty() && facts.applied.generation >= facts.desired->generation,
          text};
}

/// Why the link itself is not as it should be; empty when it can carry peers.
std::string link_problem(const Facts& facts, const ObservedLink& link) {
  switch (link.kind) {
    case LinkKind::absent:
      return facts.interface + " is absent" +
             (has_left(facts) ? " since this host left the mesh" : "");
    case LinkKind::other:
      return fmt::format("{} is a link of kind {}, not WireGuard", facts.interface,
                         printable(link.kind_name));
    case LinkKind::kernel:
    case LinkKind::userspace:
      return "";
  }
  return "";
}

std::vector<std::string> device_settings(const Desired& desired, const Observed& observed) {
  const DesiredInterface& wanted = desired.interface;
  std::vector<std::string> problems;
  if (!observed.link.up) problems.push_back(wanted.name + " is down");
  if (observed.device_key != wanted.key) {
    problems.push_back(observed.device_key ? "the device has another key than this node"
                                           : "the device has no key");
  }
  if (observed.listen_port != wanted.listen_port) {
    problems.push_back(
        fmt::format("listens on UDP {} instead of {}", observed.listen_port, wanted.listen_port));
  }
  const Prefix own = Prefix::host(wanted.overlay);
  if (!std::binary_search(observed.addresses.begin(), observed.addresses.end(), own)) {
    problems.push_back(wanted.overlay.text() + " is missing");
  }
  return problems;
}

/// "1 of 4 peers missing: web1"; what is not wanted is a problem unless things are being adopted.
void compare_peers(const Facts& facts, const Observed& observed, std::vector<std::string>& out) {
  std::map<PublicKey, bool> unknown;
  for (const auto& peer : observed.peers)
    unknown[peer.key] = true;
  std::vector<std::string> missing;
  for (const auto& peer : facts.desired->peers) {
    if (unknown.erase(peer.key) == 0) missing.push_back(shown_name(peer.name));
  }
  if (!missing.empty()) {
    out.push_back(fmt::format("{} of {} missing: {}", missing.size(),
                              counted(facts.desired->peers.size(), "peer"), name_list(missing)));
  }
  if (unknown.empty() || facts.adopting) return;
  std::vector<std::string> keys;
  for (const auto& [key, _] : unknown)
    keys.push_back(key.abbreviated());
  out.push_back(fmt::format("{} of no member: {}", counted(keys.size(), "peer"), name_list(keys)));
}

void find_silent_tunnels(const Snapshot& snapshot, std::vector<std::string>& out) {
  const Facts& facts = snapshot.facts;
  std::map<PublicKey, const ObservedPeer*> peers;
  for (const auto& peer : snapshot.live.observed->peers)
    peers[peer.key] = &peer;
  std::map<std::string, const Member*> members;
  for (const auto& member : facts.members)
    members[member.name] = &member;
  std::vector<std::string> silent;
  for (const auto& wanted : facts.desired->peers) {
    const auto member = members.find(wanted.name);
    const auto peer = peers.find(wanted.key);
    if (member == members.end() || peer == peers.end()) continue;
    if (judge_tunnel(*member->second, peer->second, snapshot) != Tunnel::silent) continue;
    const Endpoint endpoint = peer->second->endpoint.value_or(wanted.endpoint);
    silent.push_back(
        fmt::format("no tunnel to {}: sent for {}, nothing came back; is UDP {} open at {}?",
                    shown_name(wanted.name), age_text(sending_for(*member->second, snapshot)),
                    endpoint.port, endpoint.address.text()));
  }
  if (!silent.empty()) out.push_back(name_list(silent, 2));
}

Layer judge_device(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (!snapshot.live.observed) return {"device", false, single_line(snapshot.live.problem)};
  const Observed& observed = *snapshot.live.observed;
  if (const auto problem = link_problem(facts, observed.link); !problem.empty()) {
    return {"device", false, problem};
  }
  std::string text = counted(observed.peers.size(), "peer");
  if (!snapshot.live.backend.empty()) text += ", " + snapshot.live.backend;
  if (!facts.desired) return {"device", true, text};
  auto problems = device_settings(*facts.desired, observed);
  compare_peers(facts, observed, problems);
  find_silent_tunnels(snapshot, problems);
  return layer_of("device", problems, text);
}

Layer judge_routes(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (!snapshot.live.observed) return {"routes", false, "not read"};
  if (!facts.desired) return {"routes", false, "no desired state yet"};
  const auto& routes = snapshot.live.observed->routes;
  std::vector<Prefix> wanted;
  std::vector<std::string> missing;
  for (const auto& peer : facts.desired->peers) {
    wanted.push_back(Prefix::host(peer.overlay));
    if (!std::binary_search(routes.begin(), routes.end(), wanted.back())) {
      missing.push_back(shown_name(peer.name));
    }
  }
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::string> extra;
  for (const auto& route : routes) {
    if (!std::binary_search(wanted.begin(), wanted.end(), route)) extra.push_back(route.text());
  }
  std::vector<std::string> problems;
  if (!missing.empty()) {
    problems.push_back(
        fmt::format("{} of {} missing: {}", missing.size(), wanted.size(), name_list(missing)));
  }
  if (!extra.empty() && !facts.adopting) {
    problems.push_back(fmt::format("{} of no member: {}", extra.size(), name_list(extra)));
  }
  return layer_of("routes", problems, std::to_string(routes.size()));
}

Layer judge_hosts(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (!facts.desired) return {"hosts", false, "no desired state yet"};
  if (!facts.desired->hosts) return {"hosts", true, "off (--no-etc-hosts)"};
  if (!snapshot.live.observed) return {"hosts", false, "not read"};
  const ObservedHosts& hosts = snapshot.live.observed->hosts;
  if (!hosts.writable) return {"hosts", false, "off: " + single_line(hosts.why_not)};
  const auto wanted = plan::wanted_hosts(*facts.desired, hosts);
  const auto order = [](const ObservedHostsLine& a, const ObservedHostsLine& b) {
    return std::tie(a.address, a.names) < std::tie(b.address, b.names);
  };
  auto managed = hosts.managed;
  std::sort(managed.begin(), managed.end(), order);
  std::size_t found = 0;
  std::vector<std::string> missing;
  for (const auto& line : wanted) {
    if (std::binary_search(managed.begin(), managed.end(), line, order)) {
      ++found;
    } else {
      missing.push_back(line.names.empty() ? line.address.text() : shown_name(line.names.front()));
    }
  }
  std::vector<std::string> problems;
  if (!missing.empty()) {
    problems.push_back(
        fmt::format("{} of {} missing: {}", missing.size(), wanted.size(), name_list(missing)));
  }
  if (managed.size() > found && !facts.adopting) {
    problems.push_back(counted(managed.size() - found, "line") + " not wanted");
  }
  if (hosts.outdated) problems.emplace_back("lines under an old banner or changed by hand");
  return layer_of("hosts", problems, counted(managed.size(), "line") + " in /etc/hosts");
}

}  // namespace

std::vector<Layer> judge_layers(const Snapshot& snapshot) {
  return {judge_gossip(snapshot), judge_database(snapshot.facts), judge_device(snapshot),
          judge_routes(snapshot), judge_hosts(snapshot)};
}

}  // namespace wesher::cli
