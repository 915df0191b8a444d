// The text of actions and plans: one row (sign, object, detail) per change, joined into lines or
// aligned into a table.
#include "plan/plan.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include <fmt/format.h>

#include "base/text.h"

namespace wesher::plan {

namespace {

struct Row {
  char sign;
  std::string object;
  std::string detail;
  std::string reason;
};

std::string peer_text(const std::string& name, const PublicKey& key) {
  const std::string abbreviated = "(" + key.abbreviated() + ")";
  return name.empty() ? "peer " + abbreviated : "peer " + printable(name) + " " + abbreviated;
}

/// Two values, either of which may be empty, with a comma between.
std::string joined(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + ", " + b;
}

std::string keepalive_text(const std::optional<std::uint16_t>& seconds) {
  if (!seconds) return "";
  return *seconds == 0 ? "keepalive off" : fmt::format("keepalive {}s", *seconds);
}

Row row(const CreateLink& a) {
  return {'+', "link " + printable(a.name), fmt::format("WireGuard, mtu {}", a.mtu), {}};
}

Row row(const SetAlias& a) {
  return {'~', "link", "alias -> " + printable(a.alias), {}};
}

Row row(const SetMtu& a) {
  return {'~', "link", fmt::format("mtu {} -> {}", a.from, a.to), {}};
}

Row row(const ConfigureDevice& a) {
  return {'~',
          "device",
          joined(a.key ? "key " + a.key->abbreviated() : "",
                 a.listen_port ? fmt::format("port {}", *a.listen_port) : ""),
          {}};
}

Row row(const SetLinkUp& /*what*/) {
  return {'~', "link", "down -> up", {}};
}

Row row(const AddAddress& a) {
  return {'+', "address " + a.address.text(), {}, {}};
}

Row row(const RemoveAddress& a) {
  return {'-', "address " + a.address.text(), {}, {}};
}

Row row(const AddPeer& a) {
  return {'+',
          peer_text(a.name, a.key),
          joined(joined(a.allowed.text(), a.endpoint.text()), keepalive_text(a.keepalive_s)),
          {}};
}

Row row(const UpdatePeer& a) {
  return {'~',
          peer_text(a.name, a.key),
          joined(joined(a.allowed ? a.allowed->text() : "", a.endpoint ? a.endpoint->text() : ""),
                 keepalive_text(a.keepalive_s)),
          {}};
}

Row row(const RemovePeer& a) {
  return {'-', peer_text(a.name, a.key), a.name.empty() ? a.key.base64() : "", {}};
}

Row row(const AddRoute& a) {
  return {a.takes_over ? '~' : '+',
          "route " + a.destination.text(),
          a.takes_over ? "proto boot -> wesher" : "proto wesher",
          {}};
}

Row row(const RemoveRoute& a) {
  return {'-', "route " + a.destination.text(), "proto wesher", {}};
}

std::vector<Row> rows_of(const Action& action) {
  if (const auto* hosts = std::get_if<WriteHosts>(&action.what)) {
    std::vector<Row> rows;
    for (const HostsChange& c : hosts->changes) {
      rows.push_back({c.sign, "hosts " + printable(c.name), c.address.text(), c.reason});
    }
    if (rows.empty()) rows.push_back({'~', "hosts", "our lines rewritten", action.reason});
    return rows;
  }
  Row only = std::visit(
      [](const auto& what) -> Row {
        if constexpr (std::is_same_v<std::decay_t<decltype(what)>, WriteHosts>) {
          return {};
        } else {
          return row(what);
        }
      },
      action.what);
  only.reason = action.reason;
  return {std::move(only)};
}

/// Columns that a UTF-8 text of ours takes: every byte but the continuation ones begins one.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

std::string padded(const std::string& text, std::size_t columns) {
  return text + std::string(columns - width(text), ' ');
}

std::string counted(std::size_t n, std::string_view thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

/// The row as one line: columns padded to `object` and `detail` characters, nothing behind the
/// last.
std::string line(const Row& r, std::size_t object, std::size_t detail) {
  std::string text = fmt::format("{} {}  {}  {}", r.sign, padded(r.object, object),
                                 padded(r.detail, detail), r.reason);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string peer_object(const std::string& name, const PublicKey& key) {
  if (name.empty()) return "peer " + key.base64();
  if (name.size() > kShownTextMax) return "peer " + printable(name) + " " + key.base64();
  return "peer " + printable(name);
}

}  // namespace

std::string object_of(const Action& action) {
  return std::visit(
      [](const auto& what) -> std::string {
        using T = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<T, AddPeer> || std::is_same_v<T, UpdatePeer> ||
                      std::is_same_v<T, RemovePeer>) {
          return peer_object(what.name, what.key);
        } else if constexpr (std::is_same_v<T, CreateLink>) {
          return "link";
        } else if constexpr (std::is_same_v<T, WriteHosts>) {
          return "hosts";
        } else {
          return row(what).object;
        }
      },
      action.what);
}

std::vector<std::string> lines_of(const Action& action) {
  std::vector<std::string> lines;
  for (Row& r : rows_of(action)) {
    r.reason.clear();
    lines.push_back(line(r, width(r.object), width(r.detail)));
  }
  return lines;
}

std::string to_text(const Plan& plan) {
  const std::string head = plan.interface.empty() ? "" : printable(plan.interface) + ": ";
  if (plan.empty()) {
    return fmt::format("{}nothing to do ({}, {}, {})\n", head, counted(plan.peers, "peer"),
                       counted(plan.routes, "route"), counted(plan.hosts_lines, "hosts line"));
  }
  std::vector<Row> rows;
  for (const Action& action : plan.actions) {
    for (Row& r : rows_of(action)) {
      if (r.object == "link" && !plan.interface.empty())
        r.object += " " + printable(plan.interface);
      rows.push_back(std::move(r));
    }
  }
  std::size_t object = 0;
  std::size_t detail = 0;
  for (const Row& r : rows) {
    object = std::max(object, width(r.object));
    detail = std::max(detail, width(r.detail));
  }
  std::string text = head + counted(rows.size(), "change") + "\n";
  for (const Row& r : rows)
    text += "  " + line(r, object, detail) + "\n";
  return text;
}

}  // namespace wesher::plan
