// What live members of the Go program mean for a mesh: of which generations they are, whether they
// can read each other and this host, and what is held back for their sake. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/facts.h"
#include "cli/json.h"

namespace wesher::cli {

/// Which releases of the Go program speak a format: "v0.2".
[[nodiscard]] std::string_view go_release(MetaFormat format);

/// Live members that sign nothing and speak one format.
struct Generation {
  MetaFormat format = MetaFormat::f2;
  std::vector<std::string> members;  ///< safe to print
};

struct LegacyReport {
  MetaFormat spoken = MetaFormat::f2;    ///< by this host
  bool fixed = false;                    ///< by --meta-format
  std::vector<Generation> generations;   ///< oldest first
  std::vector<std::string> held_back{};  ///< clauses; empty without such members

  /// Gossip works between them, but no tunnel.
  [[nodiscard]] bool is_mixed() const { return generations.size() > 1; }
};

[[nodiscard]] LegacyReport look_at_legacy(const Facts& facts);

/// One line about who is there and what follows, with the remedy where there is trouble, and one
/// about what is held back; none without such members.
[[nodiscard]] std::vector<std::string> legacy_remarks(const LegacyReport& report);

/// null without such members.
[[nodiscard]] Json legacy_json(const LegacyReport& report);

}  // namespace wesher::cli
