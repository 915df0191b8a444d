// The report of `status` as text and as JSON (schema wesher.status/1).
#include <fmt/format.h>

#include "base/text.h"
#include "cli/history.h"
#include "cli/json.h"
#include "cli/legacy.h"
#include "cli/members.h"
#include "cli/status.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

std::string daemon_text(const StatusReport& report) {
  const std::string since = age_text(age_of(report.last_sign, report.now));
  switch (report.daemon) {
    case DaemonState::running:
      return "daemon up " +
             age_text(age_of(report.self ? report.self->started : report.now, report.now));
    case DaemonState::changing:
      return "daemon starting or stopping";
    case DaemonState::stopped:
      break;
  }
  if (!report.self || !report.self->stopped) {
    return fmt::format("daemon NOT RUNNING (no orderly stop, last sign of it {} ago)", since);
  }
  return fmt::format("daemon NOT RUNNING since {}{}", since, report.left ? " (left the mesh)" : "");
}

std::string heading(const StatusReport& report) {
  if (!report.self) {
    return fmt::format("{}  {}\n", report.interface, daemon_text(report));
  }
  return fmt::format("{}  {}  {}  cluster {}  {}\n", shown_name(report.self->name),
                     overlay_text(*report.self), report.interface, printable(report.self->cluster),
                     daemon_text(report));
}

std::string state_text(const MemberLine& line, const StatusReport& report) {
  if (line.this_host) return "this host";
  std::string text(to_text(line.state));
  if (line.state == MemberState::failed)
    text += " " + age_text(age_of(line.state_since, report.now));
  switch (line.standing) {
    case Standing::configured:
      break;
    case Standing::seed:
      return text + ", not configured";
    case Standing::refused:
      return text + ", refused";
  }
  if (line.tunnel == Tunnel::silent) return text + ", no tunnel";
  if (line.state != MemberState::failed) return text;
  if (line.tunnel == Tunnel::up) return text + ", tunnel ok";
  return report.partitioned && line.tunnel == Tunnel::idle ? text + ", no tunnel" : text;
}

std::string version_text(const MemberLine& line) {
  if (!line.version.empty()) return line.version;
  if (line.signed_claim) return "signed " + line.signed_claim->identity.fingerprint();
  return line.meta_format ? fmt::format("go {}", go_release(*line.meta_format)) : "-";
}

std::vector<std::string> row_of(const MemberLine& line, const StatusReport& report) {
  const bool peer = line.tunnel != Tunnel::no_peer;
  const std::string handshake =
      line.handshake ? age_text(age_of(*line.handshake, report.now)) : "never";
  return {line.name,
          line.overlay ? line.overlay->text() : "-",
          line.endpoint.empty() ? "-" : line.endpoint,
          state_text(line, report),
          peer ? handshake : "-",
          peer ? size_text(line.rx_bytes) : "-",
          peer ? size_text(line.tx_bytes) : "-",
          version_text(line)};
}

Json layers_json(const StatusReport& report) {
  Json out = Json::object();
  for (const Layer& layer : report.layers) {
    out[layer.name] = {{"ok", layer.ok}, {"text", layer.text}};
  }
  return out;
}

Json daemon_json(const StatusReport& report) {
  Json out = Json::object();
  switch (report.daemon) {
    case DaemonState::running:
      out["state"] = "running";
      break;
    case DaemonState::changing:
      out["state"] = "changing";
      break;
    case DaemonState::stopped:
      out["state"] = "stopped";
      break;
  }
  if (!report.self) return out;
  out["version"] = report.self->version;
  out["started"] = rfc3339(report.self->started);
  if (report.daemon == DaemonState::running) {
    out["pid"] = report.self->pid;
    out["up_s"] = json_seconds(age_of(report.self->started, report.now));
    return out;
  }
  out["stopped"] = json_time(report.self->stopped);
  out["stop_kind"] = report.self->stop_kind;
  out["last_sign"] = rfc3339(report.last_sign);
  out["last_sign_age_s"] = json_seconds(age_of(report.last_sign, report.now));
  return out;
}

std::string_view tunnel_text(Tunnel tunnel) {
  switch (tunnel) {
    case Tunnel::no_peer:
      return "no_peer";
    case Tunnel::idle:
      return "idle";
    case Tunnel::up:
      return "up";
    case Tunnel::silent:
      return "silent";
  }
  return "";
}

Json member_json(const MemberLine& line, WallTime now) {
  Json out = {{"name", line.name},
              {"this_host", line.this_host},
              {"overlay", line.overlay ? Json(line.overlay->text()) : Json()},
              {"endpoint", line.endpoint.empty() ? Json() : Json(line.endpoint)},
              {"state", to_text(line.state)},
              {"state_since", rfc3339(line.state_since)},
              {"state_age_s", json_seconds(age_of(line.state_since, now))},
              {"standing", to_text(line.standing)},
              {"reason", line.reason}};
  if (!line.this_host) {
    out["tunnel"] = tunnel_text(line.tunnel);
    out["handshake"] = json_time(line.handshake);
    out["handshake_age_s"] =
        line.handshake ? Json(json_seconds(age_of(*line.handshake, now))) : Json();
    out["rx_bytes"] = line.rx_bytes;
    out["tx_bytes"] = line.tx_bytes;
  }
  out["version"] = line.version.empty() ? Json() : Json(line.version);
  out["identity"] = line.signed_claim ? Json(line.signed_claim->identity.text()) : Json();
  out["epoch"] = line.signed_claim ? Json(line.signed_claim->epoch) : Json();
  out["claimed"] = line.signed_claim ? Json(rfc3339(line.signed_claim->claimed)) : Json();
  out["meta_format"] = line.meta_format ? Json(to_text(*line.meta_format)) : Json();
  const bool go = line.meta_format && !line.signed_claim && !line.this_host;
  out["go_release"] = go ? Json(go_release(*line.meta_format)) : Json();
  return out;
}

}  // namespace

std::string render_text(const StatusReport& report) {
  std::string out = heading(report);
  for (const Layer& layer : report.layers) {
    out += fmt::format("{:<10}{}  {}\n", layer.name, layer.ok ? "ok  " : "NOT OK", layer.text);
  }
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "OVERLAY", "ENDPOINT", "STATE", "HANDSHAKE", "RX", "TX", "VERSION"}};
  for (const auto& line : report.members)
    rows.push_back(row_of(line, report));
  if (rows.size() > 1) out += "\n" + render_table(rows);
  if (!report.remarks.empty()) out += "\n";
  for (const auto& remark : report.remarks)
    out += remark + "\n";
  return out;
}

std::string render_json(const StatusReport& report) {
  Json out = {{"schema", "wesher.status/1"},
              {"time", rfc3339(report.now)},
              {"ok", report.ok()},
              {"interface", report.interface}};
  out["name"] = report.self ? Json(shown_name(report.self->name)) : Json();
  const bool has_overlay = report.self && report.self->overlay;
  out["overlay"] = has_overlay ? Json(report.self->overlay->text()) : Json();
  out["claimed"] = has_overlay ? json_time(report.self->claimed) : Json();
  out["identity"] = report.self ? Json(report.self->identity.text()) : Json();
  out["kept_out"] = report.self && !report.self->kept_out.empty()
                        ? Json(single_line(report.self->kept_out))
                        : Json();
  out["overlay_net"] = report.self ? Json(report.self->overlay_net.text()) : Json();
  out["cluster"] = report.self ? Json(report.self->cluster) : Json();
  out["meta_format"] = report.self ? Json(to_text(report.self->meta_format)) : Json();
  out["meta_format_fixed"] = report.legacy.fixed;
  out["daemon"] = daemon_json(report);
  out["layers"] = layers_json(report);
  out["members"] = Json::array();
  for (const auto& line : report.members)
    out["members"].push_back(member_json(line, report.now));
  out["legacy"] = legacy_json(report.legacy);
  out["last_drift"] = report.last_drift ? drift_json(*report.last_drift) : Json();
  out["remarks"] = report.remarks;
  return json_text(out);
}

}  // namespace wesher::cli
