#include "cli/members.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/status.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

std::vector<std::string> row_of(const Member& member, WallTime now) {
  return {shown_name(member.name),
          member.meta ? member.meta->overlay.text() : "-",
          Endpoint{member.underlay, member.gossip_port}.text(),
          fmt::format("{} {}", to_text(member.state), age_text(age_of(member.state_since, now))),
          std::string(to_text(member.standing)),
          member.meta ? member.meta->key.abbreviated() : "-",
          member.meta ? std::string(to_text(member.meta->format)) : "-",
          member.reason.empty() ? "-" : single_line(member.reason)};
}

/// Our announced address and gossip port; "-" before the address is known.
std::string own_gossip(const store::SelfRow& self) {
  const auto address = IpAddress::parse(self.underlay);
  return address ? Endpoint{*address, self.gossip_port}.text() : "-";
}

std::vector<std::string> own_row(const store::SelfRow& self) {
  return {shown_name(self.name),
          self.overlay.text(),
          own_gossip(self),
          "this host",
          "-",
          self.key.abbreviated(),
          std::string(to_text(self.meta_format)),
          "-"};
}

Json own_json(const store::SelfRow& self) {
  return {{"name", shown_name(self.name)},
          {"this_host", true},
          {"overlay", self.overlay.text()},
          {"key", self.key.base64()},
          {"meta_format", to_text(self.meta_format)},
          {"underlay", self.underlay.empty() ? Json() : Json(self.underlay)},
          {"gossip_port", self.gossip_port}};
}

Result<NodeAddress> address_of(const Facts& facts, const std::string& node) {
  if (facts.self && (node.empty() || node == facts.self->name)) {
    if (has_left(facts)) {
      return fail(Errc::not_found,
                  "this host has left the mesh; it has an overlay address when wesher runs again");
    }
    return NodeAddress{shown_name(facts.self->name), facts.self->overlay};
  }
  if (node.empty()) return fail(Errc::not_found, "this host has no overlay address yet");
  const auto member =
      std::find_if(facts.members.begin(), facts.members.end(),
                   [&](const Member& each) { return shown_name(each.name) == shown_name(node); });
  if (member == facts.members.end()) {
    return fail(Errc::not_found,
                fmt::format("no member is named '{}'; see 'wesher members'", shown_name(node)));
  }
  if (member->standing != Standing::configured || !member->meta) {
    return fail(Errc::not_found,
                fmt::format("{} has no overlay address here ({}, {}{}{})", shown_name(node),
                            to_text(member->state), to_text(member->standing),
                            member->reason.empty() ? "" : ": ", single_line(member->reason)));
  }
  return NodeAddress{shown_name(node), member->meta->overlay};
}

}  // namespace

Json member_json(const Member& member, WallTime now) {
  Json out = {{"name", shown_name(member.name)},
              {"this_host", false},
              {"overlay", member.meta ? Json(member.meta->overlay.text()) : Json()},
              {"key", member.meta ? Json(member.meta->key.base64()) : Json()},
              {"meta_format", member.meta ? Json(to_text(member.meta->format)) : Json()},
              {"underlay", member.underlay.text()},
              {"gossip_port", member.gossip_port},
              {"incarnation", member.incarnation},
              {"state", to_text(member.state)},
              {"state_since", rfc3339(member.state_since)},
              {"state_age_s", json_seconds(age_of(member.state_since, now))},
              {"first_seen", rfc3339(member.first_seen)},
              {"standing", to_text(member.standing)},
              {"reason", member.reason}};
  return out;
}

std::string members_text(const Facts& facts, WallTime now) {
  std::vector<std::vector<std::string>> rows;
  if (facts.self) rows.push_back(own_row(*facts.self));
  for (const Member& member : facts.members)
    rows.push_back(row_of(member, now));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.front() < b.front(); });
  rows.insert(rows.begin(),
              {"NAME", "OVERLAY", "GOSSIP", "STATE", "STANDING", "KEY", "META", "REASON"});
  return render_table(rows);
}

std::string members_json(const Facts& facts, WallTime now) {
  return json_text({{"schema", "wesher.members/1"},
                    {"time", rfc3339(now)},
                    {"interface", facts.interface},
                    {"members", members_array(facts, now)}});
}

Json members_array(const Facts& facts, WallTime now) {
  Json out = Json::array();
  if (facts.self) out.push_back(own_json(*facts.self));
  for (const Member& member : facts.members)
    out.push_back(member_json(member, now));
  return out;
}

Result<NodeAddress> find_address(const Facts& facts, const std::string& node, Family family) {
  auto found = address_of(facts, node);
  if (!found) return found;
  const bool wrong = (family == Family::v4 && found->overlay.is_v6()) ||
                     (family == Family::v6 && found->overlay.is_v4());
  if (wrong) {
    return fail(Errc::not_found,
                fmt::format("{} has no {} overlay address, only {}", found->name,
                            family == Family::v4 ? "IPv4" : "IPv6", found->overlay.text()));
  }
  return found;
}

std::string ip_json(const NodeAddress& node) {
  return json_text({{"schema", "wesher.ip/1"},
                    {"name", node.name},
                    {"overlay", node.overlay.text()},
                    {"family", node.overlay.is_v4() ? 4 : 6}});
}

}  // namespace wesher::cli
