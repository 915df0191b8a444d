// Which hosts lines are wanted, and what to write for it. Names are compared in lower case (RFC
// 4343: ASCII letters only). The contract is in diff.h.
#include "plan/hosts.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "base/text.h"
#include "plan/diff.h"

namespace wesher::plan {

namespace {

std::string lower(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Names that resolvers and programs take for the host itself: RFC 6761 section 6.3 (localhost and
/// all under it) and what Debian's and Red Hat's hosts files add.
bool is_loopback_name(const std::string& lowered) {
  static constexpr std::array<std::string_view, 4> kOthers = {"localhost4", "localhost6",
                                                              "ip6-localhost", "ip6-loopback"};
  const std::string_view first = std::string_view(lowered).substr(0, lowered.find('.'));
  const std::string_view last = std::string_view(lowered).substr(lowered.rfind('.') + 1);
  return first == "localhost" || last == "localhost" ||
         std::find(kOthers.begin(), kOthers.end(), first) != kOthers.end();
}

using Lines = std::vector<ObservedHostsLine>;

/// What is asked of the wanted lines, by lower-case name and by address.
struct Wanted {
  explicit Wanted(const Lines& lines) {
    for (const ObservedHostsLine& line : lines) {
      by_name.emplace(lower(line.names.front()), &line);
      addresses.insert(line.address);
    }
  }

  std::map<std::string, const ObservedHostsLine*> by_name;
  std::set<IpAddress> addresses;
};

/// The lines to write: wanted ones in the place where their name is now, in adopt mode what no
/// wanted line supersedes, then the rest by name.
Lines merged(const Lines& wanted_lines,
             const Wanted& wanted,
             const Lines& managed,
             bool may_remove) {
  Lines out;
  std::set<const ObservedHostsLine*> placed;
  for (const ObservedHostsLine& line : managed) {
    ObservedHostsLine kept{line.address, {}};
    for (const std::string& name : line.names) {
      const auto it = wanted.by_name.find(lower(name));
      if (it == wanted.by_name.end()) {
        kept.names.push_back(name);
      } else if (placed.insert(it->second).second) {
        out.push_back(*it->second);
      }
    }
    const bool stays =
        !may_remove && !kept.names.empty() && !wanted.addresses.contains(line.address);
    if (stays) out.push_back(std::move(kept));
  }
  for (const ObservedHostsLine& line : wanted_lines) {
    if (!placed.contains(&line)) out.push_back(line);
  }
  return out;
}

/// One name on one of our lines.
struct Entry {
  std::string name;
  IpAddress address;

  friend auto operator<=>(const Entry&, const Entry&) = default;
};

std::vector<Entry> entries_of(const Lines& lines) {
  std::vector<Entry> entries;
  for (const ObservedHostsLine& line : lines) {
    for (const std::string& name : line.names)
      entries.push_back({name, line.address});
  }
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  return entries;
}

/// Compares what is with what will be, name by name; both sorted. A name with other addresses than
/// before is one '~' change, or one '+' or '-' for each address when there are several.
class Changes {
 public:
  Changes(const Desired& desired, const ObservedHosts& observed, const Reasons& reasons)
      : desired_(desired), reasons_(reasons) {
    for (const std::string& name : observed.foreign_names)
      foreign_.insert(lower(name));
    for (const DesiredPeer& peer : desired.peers)
      peers_.emplace(peer.name, &peer);
  }

  std::vector<HostsChange> between(const std::vector<Entry>& before,
                                   const std::vector<Entry>& after) {
    std::vector<Entry> added;
    std::vector<Entry> gone;
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                        std::back_inserter(added));
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                        std::back_inserter(gone));
    std::vector<HostsChange> changes;
    std::map<std::string, IpAddress> replaced;
    for (const Entry& e : gone)
      replaced.emplace(e.name, e.address);
    for (const Entry& e : added) {
      if (const auto it = replaced.find(e.name); it != replaced.end()) {
        changes.push_back({'~', e.name, e.address, "our line said " + it->second.text()});
        std::erase(gone, Entry{it->first, it->second});
        replaced.erase(it);
      } else {
        changes.push_back({'+', e.name, e.address, why_added(e)});
      }
    }
    for (const Entry& e : gone)
      changes.push_back({'-', e.name, e.address, why_gone(e)});
    return changes;
  }

 private:
  [[nodiscard]] std::string why_added(const Entry& e) const {
    const auto it = peers_.find(e.name);
    return it == peers_.end() ? "missing in the file"
                              : reasons_.wanted(*it->second) + ", missing in the file";
  }

  [[nodiscard]] std::string why_gone(const Entry& e) const {
    if (!desired_.hosts) return "hosts lines are switched off";
    const std::string lowered = lower(e.name);
    if (lowered == lower(desired_.own_name)) return "our own name";
    if (foreign_.contains(lowered)) return "a line that is not ours has this name";
    if (peers_.contains(e.name)) return "a second line for this name";
    return reasons_.unwanted(e.name, reasons_.unwanted(e.address, "no member has this name"));
  }

  const Desired& desired_;
  const Reasons& reasons_;
  std::set<std::string> foreign_;
  std::map<std::string_view, const DesiredPeer*> peers_;
};

bool line_less(const ObservedHostsLine& a, const ObservedHostsLine& b) {
  return std::tie(a.address, a.names) < std::tie(b.address, b.names);
}

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end(), line_less);
  return lines;
}

}  // namespace

std::vector<ObservedHostsLine> wanted_hosts(const Desired& desired, const ObservedHosts& observed) {
  Lines lines;
  if (!desired.hosts) return lines;
  std::set<std::string> taken{lower(desired.own_name)};
  for (const std::string& name : observed.foreign_names)
    taken.insert(lower(name));
  for (const DesiredPeer& peer : desired.peers) {
    if (!is_valid_hostname(peer.name)) continue;
    std::string lowered = lower(peer.name);
    if (is_loopback_name(lowered) || !taken.insert(std::move(lowered)).second) continue;
    lines.push_back({peer.overlay, {peer.name}});
  }
  std::sort(lines.begin(), lines.end(),
            [](const auto& a, const auto& b) { return a.names < b.names; });
  return lines;
}

std::optional<Action> diff_hosts(const Desired& desired,
                                 const ObservedHosts& observed,
                                 bool may_remove,
                                 const Reasons& reasons) {
  if (!observed.writable) return std::nullopt;
  const Lines wanted_lines = wanted_hosts(desired, observed);
  Lines lines = merged(wanted_lines, Wanted(wanted_lines), observed.managed, may_remove);
  const bool same = sorted(lines) == sorted(observed.managed);
  if (same && (!observed.outdated || lines.empty())) return std::nullopt;
  std::vector<HostsChange> changes =
      Changes(desired, observed, reasons).between(entries_of(observed.managed), entries_of(lines));
  std::string reason = "our lines are not in the form that we write";
  if (!changes.empty()) reason = changes.front().reason;
  if (changes.size() > 1) reason = std::to_string(changes.size()) + " lines differ";
  return Action{WriteHosts{std::move(lines), std::move(changes)}, std::move(reason)};
}

}  // namespace wesher::plan
