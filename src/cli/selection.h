// Which members a word on the command line means: a name, an address, or a prefix. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/facts.h"

namespace wesher::cli {

/// Nodes of a Snapshot; must not outlive it.
struct Selection {
  bool own = false;  ///< this host
  std::vector<const Member*> members;

  [[nodiscard]] std::size_t size() const { return members.size() + (own ? 1 : 0); }
};

/// A name means that node. An address or a prefix ("10.42.0.0/16") means all whose overlay address,
/// announced address or endpoint in the device is in it; this host, too. Errc::not_found: nobody,
/// with the nearest names; Errc::malformed: what looks like a prefix and is none.
[[nodiscard]] Result<Selection> select_nodes(const Snapshot& snapshot, const std::string& word);

/// Names that were probably meant, the nearest first, at most three: those that begin with the
/// word, and those that differ in two characters at most.
[[nodiscard]] std::vector<std::string> nearest_names(const Facts& facts, const std::string& word);

/// Errc::not_found: "no member is named 'web9'; did you mean web1 or web2? 'wesher members' lists
/// all".
[[nodiscard]] Error unknown_node(const Facts& facts, const std::string& word);

}  // namespace wesher::cli
