#include "cli/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/drift_text.h"
#include "cli/history.h"
#include "cli/members.h"
#include "cli/plan_report.h"
#include "cli/status.h"
#include "cli/text.h"
#include "plan/diff.h"
#include "system/hosts_text.h"

namespace wesher::cli {

namespace {

using Parts = std::vector<std::string>;

std::string joined(const Parts& parts, std::string_view separator = "; ") {
  return fmt::format("{}", fmt::join(parts, separator));
}

/// What the database says of a layer's object beside the difference: somebody keeps changing it, or
/// the last attempt failed.
Parts troubles_of(const Snapshot& snapshot, const std::string& object) {
  Parts out;
  const Facts& facts = snapshot.facts;
  for (const auto& row : facts.drift) {
    if (row.object != object) continue;
    auto fight = fight_sentence(row, facts.interface, snapshot.now);
    if (!fight.empty()) out.push_back(std::move(fight));
  }
  for (const auto& failure : facts.applied.failed) {
    if (failure.object != object) continue;
    out.push_back(
        fmt::format("the last of {} failed {} ago: {}", counted(failure.attempts, "attempt"),
                    age_text(age_of(failure.at, snapshot.now)), single_line(failure.detail)));
  }
  return out;
}

/// Finishes a finding whose verdict is there: what stands in the way, or who repairs it.
Finding judged(const Snapshot& snapshot, Finding finding, Parts parts, const std::string& object) {
  const Parts troubles = troubles_of(snapshot, object);
  const bool different = finding.verdict == "missing" || finding.verdict == "differs" ||
                         finding.verdict == "not wanted";
  if (different && finding.verdict == "not wanted" && snapshot.facts.adopting) {
    parts.emplace_back("kept, because the database is new");
  } else if (different && troubles.empty()) {
    parts.push_back(repair_outlook(snapshot));
  }
  parts.insert(parts.end(), troubles.begin(), troubles.end());
  finding.ok = finding.ok && !different && troubles.empty();
  finding.text = joined(parts);
  return finding;
}

/// Everything about one member that the findings are made of.
struct Case {
  const Snapshot& snapshot;
  const Member& member;
  const DesiredPeer* wanted = nullptr;
  const ObservedPeer* peer = nullptr;  ///< the wanted key's, else the announced key's
  const DesiredPeer* rival = nullptr;  ///< another member that has its key or address
  Result<plan::Plan> plan{};

  [[nodiscard]] const std::string& interface() const { return snapshot.facts.interface; }
};

const DesiredPeer* wanted_peer(const Facts& facts, const std::string& name) {
  if (!facts.desired) return nullptr;
  const auto& peers = facts.desired->peers;
  const auto found =
      std::find_if(peers.begin(), peers.end(), [&](const auto& peer) { return peer.name == name; });
  return found == peers.end() ? nullptr : &*found;
}

const DesiredPeer* rival_of(const Facts& facts, const Member& member) {
  if (!facts.desired || !member.meta) return nullptr;
  const auto& peers = facts.desired->peers;
  const auto found = std::find_if(peers.begin(), peers.end(), [&](const auto& peer) {
    return peer.name != member.name &&
           (peer.key == member.meta->key || peer.overlay == member.meta->overlay);
  });
  return found == peers.end() ? nullptr : &*found;
}

const ObservedPeer* find_peer(const Snapshot& snapshot, const PublicKey& key) {
  if (!snapshot.live.observed) return nullptr;
  const auto& peers = snapshot.live.observed->peers;
  const auto found =
      std::find_if(peers.begin(), peers.end(), [&](const auto& peer) { return peer.key == key; });
  return found == peers.end() ? nullptr : &*found;
}

Case case_of(const Snapshot& snapshot, const Member& member) {
  Case out{snapshot, member};
  out.wanted = wanted_peer(snapshot.facts, member.name);
  out.rival = rival_of(snapshot.facts, member);
  if (out.wanted != nullptr) {
    out.peer = find_peer(snapshot, out.wanted->key);
  } else if (member.meta && !(out.rival != nullptr && out.rival->key == member.meta->key)) {
    out.peer = find_peer(snapshot, member.meta->key);
  }
  if (snapshot.live.observed && snapshot.facts.desired) out.plan = make_plan(snapshot);
  return out;
}

std::string state_phrase(const Member& member, const Snapshot& snapshot) {
  if (snapshot.daemon == DaemonState::stopped) {
    return fmt::format("{} when last seen {} ago", to_text(member.state),
                       age_text(age_of(last_sign_of(snapshot.facts), snapshot.now)));
  }
  const std::string age = age_text(age_of(member.state_since, snapshot.now));
  const bool gone = member.state == MemberState::failed || is_departed(member.state);
  return fmt::format("{} {}{}{}", to_text(member.state), gone ? "" : "for ", age,
                     gone ? " ago" : "");
}

Finding gossip_of(const Case& c) {
  const Member& member = c.member;
  Finding out{"gossip", std::string(to_text(member.state)), true, ""};
  Parts parts = {state_phrase(member, c.snapshot)};
  if (auto rest = retention_text(member, c.snapshot.facts, c.snapshot.now); !rest.empty()) {
    parts.push_back(std::move(rest));
  }
  parts.push_back(fmt::format("incarnation {}", member.incarnation));
  parts.push_back(Endpoint{member.underlay, member.gossip_port}.text());
  out.text = joined(parts, ", ");
  if (const auto signature = signature_text(member, c.snapshot.now); !signature.empty()) {
    out.text += "; " + signature;
  }
  for (const auto& row : c.snapshot.facts.health) {
    if (row.ok || row.kind != store::HealthKind::member || row.subject != member.name) continue;
    out.text += "; " + single_line(row.detail);
    out.ok = false;
  }
  out.ok =
      out.ok && member.state != MemberState::failed && c.snapshot.daemon != DaemonState::stopped;
  return out;
}

/// Why a member is no peer here.
std::string why_unwanted(const Case& c) {
  const Member& member = c.member;
  const std::string reason = single_line(member.reason);
  switch (member.standing) {
    case Standing::refused:
      return "refused: " + (reason.empty() ? "no reason is noted" : reason);
    case Standing::seed:
      if (member.state == MemberState::left) return "it left; only its address is tried again";
      if (member.state == MemberState::gone) return "it is gone; only its address is tried again";
      return "only its address is known: " +
             (reason.empty() ? "nothing usable was heard from it" : reason);
    case Standing::configured:
      break;
  }
  if (c.rival == nullptr) return "its facts are newer than the desired state";
  const bool key = c.rival->key == member.meta->key;
  return fmt::format("its {} belongs to {}",
                     key ? "public key " + member.meta->key.abbreviated()
                         : "overlay address " + member.meta->overlay.text(),
                     shown_name(c.rival->name));
}

Finding database_of(const Case& c) {
  const Facts& facts = c.snapshot.facts;
  if (!facts.desired) return {"database", "not wanted", false, "no desired state yet"};
  const std::uint64_t generation = facts.desired->generation;
  if (c.wanted == nullptr) {
    const bool gone = is_departed(c.member.state);
    return {"database", "not wanted", gone,
            fmt::format("no peer, generation {}: {}", generation, why_unwanted(c))};
  }
  Finding out{"database", "wanted", true, ""};
  out.text =
      fmt::format("peer {}, {}, endpoint {}, generation {}", c.wanted->key.abbreviated(),
                  Prefix::host(c.wanted->overlay).text(), c.wanted->endpoint.text(), generation);
  if (facts.applied.generation < generation) {
    out.verdict = "waiting";
    out.ok = false;
    out.text += fmt::format("; applied is only {}", facts.applied.generation);
  }
  return out;
}

/// The reason of the plan's action on the wanted peer, if it has one.
const plan::Action* update_of(const Case& c) {
  const auto& actions = c.plan->actions;
  const auto found = std::find_if(actions.begin(), actions.end(), [&](const auto& action) {
    const auto* update = std::get_if<plan::UpdatePeer>(&action.what);
    return update != nullptr && update->key == c.wanted->key;
  });
  return found == actions.end() ? nullptr : &*found;
}

std::string handshake_text(const ObservedPeer& peer, WallTime now) {
  return peer.last_handshake
             ? fmt::format("handshake {} ago", age_text(age_of(*peer.last_handshake, now)))
             : "never a handshake";
}

std::string peer_object(const std::string& name) {
  return "peer " + printable(name);
}

/// Of a peer that is in the device and wanted.
Finding wanted_device(const Case& c) {
  const Snapshot& snapshot = c.snapshot;
  Finding out{"device", "same", true, ""};
  Parts parts;
  const plan::Action* update = update_of(c);
  if (update != nullptr) {
    out.verdict = "differs";
    parts.push_back("differs: " + single_line(update->reason));
  } else {
    parts.emplace_back("same");
    if (c.peer->endpoint && *c.peer->endpoint != c.wanted->endpoint) {
      parts.push_back(fmt::format("endpoint now {} (learned by WireGuard, left alone)",
                                  c.peer->endpoint->text()));
    }
  }
  parts.back() += ", " + handshake_text(*c.peer, snapshot.now);
  if (!snapshot.live.observed->link.up) {
    out.ok = false;
    parts.push_back(c.interface() + " is down");
  }
  if (judge_tunnel(c.member, c.peer, snapshot) == Tunnel::silent) {
    out.ok = false;
    parts.push_back(silent_sentence(c.member, *c.wanted, *c.peer, snapshot));
  }
  return judged(snapshot, std::move(out), std::move(parts), peer_object(c.member.name));
}

Finding device_of(const Case& c) {
  const Snapshot& snapshot = c.snapshot;
  if (!snapshot.live.observed) {
    return {"device", "unknown", false, single_line(snapshot.live.problem)};
  }
  if (!c.plan) return {"device", "unknown", false, single_line(c.plan.error().detail)};
  if (c.wanted != nullptr && c.peer != nullptr) return wanted_device(c);
  const std::string object = peer_object(c.member.name);
  if (c.wanted != nullptr) {
    const bool absent = snapshot.live.observed->link.kind == LinkKind::absent;
    return judged(snapshot, {"device", "missing", true, ""},
                  {"missing" + (absent ? ": " + c.interface() + " is absent" : std::string())},
                  object);
  }
  if (c.peer == nullptr) return {"device", "none", true, "no peer, as wanted"};
  return judged(snapshot, {"device", "not wanted", true, ""},
                {"there, though not wanted, " + handshake_text(*c.peer, snapshot.now)}, object);
}

Finding route_of(const Case& c) {
  const Snapshot& snapshot = c.snapshot;
  if (!snapshot.live.observed) return {"route", "unknown", false, "not read"};
  const IpAddress* overlay = c.wanted != nullptr ? &c.wanted->overlay
                             : c.member.meta     ? &c.member.meta->overlay
                                                 : nullptr;
  if (overlay == nullptr) return {"route", "none", true, "none, as wanted"};
  const Prefix route = Prefix::host(*overlay);
  const auto& routes = snapshot.live.observed->routes;
  const bool there = std::find(routes.begin(), routes.end(), route) != routes.end();
  const std::string object = "route " + route.text();
  const std::string what = fmt::format("{} dev {}: ", route.text(), c.interface());
  if (c.wanted != nullptr) {
    return judged(snapshot, {"route", there ? "same" : "missing", true, ""},
                  {what + (there ? "same" : "missing")}, object);
  }
  if (c.rival != nullptr && c.rival->overlay == *overlay) {
    return {"route", "none", true,
            fmt::format("{} is the route to {}", route.text(), shown_name(c.rival->name))};
  }
  if (!there) return {"route", "none", true, "none, as wanted"};
  return judged(snapshot, {"route", "not wanted", true, ""}, {what + "there, though not wanted"},
                object);
}

/// Why a wanted peer gets no line.
std::string why_no_line(const Case& c) {
  const auto& foreign = c.snapshot.live.observed->hosts.foreign_names;
  const std::string& name = c.member.name;
  if (!is_valid_hostname(name)) return "none: the name is no hostname";
  if (std::binary_search(foreign.begin(), foreign.end(), name)) {
    return "none: a line that is not ours has this name";
  }
  return "none: the name is taken, but for upper and lower case, or means the host itself";
}

std::string hosts_place(const Case& c, const IpAddress& address, std::size_t& number) {
  number = hosts_line_number(c.snapshot.live.hosts_text, c.interface(), address, c.member.name);
  return number == 0 ? "/etc/hosts: " : fmt::format("/etc/hosts line {}: ", number);
}

Finding hosts_of(const Case& c, std::size_t& number) {
  const Facts& facts = c.snapshot.facts;
  if (facts.desired && !facts.desired->hosts) return {"hosts", "off", true, "off (--no-etc-hosts)"};
  if (!c.snapshot.live.observed) return {"hosts", "unknown", false, "not read"};
  const ObservedHosts& hosts = c.snapshot.live.observed->hosts;
  if (!hosts.writable) return {"hosts", "off", false, "off: " + single_line(hosts.why_not)};
  const auto wanted =
      facts.desired ? plan::wanted_hosts(*facts.desired, hosts) : std::vector<ObservedHostsLine>();
  const bool wants = std::any_of(wanted.begin(), wanted.end(), [&](const auto& line) {
    return line.names.front() == c.member.name;
  });
  const auto ours = std::find_if(hosts.managed.begin(), hosts.managed.end(), [&](const auto& line) {
    return std::find(line.names.begin(), line.names.end(), c.member.name) != line.names.end();
  });
  if (ours == hosts.managed.end()) {
    if (wants) {
      return judged(c.snapshot, {"hosts", "missing", true, ""}, {"/etc/hosts: missing"}, "hosts");
    }
    return {"hosts", "none", true, c.wanted == nullptr ? "no line, as wanted" : why_no_line(c)};
  }
  const std::string place = hosts_place(c, ours->address, number);
  if (!wants) {
    return judged(c.snapshot, {"hosts", "not wanted", true, ""},
                  {place + "there, though not wanted"}, "hosts");
  }
  const bool same = ours->address == c.wanted->overlay;
  return judged(c.snapshot, {"hosts", same ? "same" : "differs", true, ""},
                {place + (same ? "same" : "our line says " + ours->address.text())}, "hosts");
}

std::string state_of(const Case& c) {
  std::string out(to_text(c.member.state));
  if (c.member.standing == Standing::refused) return out + ", refused";
  if (c.wanted == nullptr && !is_departed(c.member.state)) return out + ", not configured";
  if (judge_tunnel(c.member, c.peer, c.snapshot) == Tunnel::silent) out += ", no tunnel";
  return out;
}

}  // namespace

std::string repair_outlook(const Snapshot& snapshot) {
  switch (snapshot.daemon) {
    case DaemonState::running:
      return "the daemon repairs it within 30s";
    case DaemonState::changing:
      return "the daemon is starting or stopping";
    case DaemonState::stopped:
      break;
  }
  return "the daemon is not running";
}

Explanation explain_member(const Snapshot& snapshot,
                           const Member& member,
                           std::vector<store::HistoryEntry> history) {
  const Case c = case_of(snapshot, member);
  Explanation out;
  out.name = shown_name(member.name);
  if (member.meta) out.overlay = member.meta->overlay;
  if (c.wanted != nullptr) {
    out.overlay = c.wanted->overlay;
    out.wanted = *c.wanted;
  }
  if (c.peer != nullptr) out.observed = *c.peer;
  out.state = state_of(c);
  out.member = member;
  out.findings = {gossip_of(c), database_of(c), device_of(c), route_of(c),
                  hosts_of(c, out.hosts_line)};
  out.history = std::move(history);
  return out;
}

}  // namespace wesher::cli
