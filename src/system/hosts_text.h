// Our lines in a hosts file (hosts(5)), as text → text: bytes that are not ours never change. Pure.
//
// A line is ours if it ends in our banner and has an address in front of it; the banners are the Go
// program's, that of its head and that of v0.2.6. A line of only a banner, or one that begins with
// '#', is a comment of somebody else's, and so are lines of another interface.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/state.h"

namespace wesher::system {

/// Whose lines are ours.
struct HostsRules {
  std::string interface;
  bool take_over_old_banner = false;  ///< lines under v0.2.6's banner are ours too
};

/// "# ! managed automatically by wesher interface <interface>": what our lines end in.
[[nodiscard]] std::string hosts_banner(std::string_view interface);

/// v0.2.6's banner, the same for every interface.
inline constexpr std::string_view kOldHostsBanner = "# ! MANAGED AUTOMATICALLY !";

/// What is in the text: our lines in order, every name on other lines (sorted, as written), and
/// whether a line of ours would be written differently (old banner, other spacing, unreadable
/// address, an address for the second time). `writable` stays true.
[[nodiscard]] ObservedHosts read_hosts(std::string_view text, const HostsRules& rules);

/// The text with exactly `lines` as ours: those that are there keep their place, the others are
/// appended, what is no longer wanted goes. Two entries of one address become one line. Equal to
/// `text` if nothing is to be done.
[[nodiscard]] std::string edit_hosts(std::string_view text,
                                     const HostsRules& rules,
                                     const std::vector<ObservedHostsLine>& lines);

}  // namespace wesher::system
