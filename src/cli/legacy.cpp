#include "cli/legacy.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

constexpr std::size_t kNamesShown = 8;

bool is_live_legacy(const Member& member) {
  return is_live_state(member.state) && !member.signed_claim && member.meta;
}

std::string generation_text(const Generation& generation) {
  return fmt::format("{} ({}: {})", go_release(generation.format), to_text(generation.format),
                     name_list(generation.members, kNamesShown));
}

/// Those whose nodes are to be replaced so that one generation is left: all but the largest, of
/// equally large ones the one that this host speaks.
std::vector<std::string> to_replace(const LegacyReport& report) {
  const auto keep =
      std::max_element(report.generations.begin(), report.generations.end(),
                       [&](const Generation& a, const Generation& b) {
                         return std::pair(a.members.size(), a.format == report.spoken) <
                                std::pair(b.members.size(), b.format == report.spoken);
                       });
  std::vector<std::string> names;
  for (const Generation& each : report.generations) {
    if (each.format != keep->format)
      names.insert(names.end(), each.members.begin(), each.members.end());
  }
  return names;
}

std::string mixed_line(const LegacyReport& report) {
  std::vector<std::string> all;
  std::vector<std::string> deaf;
  for (const Generation& each : report.generations) {
    all.push_back(generation_text(each));
    if (each.format != report.spoken) deaf.emplace_back(go_release(each.format));
  }
  return fmt::format(
      "generations of the Go program that cannot read each other, so that there are no tunnels "
      "between them: {}; this host speaks {}{}, which {} cannot read. Remedy: replace the Go nodes "
      "of one generation: {}",
      fmt::join(all, " and "), to_text(report.spoken), report.fixed ? " (--meta-format)" : "",
      fmt::join(deaf, " and "), name_list(to_replace(report), kNamesShown));
}

std::string single_line_about(const LegacyReport& report) {
  const Generation& only = report.generations.front();
  const std::string who = fmt::format(
      "{} of the Go program: {}", counted(only.members.size(), "member"), generation_text(only));
  const std::string_view spoken = to_text(report.spoken);
  if (only.format == report.spoken) return fmt::format("{}; this host speaks {} too", who, spoken);
  if (report.fixed) {
    return fmt::format(
        "{}; this host speaks {} (--meta-format), which they cannot read, so that they have no "
        "tunnel to it. Remedy: start it without --meta-format",
        who, spoken);
  }
  return fmt::format(
      "{}; this host speaks {}, which they cannot read, and changes to {} when that is so for 30s",
      who, spoken, to_text(only.format));
}

}  // namespace

std::string_view go_release(MetaFormat format) {
  switch (format) {
    case MetaFormat::f1:
      return "v0.1";
    case MetaFormat::f2:
      return "v0.2";
    case MetaFormat::f3:
      return "v0.3";
  }
  return "";
}

LegacyReport look_at_legacy(const Facts& facts) {
  LegacyReport report;
  if (facts.self) report.spoken = facts.self->meta_format;
  const auto option = facts.options.find("meta-format");
  report.fixed = option != facts.options.end() && !option->second.empty();
  for (const MetaFormat format : {MetaFormat::f1, MetaFormat::f2, MetaFormat::f3}) {
    Generation generation{format, {}};
    for (const Member& member : facts.members) {
      if (is_live_legacy(member) && member.meta->format == format)
        generation.members.push_back(shown_name(member.name));
    }
    if (!generation.members.empty()) report.generations.push_back(std::move(generation));
  }
  if (report.generations.empty()) return report;
  report.held_back = {
      "another underlay address of this host is announced after a goodbye only",
      "'wesher leave' keeps name and overlay address reserved",
      "nothing proves whose their names and addresses are, and they never move",
  };
  return report;
}

std::vector<std::string> legacy_remarks(const LegacyReport& report) {
  if (report.generations.empty()) return {};
  return {report.is_mixed() ? mixed_line(report) : single_line_about(report),
          fmt::format("while members of the Go program are here: {}",
                      fmt::join(report.held_back, "; "))};
}

Json legacy_json(const LegacyReport& report) {
  if (report.generations.empty()) return {};
  Json out = {{"mixed", report.is_mixed()}, {"generations", Json::array()}};
  for (const Generation& each : report.generations) {
    out["generations"].push_back({{"release", go_release(each.format)},
                                  {"meta_format", to_text(each.format)},
                                  {"reads_us", each.format == report.spoken},
                                  {"members", each.members}});
  }
  out["held_back"] = report.held_back;
  return out;
}

}  // namespace wesher::cli
