// The report of `explain` as text and as JSON (schema wesher.explain/1).
#include <fmt/format.h>

#include "base/text.h"
#include "cli/explain.h"
#include "cli/history.h"
#include "cli/members.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

constexpr std::size_t kLabelWidth = 10;

/// The node's history under its label: when, what, why. Its object is told by the heading, except
/// that of this host's daemon.
std::string history_block(const Explanation& node, WallTime now) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : node.history) {
    const std::string object = entry.object == "daemon" ? "daemon " : "";
    rows.push_back({age_text(age_of(entry.at, now)) + " ago", object + single_line(entry.what),
                    single_line(entry.reason)});
  }
  if (rows.empty()) rows = {{"nothing is noted"}};
  std::string label = "history";
  for (auto& row : rows) {
    label.resize(kLabelWidth, ' ');
    row.front().insert(0, label);
    label.clear();
  }
  return render_table(rows);
}

std::string node_text(const Explanation& node, WallTime now) {
  std::string out =
      fmt::format("{}  {}  {}\n", node.name, node.overlay ? node.overlay->text() : "-", node.state);
  for (const Finding& finding : node.findings)
    out += fmt::format("{:<{}}{}\n", finding.layer, kLabelWidth, finding.text);
  return out + history_block(node, now);
}

Json wanted_json(const DesiredPeer& peer) {
  return {{"key", peer.key.base64()},
          {"overlay", peer.overlay.text()},
          {"endpoint", peer.endpoint.text()},
          {"reason", peer.reason}};
}

Json observed_json(const ObservedPeer& peer, WallTime now) {
  Json out = {
      {"key", peer.key.base64()},
      {"endpoint", peer.endpoint ? Json(peer.endpoint->text()) : Json()},
      {"allowed_ips", Json::array()},
      {"handshake", json_time(peer.last_handshake)},
      {"handshake_age_s",
       peer.last_handshake ? Json(json_seconds(age_of(*peer.last_handshake, now))) : Json()},
      {"rx_bytes", peer.rx_bytes},
      {"tx_bytes", peer.tx_bytes}};
  for (const Prefix& prefix : peer.allowed_ips)
    out["allowed_ips"].push_back(prefix.text());
  return out;
}

Json node_json(const Explanation& node, WallTime now) {
  Json out = {{"name", node.name},
              {"this_host", node.this_host},
              {"overlay", node.overlay ? Json(node.overlay->text()) : Json()},
              {"state", node.state}};
  out["layers"] = Json::object();
  for (const Finding& finding : node.findings) {
    out["layers"][finding.layer] = {
        {"ok", finding.ok}, {"verdict", finding.verdict}, {"text", finding.text}};
  }
  out["member"] = node.member ? member_json(*node.member, now) : Json();
  out["wanted"] = node.wanted ? wanted_json(*node.wanted) : Json();
  out["observed"] = node.observed ? observed_json(*node.observed, now) : Json();
  out["hosts_line"] = node.hosts_line > 0 ? Json(node.hosts_line) : Json();
  out["history"] = history_array(node.history);
  return out;
}

}  // namespace

std::string explain_text(const ExplainReport& report) {
  std::string out;
  for (const Explanation& node : report.nodes)
    out += (out.empty() ? "" : "\n") + node_text(node, report.now);
  if (report.matches > report.nodes.size()) {
    out += fmt::format("\n{} more match {}: name one of them, or a longer prefix\n",
                       report.matches - report.nodes.size(), printable(report.asked));
  }
  return out;
}

std::string explain_json(const ExplainReport& report) {
  Json out = {{"schema", "wesher.explain/1"},  {"time", rfc3339(report.now)},
              {"interface", report.interface}, {"asked", printable(report.asked)},
              {"matches", report.matches},     {"nodes", Json::array()}};
  for (const Explanation& node : report.nodes)
    out["nodes"].push_back(node_json(node, report.now));
  return json_text(out);
}

}  // namespace wesher::cli
