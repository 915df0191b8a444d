// `wesher explain` of this host, and where its lines in the hosts file are.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/drift_text.h"
#include "cli/explain.h"
#include "cli/layers.h"
#include "cli/plan_report.h"
#include "cli/text.h"
#include "plan/plan.h"
#include "system/hosts_text.h"

namespace wesher::cli {

namespace {

/// Of an action on the link, the device or its address, which are this host's own.
bool is_own(const plan::Action& action) {
  return std::holds_alternative<plan::CreateLink>(action.what) ||
         std::holds_alternative<plan::SetAlias>(action.what) ||
         std::holds_alternative<plan::SetMtu>(action.what) ||
         std::holds_alternative<plan::ConfigureDevice>(action.what) ||
         std::holds_alternative<plan::SetLinkUp>(action.what) ||
         std::holds_alternative<plan::AddAddress>(action.what) ||
         std::holds_alternative<plan::RemoveAddress>(action.what);
}

Finding own_gossip(const Snapshot& snapshot) {
  const store::SelfRow& self = *snapshot.facts.self;
  const Layer layer = judge_layers(snapshot).front();
  const auto underlay = IpAddress::parse(self.underlay);
  std::string text = underlay ? "announced as " + Endpoint{*underlay, self.gossip_port}.text()
                              : "not announced yet";
  if (snapshot.daemon == DaemonState::running) {
    text += ", up " + age_text(age_of(self.started, snapshot.now));
  }
  text += "; identity " + self.identity.fingerprint();
  if (self.claimed) {
    text += fmt::format(", address claimed {} ago", age_text(age_of(*self.claimed, snapshot.now)));
  }
  return {"gossip", "this host", layer.ok, text + "; " + layer.text};
}

Finding own_database(const Snapshot& snapshot) {
  const store::SelfRow& self = *snapshot.facts.self;
  const Layer layer = judge_layers(snapshot)[1];
  return {"database", snapshot.facts.desired ? "wanted" : "not wanted", layer.ok,
          fmt::format("key {}, {} of {}, UDP {}; {}", self.key.abbreviated(),
                      self.overlay ? Prefix::host(*self.overlay).text() : "no address",
                      self.overlay_net.text(), self.wireguard_port, layer.text)};
}

Finding own_device(const Snapshot& snapshot) {
  const Live& live = snapshot.live;
  if (!live.observed) return {"device", "unknown", false, single_line(live.problem)};
  if (!snapshot.facts.desired) return {"device", "unknown", false, "no desired state yet"};
  const auto plan = make_plan(snapshot);
  if (!plan) return {"device", "unknown", false, single_line(plan.error().detail)};
  std::vector<std::string> parts;
  for (const auto& action : plan->actions) {
    if (!is_own(action)) continue;
    parts.push_back(fmt::format("{}: {}", plan::object_of(action), single_line(action.reason)));
  }
  const bool absent = live.observed->link.kind == LinkKind::absent;
  const char* verdict = absent ? "missing" : parts.empty() ? "same" : "differs";
  Finding out{"device", verdict, parts.empty(), ""};
  if (absent) {
    parts = {snapshot.facts.interface + " is absent"};
  } else if (parts.empty()) {
    parts = {fmt::format("{}: same, {}", snapshot.facts.interface, live.backend)};
  } else {
    parts.front().insert(0, "differs: ");
  }
  const std::size_t differences = parts.size();
  for (const auto& row : snapshot.facts.drift) {
    if (row.object.starts_with("peer ") || layer_of_object(row.object) != "device") continue;
    auto fight = fight_sentence(row, snapshot.facts.interface, snapshot.now);
    if (fight.empty()) continue;
    parts.push_back(std::move(fight));
    out.ok = false;
  }
  if ((absent || out.verdict == "differs") && parts.size() == differences) {
    parts.push_back(repair_outlook(snapshot));
  }
  out.text = fmt::format("{}", fmt::join(parts, "; "));
  return out;
}

/// Cuts the next word off `text`.
std::string_view take_word(std::string_view& text) {
  constexpr std::string_view kBlank = " \t\r\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlank));
  text.remove_prefix(word.size());
  return word;
}

bool names(std::string_view line, const IpAddress& address, const std::string& name) {
  const auto first = IpAddress::parse(take_word(line));
  if (!first || *first != address) return false;
  for (auto word = take_word(line); !word.empty() && word.front() != '#'; word = take_word(line)) {
    if (word == name) return true;
  }
  return false;
}

}  // namespace

std::size_t hosts_line_number(const std::string& text,
                              const std::string& interface,
                              const IpAddress& address,
                              const std::string& name) {
  const std::string banner = system::hosts_banner(interface);
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const bool ours = line.find(banner) != std::string_view::npos ||
                      line.find(system::kOldHostsBanner) != std::string_view::npos;
    if (ours && names(line, address, name)) return number;
  }
  return 0;
}

Explanation explain_own(const Snapshot& snapshot, std::vector<store::HistoryEntry> history) {
  const store::SelfRow& self = *snapshot.facts.self;
  Explanation out;
  out.name = shown_name(self.name);
  out.this_host = true;
  out.overlay = self.overlay;
  out.state = "this host";
  out.findings = {own_gossip(snapshot),
                  own_database(snapshot),
                  own_device(snapshot),
                  {"route", "none", true, "none to ourselves"},
                  {"hosts", "none", true, "no line of ours has our own name"}};
  out.history = std::move(history);
  return out;
}

}  // namespace wesher::cli
