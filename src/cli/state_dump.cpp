#include "cli/state_dump.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/drift_text.h"
#include "cli/history.h"
#include "cli/members.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// A titled block of indented rows; "none" when there is nothing to say.
std::string section(std::string_view title, const Rows& rows) {
  const std::string out = fmt::format("\n{}\n", title);
  if (rows.empty()) return out + "  none\n";
  Rows indented = rows;
  for (auto& row : indented)
    row.front().insert(0, "  ");
  return out + render_table(indented);
}

std::string_view to_text(store::HealthKind kind) {
  switch (kind) {
    case store::HealthKind::seed:
      return "seed";
    case store::HealthKind::foreign_packets:
      return "foreign_packets";
    case store::HealthKind::member:
      return "member";
  }
  return "";
}

Json self_json(const store::SelfRow& self) {
  return {{"name", shown_name(self.name)},
          {"interface", self.interface},
          {"overlay", self.overlay ? Json(self.overlay->text()) : Json()},
          {"claimed", json_time(self.claimed)},
          {"overlay_net", self.overlay_net.text()},
          {"key", self.key.base64()},
          {"identity", self.identity.text()},
          {"cluster", self.cluster},
          {"underlay", self.underlay},
          {"gossip_port", self.gossip_port},
          {"wireguard_port", self.wireguard_port},
          {"meta_format", wesher::to_text(self.meta_format)},
          {"backend", self.backend},
          {"version", self.version},
          {"pid", self.pid},
          {"started", rfc3339(self.started)},
          {"stopped", json_time(self.stopped)},
          {"stop_kind", self.stop_kind},
          {"kept_out", single_line(self.kept_out)}};
}

Json desired_json(const Desired& desired) {
  const DesiredInterface& interface = desired.interface;
  Json out = {
      {"generation", desired.generation},
      {"hosts", desired.hosts},
      {"own_name", shown_name(desired.own_name)},
      {"interface",
       {{"name", interface.name},
        {"key", interface.key.base64()},
        {"listen_port", interface.listen_port},
        {"overlay", interface.overlay.is_unspecified() ? Json() : Json(interface.overlay.text())},
        {"mtu", interface.mtu ? Json(*interface.mtu) : Json()},
        {"keepalive_s", interface.keepalive_s ? Json(*interface.keepalive_s) : Json()}}},
      {"peers", Json::array()}};
  for (const auto& peer : desired.peers) {
    out["peers"].push_back({{"name", shown_name(peer.name)},
                            {"key", peer.key.base64()},
                            {"overlay", peer.overlay.text()},
                            {"endpoint", peer.endpoint.text()},
                            {"reason", peer.reason}});
  }
  return out;
}

Json applied_json(const store::AppliedReport& applied) {
  Json out = {
      {"generation", applied.generation}, {"at", rfc3339(applied.at)}, {"failed", Json::array()}};
  for (const auto& object : applied.failed) {
    out["failed"].push_back({{"object", object.object},
                             {"detail", object.detail},
                             {"at", rfc3339(object.at)},
                             {"attempts", object.attempts}});
  }
  return out;
}

/// The fields of a flat JSON object as rows; text unquoted, in the order of the object.
Rows field_rows(const Json& object) {
  Rows rows;
  for (const auto& [key, value] : object.items()) {
    rows.push_back({key, value.is_null()     ? "-"
                         : value.is_string() ? single_line(value.get<std::string>())
                                             : value.dump()});
  }
  return rows;
}

Rows option_rows(const Facts& facts) {
  Rows rows;
  for (const auto& [name, value] : facts.options) {
    rows.push_back({printable(name), printable(value)});
  }
  return rows;
}

Rows desired_rows(const Desired& desired) {
  const DesiredInterface& interface = desired.interface;
  Rows rows = {{"generation", std::to_string(desired.generation)},
               {"interface", printable(interface.name),
                interface.overlay.is_unspecified() ? "-" : interface.overlay.text(),
                fmt::format("port {}", interface.listen_port), interface.key.base64()},
               {"hosts", desired.hosts ? "on" : "off"}};
  for (const auto& peer : desired.peers) {
    rows.push_back({"peer " + shown_name(peer.name), peer.overlay.text(), peer.endpoint.text(),
                    peer.key.base64(), single_line(peer.reason)});
  }
  return rows;
}

Rows applied_rows(const Facts& facts, WallTime now) {
  Rows rows = {{"generation", std::to_string(facts.applied.generation)}};
  for (const auto& object : facts.applied.failed) {
    rows.push_back({single_line(object.object),
                    "failed " + age_text(age_of(object.at, now)) + " ago",
                    counted(object.attempts, "attempt"), single_line(object.detail)});
  }
  return rows;
}

Rows health_rows(const Facts& facts, WallTime now) {
  Rows rows;
  for (const auto& row : facts.health) {
    rows.push_back({std::string(to_text(row.kind)), printable(row.subject),
                    row.ok ? "ok" : "NOT OK", "for " + age_text(age_of(row.since, now)),
                    std::to_string(row.count), single_line(row.detail)});
  }
  return rows;
}

Rows drift_rows(const Facts& facts, WallTime now) {
  Rows rows;
  for (const auto& row : facts.drift) {
    rows.push_back({single_line(row.object),
                    age_text(age_of(row.at, now)) + " ago" + (row.fighting ? ", fought over" : ""),
                    counted(static_cast<std::size_t>(row.count), "repair"), repair_text(row),
                    single_line(row.what), single_line(row.reason)});
  }
  return rows;
}

Rows request_rows(const Facts& facts, WallTime now) {
  Rows rows;
  for (const auto& request : facts.requests) {
    rows.push_back({std::to_string(request.id), single_line(request.kind),
                    age_text(age_of(request.created, now)) + " ago",
                    "uid " + std::to_string(request.uid), single_line(request.state),
                    single_line(request.arguments), single_line(request.result)});
  }
  return rows;
}

Json request_json(const store::Request& request) {
  return {{"id", request.id},
          {"kind", request.kind},
          {"arguments", request.arguments},
          {"uid", request.uid},
          {"created", rfc3339(request.created)},
          {"expires", rfc3339(request.expires)},
          {"state", request.state},
          {"result", request.result}};
}

}  // namespace

std::string dump_text(const Facts& facts, WallTime now) {
  std::string out = "state of " + facts.interface + " at " + rfc3339(now) + "\n";
  out += section("self", facts.self ? field_rows(self_json(*facts.self)) : Rows());
  out += section("options", option_rows(facts));
  out += "\nmembers\n";
  out += facts.members.empty() ? "  none\n" : members_text(facts, now);
  out += section("desired", facts.desired ? desired_rows(*facts.desired) : Rows());
  out += section("applied", applied_rows(facts, now));
  out += section("adopt mode", {{facts.adopting ? "on: nothing is removed yet" : "off"}});
  out += section("health", health_rows(facts, now));
  out += section("drift", drift_rows(facts, now));
  out += section(fmt::format("requests (newest {})", kRequestsShownMax), request_rows(facts, now));
  out += section(fmt::format("history (newest {})", kHistoryShownMax),
                 history_rows(facts.history, now));
  return out;
}

std::string dump_json(const Facts& facts, WallTime now) {
  Json out = {{"schema", "wesher.state/1"}, {"time", rfc3339(now)}, {"interface", facts.interface}};
  out["self"] = facts.self ? self_json(*facts.self) : Json();
  out["options"] = Json::object();
  for (const auto& [name, value] : facts.options)
    out["options"][name] = value;
  out["members"] = members_array(facts, now);
  out["desired"] = facts.desired ? desired_json(*facts.desired) : Json();
  out["applied"] = applied_json(facts.applied);
  out["adopting"] = facts.adopting;
  out["health"] = Json::array();
  for (const auto& row : facts.health) {
    out["health"].push_back({{"kind", to_text(row.kind)},
                             {"subject", printable(row.subject)},
                             {"ok", row.ok},
                             {"detail", row.detail},
                             {"count", row.count},
                             {"since", rfc3339(row.since)}});
  }
  out["drift"] = Json::array();
  for (const auto& row : facts.drift)
    out["drift"].push_back(drift_json(row));
  out["requests"] = Json::array();
  for (const auto& request : facts.requests)
    out["requests"].push_back(request_json(request));
  out["history"] = history_array(facts.history);
  return json_text(out);
}

}  // namespace wesher::cli
