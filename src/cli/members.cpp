#include "cli/members.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/legacy.h"
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
          identity_text(member),
          member.reason.empty() ? "-" : single_line(member.reason)};
}

/// Our announced address and gossip port; "-" before the address is known.
std::string own_gossip(const store::SelfRow& self) {
  const auto address = IpAddress::parse(self.underlay);
  return address ? Endpoint{*address, self.gossip_port}.text() : "-";
}

std::vector<std::string> own_row(const store::SelfRow& self) {
  return {shown_name(self.name),
          self.overlay ? self.overlay->text() : "-",
          own_gossip(self),
          "this host",
          "-",
          self.key.abbreviated(),
          std::string(to_text(self.meta_format)),
          self.identity.fingerprint(),
          self.kept_out.empty() ? "-" : single_line(self.kept_out)};
}

Json own_json(const store::SelfRow& self) {
  return {{"name", shown_name(self.name)},
          {"this_host", true},
          {"overlay", self.overlay ? Json(self.overlay->text()) : Json()},
          {"claimed", json_time(self.claimed)},
          {"identity", self.identity.text()},
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
    if (!facts.self->overlay) {
      return fail(Errc::not_found,
                  "this host has no overlay address" +
                      (facts.self->kept_out.empty()
                           ? std::string()
                           : ": it is not in the mesh, " + single_line(facts.self->kept_out)));
    }
    return NodeAddress{shown_name(facts.self->name), *facts.self->overlay};
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

std::string signature_text(const Member& member, WallTime now) {
  if (!member.meta) return "";
  if (!member.signed_claim)
    return fmt::format("unsigned (Go program {})", go_release(member.meta->format));
  const SignedClaim& claim = *member.signed_claim;
  std::string text =
      fmt::format("signed by {}, epoch {}", claim.identity.fingerprint(), claim.epoch);
  if (claim.for_good) return text + "; address and name given back";
  return text + fmt::format("; address claimed {} ago", age_text(age_of(claim.claimed, now)));
}

std::string identity_text(const Member& member) {
  if (!member.meta) return "-";
  if (member.signed_claim) return member.signed_claim->identity.fingerprint();
  return fmt::format("go {}", go_release(member.meta->format));
}

std::string overlay_text(const store::SelfRow& self) {
  return self.overlay ? self.overlay->text() : "no overlay address";
}

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
  const auto& claim = member.signed_claim;
  out["identity"] = claim ? Json(claim->identity.text()) : Json();
  out["epoch"] = claim ? Json(claim->epoch) : Json();
  out["claimed"] = claim ? Json(rfc3339(claim->claimed)) : Json();
  out["instance"] = claim ? Json(fmt::format("{:016x}", claim->instance)) : Json();
  out["for_good"] = claim ? Json(claim->for_good) : Json();
  const bool go = member.meta && !claim;
  out["go_release"] = go ? Json(go_release(member.meta->format)) : Json();
  return out;
}

std::string members_text(const Facts& facts, WallTime now) {
  std::vector<std::vector<std::string>> rows;
  if (facts.self) rows.push_back(own_row(*facts.self));
  for (const Member& member : facts.members)
    rows.push_back(row_of(member, now));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.front() < b.front(); });
  rows.insert(rows.begin(), {"NAME", "OVERLAY", "GOSSIP", "STATE", "STANDING", "KEY", "META",
                             "IDENTITY", "REASON"});
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
