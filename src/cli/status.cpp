// From a Snapshot to the report of `status`: members, tunnels, remarks.
#include "cli/status.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/drift_text.h"
#include "cli/layers.h"
#include "cli/members.h"
#include "cli/text.h"
#include "cli/version.h"
#include "daemon/option_values.h"
#include "daemon/options.h"
#include "plan/diff.h"

namespace wesher::cli {

namespace {

/// Remarks of one kind that are written out; the rest is counted.
constexpr std::size_t kRemarksPerKind = 8;

MemberLine own_line(const store::SelfRow& self) {
  MemberLine line;
  line.name = shown_name(self.name);
  line.this_host = true;
  line.overlay = self.overlay;
  line.endpoint = printable(self.underlay);
  line.state_since = self.started;
  line.version = printable(self.version);
  line.meta_format = self.meta_format;
  return line;
}

MemberLine line_of(const Member& member, const ObservedPeer* peer, const Snapshot& snapshot) {
  MemberLine line;
  line.name = shown_name(member.name);
  line.state = member.state;
  line.state_since = member.state_since;
  line.standing = member.standing;
  line.reason = single_line(member.reason);
  line.tunnel = judge_tunnel(member, peer, snapshot);
  line.endpoint = member.underlay.text();
  line.signed_claim = member.signed_claim;
  if (member.meta) {
    line.overlay = member.meta->overlay;
    line.meta_format = member.meta->format;
  }
  if (peer != nullptr) {
    line.handshake = peer->last_handshake;
    line.rx_bytes = peer->rx_bytes;
    line.tx_bytes = peer->tx_bytes;
  }
  return line;
}

/// Members and remarks that are said of more than a few are counted from there on.
class RemarkList {
 public:
  explicit RemarkList(std::vector<std::string>& out) : out_(out) {}

  void add(std::string remark) {
    if (++count_ <= kRemarksPerKind) out_.push_back(std::move(remark));
  }

  void close(std::string_view of_what) {
    if (count_ > kRemarksPerKind) {
      out_.push_back(fmt::format("{} more {}", count_ - kRemarksPerKind, of_what));
    }
  }

 private:
  std::vector<std::string>& out_;
  std::size_t count_ = 0;
};

void remark_members(const Snapshot& snapshot, std::vector<std::string>& out) {
  RemarkList failed(out);
  for (const auto& member : snapshot.facts.members) {
    const std::string rest = retention_text(member, snapshot.facts, snapshot.now);
    if (!rest.empty()) failed.add(shown_name(member.name) + ": " + rest);
  }
  failed.close("failed members are kept");
  RemarkList unconfigured(out);
  for (const auto& member : snapshot.facts.members) {
    if (is_departed(member.state) || member.standing == Standing::configured) continue;
    unconfigured.add(fmt::format(
        "{}: {}: {}", shown_name(member.name),
        member.standing == Standing::refused ? "refused" : "not configured",
        member.reason.empty() ? "nothing usable was heard from it" : single_line(member.reason)));
  }
  unconfigured.close("members are not configured ('wesher members')");
}

void remark_health(const Snapshot& snapshot, std::vector<std::string>& out) {
  const auto alive = [](const Member& member) { return is_live_state(member.state); };
  const auto& members = snapshot.facts.members;
  const bool alone = std::none_of(members.begin(), members.end(), alive);
  RemarkList remarks(out);
  for (const auto& row : snapshot.facts.health) {
    if (row.ok) continue;
    const std::string age = age_text(age_of(row.since, snapshot.now));
    switch (row.kind) {
      case store::HealthKind::seed:  // alone, that is the gossip layer's own line
        if (!alone) {
          remarks.add(fmt::format("seed {}: {}, for {}", printable(row.subject),
                                  single_line(row.detail), age));
        }
        break;
      case store::HealthKind::foreign_packets:
        remarks.add(fmt::format(
            "{} from {} cannot be decrypted, for {}: another cluster's key, or junk",
            counted(static_cast<std::size_t>(row.count), "packet"), printable(row.subject), age));
        break;
      case store::HealthKind::member:
        remarks.add(shown_name(row.subject) + ": " + single_line(row.detail));
        break;
    }
  }
  remarks.close("remarks of this kind ('wesher state dump')");
}

void remark_host(const Snapshot& snapshot, std::vector<std::string>& out) {
  const Facts& facts = snapshot.facts;
  if (snapshot.daemon == DaemonState::running && facts.self && facts.self->version != kVersion) {
    out.push_back(fmt::format("the daemon is version {}, this program {}; restart it",
                              printable(facts.self->version), kVersion));
  }
  if (snapshot.live.observed && facts.desired && !facts.desired->interface.mtu) {
    const ObservedLink& link = snapshot.live.observed->link;
    if (link.kind != LinkKind::absent && link.mtu != kDefaultMtu) {
      out.push_back(fmt::format("{} has MTU {}, not {}; it is left alone, --mtu sets it",
                                facts.interface, link.mtu, kDefaultMtu));
    }
  }
  if (!facts.drift.empty()) {
    const store::DriftRow& last = facts.drift.front();
    out.push_back(fmt::format("last drift: {} ago, {}, {} ('wesher history')",
                              age_text(age_of(last.at, snapshot.now)),
                              drift_sentence(last, facts.interface), repair_text(last)));
  }
  const auto left = std::count_if(facts.members.begin(), facts.members.end(),
                                  [](const auto& each) { return is_departed(each.state); });
  if (left > 0) {
    out.push_back(counted(static_cast<std::size_t>(left), "member") +
                  " left or gone, not shown ('wesher members')");
  }
}

}  // namespace

bool StatusReport::ok() const {
  return std::all_of(layers.begin(), layers.end(), [](const Layer& layer) { return layer.ok; });
}

bool has_left(const Facts& facts) {
  // "leave": by a signal, the address stays reserved; "resign": by `wesher leave`.
  return facts.self && facts.self->stopped &&
         (facts.self->stop_kind == "leave" || facts.self->stop_kind == "resign");
}

WallTime last_sign_of(const Facts& facts) {
  if (facts.self && facts.self->stopped) return *facts.self->stopped;
  WallTime newest = facts.self ? facts.self->started : WallTime{};
  newest = std::max(newest, facts.applied.at);
  for (const auto& entry : facts.history)
    newest = std::max(newest, entry.at);
  for (const auto& member : facts.members)
    newest = std::max(newest, member.state_since);
  return newest;
}

namespace {

/// What the daemon runs with, as far as it is known.
std::string option_of(const Facts& facts, const std::string& name) {
  const auto it = facts.options.find(name);
  return it == facts.options.end() ? "" : it->second;
}

/// With the default, which is no span, lifetimes count.
Duration failed_retention(const Member& member, const Facts& facts) {
  if (const auto given = parse_span(option_of(facts, "failed-retention"))) return *given;
  return retention_by_lifetime(member.first_seen, member.state_since, daemon::kFailedRetention);
}

bool is_static(const Member& member, const Facts& facts) {
  const auto names = daemon::parse_names(option_of(facts, "static"));
  return names && std::find(names->begin(), names->end(), member.name) != names->end();
}

}  // namespace

std::string retention_text(const Member& member, const Facts& facts, WallTime now) {
  if (member.state != MemberState::failed || member.standing != Standing::configured) return "";
  if (is_static(member, facts)) return "kept: named by --static";
  const Duration rest = failed_retention(member, facts) - age_of(member.state_since, now);
  if (rest <= Duration::zero()) return "";
  // Hours where days would hide too much: "70h", "40m".
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(rest);
  return fmt::format("kept for {} more", hours >= std::chrono::hours{2}
                                             ? fmt::format("{}h", hours.count())
                                             : age_text(rest));
}

Duration sending_for(const Member& member, const Snapshot& snapshot) {
  const auto& self = snapshot.facts.self;
  const WallTime since = self ? std::max(member.state_since, self->started) : member.state_since;
  return age_of(since, snapshot.now);
}

Tunnel judge_tunnel(const Member& member, const ObservedPeer* peer, const Snapshot& snapshot) {
  if (peer == nullptr) return Tunnel::no_peer;
  if (peer->last_handshake) {
    return age_of(*peer->last_handshake, snapshot.now) < plan::kHandshakeYoung ? Tunnel::up
                                                                               : Tunnel::idle;
  }
  const bool overdue = snapshot.daemon == DaemonState::running &&
                       member.state == MemberState::alive && peer->tx_bytes > 0 &&
                       sending_for(member, snapshot) > kSilentTunnel;
  return overdue ? Tunnel::silent : Tunnel::idle;
}

std::vector<MemberLine> member_lines(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  std::map<PublicKey, const ObservedPeer*> observed;
  if (snapshot.live.observed) {
    for (const auto& peer : snapshot.live.observed->peers)
      observed[peer.key] = &peer;
  }
  std::map<std::string, const DesiredPeer*> desired;
  if (facts.desired) {
    for (const auto& peer : facts.desired->peers)
      desired[peer.name] = &peer;
  }
  std::vector<MemberLine> lines;
  if (facts.self) lines.push_back(own_line(*facts.self));
  for (const auto& member : facts.members) {
    if (is_departed(member.state)) continue;
    const auto wanted = desired.find(member.name);
    const auto peer = wanted == desired.end() ? observed.end() : observed.find(wanted->second->key);
    const ObservedPeer* seen = peer == observed.end() ? nullptr : peer->second;
    MemberLine line = line_of(member, seen, snapshot);
    if (wanted != desired.end()) {
      const Endpoint endpoint = wanted->second->endpoint;
      line.endpoint = (seen != nullptr ? seen->endpoint.value_or(endpoint) : endpoint).text();
      line.overlay = wanted->second->overlay;
    }
    lines.push_back(std::move(line));
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  return lines;
}

StatusReport build_status(const Snapshot& snapshot) {
  StatusReport report;
  report.now = snapshot.now;
  report.interface = snapshot.facts.interface;
  report.self = snapshot.facts.self;
  report.daemon = snapshot.daemon;
  report.left = has_left(snapshot.facts);
  report.last_sign = last_sign_of(snapshot.facts);
  report.layers = judge_layers(snapshot);
  report.members = member_lines(snapshot);
  if (!snapshot.facts.drift.empty()) report.last_drift = snapshot.facts.drift.front();
  report.partitioned = count_members(snapshot.facts.members).half_failed();
  report.legacy = look_at_legacy(snapshot.facts);
  report.remarks = legacy_remarks(report.legacy);
  remark_members(snapshot, report.remarks);
  remark_health(snapshot, report.remarks);
  remark_host(snapshot, report.remarks);
  return report;
}

}  // namespace wesher::cli
