// `wesher explain`: one node through all five layers, with what is wanted, what is there, and why.
// Pure: facts in, text out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/facts.h"
#include "cli/json.h"

namespace wesher::cli {

inline constexpr std::size_t kExplainMax = 20;         ///< nodes explained at once
inline constexpr std::size_t kExplainHistoryMax = 10;  ///< entries of each

/// One layer's answer for one node.
struct Finding {
  std::string layer;    ///< "gossip", "database", "device", "route", "hosts"
  std::string verdict;  ///< one or two words for programs: see explain_json
  bool ok = true;
  std::string text;
};

struct Explanation {
  std::string name;  ///< safe to print
  bool this_host = false;
  std::optional<IpAddress> overlay;
  std::string state;  ///< "alive", "failed, no tunnel", "alive, refused", "this host"
  std::vector<Finding> findings;
  std::vector<store::HistoryEntry> history;  ///< newest first
  std::optional<Member> member;              ///< nothing for this host
  std::optional<DesiredPeer> wanted;
  std::optional<ObservedPeer> observed;
  std::size_t hosts_line = 0;  ///< in the hosts file, from 1; 0: not there, or not looked for
};

struct ExplainReport {
  std::string interface;
  WallTime now{};
  std::string asked;
  std::size_t matches = 0;  ///< in all; `nodes` has kExplainMax of them at most
  std::vector<Explanation> nodes;
};

/// A member of the snapshot. `history`: its newest entries.
[[nodiscard]] Explanation explain_member(const Snapshot& snapshot,
                                         const Member& member,
                                         std::vector<store::HistoryEntry> history);

/// This host; the snapshot has its row.
[[nodiscard]] Explanation explain_own(const Snapshot& snapshot,
                                      std::vector<store::HistoryEntry> history);

/// Who will repair a difference, and when: "the daemon repairs it within 30s".
[[nodiscard]] std::string repair_outlook(const Snapshot& snapshot);

[[nodiscard]] std::string explain_text(const ExplainReport& report);

/// Schema wesher.explain/1. Verdicts: gossip "alive", "suspect", "failed", "left", "this host";
/// database "wanted", "waiting" (wanted, not applied yet), "not wanted"; device, route and hosts
/// "same", "missing", "differs", "not wanted" (there all the same), "none" (neither wanted nor
/// there), "off", "unknown" (not read).
[[nodiscard]] std::string explain_json(const ExplainReport& report);

/// The number of the line with this address and name among our lines of the hosts file, from 1; 0
/// if there is none.
[[nodiscard]] std::size_t hosts_line_number(const std::string& text,
                                            const std::string& interface,
                                            const IpAddress& address,
                                            const std::string& name);

}  // namespace wesher::cli
