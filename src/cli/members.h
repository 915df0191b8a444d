// `wesher members`, `wesher ip`: what the database says of the members. Pure.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/facts.h"
#include "cli/json.h"

namespace wesher::cli {

/// A table of this host and all members, those that left or were refused too, each with the reason
/// for its standing.
[[nodiscard]] std::string members_text(const Facts& facts, WallTime now);
/// The same as JSON, schema wesher.members/1.
[[nodiscard]] std::string members_json(const Facts& facts, WallTime now);

/// "signed by 9c1e-77ab, epoch 17; address claimed 41d ago", or "unsigned (Go program)"; empty for
/// a member without metadata.
[[nodiscard]] std::string signature_text(const Member& member, WallTime now);

/// The fingerprint of a member's identity, "unsigned", or "-" without metadata: for tables.
[[nodiscard]] std::string identity_text(const Member& member);

/// "10.42.0.5", or "no overlay address".
[[nodiscard]] std::string overlay_text(const store::SelfRow& self);

/// One member as in `members_json`.
[[nodiscard]] Json member_json(const Member& member, WallTime now);

/// One object per line of the table.
[[nodiscard]] Json members_array(const Facts& facts, WallTime now);

enum class Family : std::uint8_t { any, v4, v6 };

struct NodeAddress {
  std::string name;  ///< safe to print
  IpAddress overlay;
};

/// The overlay address of this host (`node` empty) or of a configured member. Errc::not_found: no
/// such member, one that is not configured, or no address of that family.
[[nodiscard]] Result<NodeAddress> find_address(const Facts& facts,
                                               const std::string& node,
                                               Family family);

/// Schema wesher.ip/1.
[[nodiscard]] std::string ip_json(const NodeAddress& node);

}  // namespace wesher::cli
