// Our lines in a hosts file. Pure functions of their arguments.
#include "system/hosts_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace wesher::system {

namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// Cuts the next line off `rest`, with its newline if it has one.
std::string_view next_line(std::string_view& rest) {
  const std::size_t newline = rest.find('\n');
  const std::size_t length = newline == std::string_view::npos ? rest.size() : newline + 1;
  const std::string_view line = rest.substr(0, length);
  rest.remove_prefix(length);
  return line;
}

std::vector<std::string_view> fields_of(std::string_view text) {
  std::vector<std::string_view> fields;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of(kBlank), text.size());
    fields.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return fields;
}

/// What stands in front of our banner; nothing if the line is not ours.
std::optional<std::string_view> managed_part(std::string_view line,
                                             const HostsRules& rules,
                                             std::string_view banner) {
  std::string_view text = trimmed(line);
  if (text.empty() || text.front() == '#') return std::nullopt;
  if (text.ends_with(banner)) {
    text.remove_suffix(banner.size());
  } else if (rules.take_over_old_banner && text.ends_with(kOldHostsBanner)) {
    text.remove_suffix(kOldHostsBanner.size());
  } else {
    return std::nullopt;
  }
  return text;
}

/// Address and names of a managed line; nothing if its address can't be read.
std::optional<ObservedHostsLine> parse_managed(std::string_view part) {
  const auto fields = fields_of(part);
  if (fields.empty()) return std::nullopt;
  const auto address = IpAddress::parse(fields.front());
  if (!address) return std::nullopt;
  ObservedHostsLine line{*address, {}};
  line.names.assign(fields.begin() + 1, fields.end());
  return line;
}

std::string canonical(const ObservedHostsLine& line, std::string_view banner) {
  std::string out = line.address.text() + "\t";
  for (std::size_t i = 0; i < line.names.size(); ++i) {
    if (i > 0) out += ' ';
    out += line.names[i];
  }
  return out.append("\t").append(banner).append("\n");
}

}  // namespace

std::string hosts_banner(std::string_view interface) {
  return "# ! managed automatically by wesher interface " + std::string(interface);
}

ObservedHosts read_hosts(std::string_view text, const HostsRules& rules) {
  const std::string banner = hosts_banner(rules.interface);
  ObservedHosts hosts;
  std::set<IpAddress> seen;
  std::set<std::string> foreign;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const auto part = managed_part(line, rules, banner);
    if (!part) {
      const auto fields = fields_of(line.substr(0, std::min(line.find('#'), line.size())));
      for (std::size_t i = 1; i < fields.size(); ++i)
        foreign.emplace(fields[i]);
      continue;
    }
    auto managed = parse_managed(*part);
    if (!managed) {
      hosts.outdated = true;
      continue;
    }
    if (canonical(*managed, banner) != line || !seen.insert(managed->address).second) {
      hosts.outdated = true;
    }
    hosts.managed.push_back(std::move(*managed));
  }
  hosts.foreign_names.assign(foreign.begin(), foreign.end());
  return hosts;
}

std::string edit_hosts(std::string_view text,
                       const HostsRules& rules,
                       const std::vector<ObservedHostsLine>& lines) {
  const std::string banner = hosts_banner(rules.interface);
  std::map<IpAddress, ObservedHostsLine> wanted;
  for (const ObservedHostsLine& line : lines) {
    auto& names =
        wanted.try_emplace(line.address, ObservedHostsLine{line.address, {}}).first->second.names;
    for (const std::string& name : line.names) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::string out;
  out.reserve(text.size() + lines.size() * 96);
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const auto part = managed_part(line, rules, banner);
    if (!part) {
      out += line;
      continue;
    }
    const auto managed = parse_managed(*part);
    if (!managed) continue;
    const auto found = wanted.find(managed->address);
    if (found == wanted.end()) continue;
    out += canonical(found->second, banner);
    wanted.erase(found);
  }
  for (const ObservedHostsLine& line : lines) {
    const auto found = wanted.find(line.address);
    if (found == wanted.end()) continue;
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += canonical(found->second, banner);
    wanted.erase(found);
  }
  return out;
}

}  // namespace wesher::system
