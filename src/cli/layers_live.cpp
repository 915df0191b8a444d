// What the kernel and the hosts file have, compared with what is wanted.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/drift_text.h"
#include "cli/layers.h"
#include "cli/plan_report.h"
#include "cli/text.h"
#include "plan/diff.h"

namespace wesher::cli {

namespace {

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
  const bool has_address = !wanted.overlay.is_unspecified();
  if (has_address &&
      !std::binary_search(observed.addresses.begin(), observed.addresses.end(), own)) {
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
    silent.push_back(silent_sentence(*member->second, wanted, *peer->second, snapshot));
  }
  if (!silent.empty()) out.push_back(name_list(silent, 2));
}

/// What the daemon would change of things that are there: allowed IPs, endpoints, settings of the
/// link, addresses of somebody else.
void find_differences(const plan::Plan& plan, std::vector<std::string>& out) {
  std::vector<std::string> peers;
  for (const auto& action : plan.actions) {
    if (const auto* peer = std::get_if<plan::UpdatePeer>(&action.what)) {
      peers.push_back(fmt::format("{} ({})", shown_name(peer->name), single_line(action.reason)));
    } else if (const auto* mtu = std::get_if<plan::SetMtu>(&action.what)) {
      out.push_back(fmt::format("MTU {} instead of {}", mtu->from, mtu->to));
    } else if (std::holds_alternative<plan::SetAlias>(action.what)) {
      out.emplace_back("it does not bear our alias");
    } else if (const auto* extra = std::get_if<plan::RemoveAddress>(&action.what)) {
      out.push_back(extra->address.text() + " is not ours");
    }
  }
  if (peers.empty()) return;
  out.push_back(
      fmt::format("{} not as wanted: {}", counted(peers.size(), "peer"), name_list(peers, 2)));
}

/// When half of the members are gone, which of their tunnels still work says whether the hosts or
/// only their daemons are out of reach: "; 5 of the 8 failed still have tunnels, 3 have none".
std::string partition_text(const Snapshot& snapshot) {
  std::size_t failed = 0;
  std::size_t up = 0;
  for (const auto& line : member_lines(snapshot)) {
    if (line.this_host || line.state != MemberState::failed || line.tunnel == Tunnel::no_peer) {
      continue;
    }
    ++failed;
    up += line.tunnel == Tunnel::up ? 1 : 0;
  }
  if (failed == 0) return "";
  if (up == 0) return fmt::format("; none of the {} failed still has a tunnel", failed);
  std::string text = fmt::format("; {} of the {} failed still {}", up, failed,
                                 up == 1 ? "has a tunnel" : "have tunnels");
  if (failed == up) return text;
  return text + fmt::format(", {} {} none", failed - up, failed - up == 1 ? "has" : "have");
}

}  // namespace

std::string silent_sentence(const Member& member,
                            const DesiredPeer& wanted,
                            const ObservedPeer& peer,
                            const Snapshot& snapshot) {
  const Endpoint endpoint = peer.endpoint.value_or(wanted.endpoint);
  return fmt::format("no tunnel to {}: sent for {}, nothing came back; is UDP {} open at {}?",
                     shown_name(wanted.name), age_text(sending_for(member, snapshot)),
                     endpoint.port, endpoint.address.text());
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
  const auto plan = make_plan(snapshot);
  if (!plan) return {"device", false, single_line(plan.error().detail)};
  if (count_members(facts.members).half_failed()) text += partition_text(snapshot);
  auto problems = device_settings(*facts.desired, observed);
  compare_peers(facts, observed, problems);
  find_differences(*plan, problems);
  find_silent_tunnels(snapshot, problems);
  const auto fights = fights_of(snapshot, "device");
  problems.insert(problems.end(), fights.begin(), fights.end());
  return make_layer("device", problems, text);
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
  const auto fights = fights_of(snapshot, "routes");
  problems.insert(problems.end(), fights.begin(), fights.end());
  return make_layer("routes", problems, std::to_string(routes.size()));
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
  const auto fights = fights_of(snapshot, "hosts");
  problems.insert(problems.end(), fights.begin(), fights.end());
  return make_layer("hosts", problems, counted(managed.size(), "line") + " in /etc/hosts");
}

}  // namespace wesher::cli
