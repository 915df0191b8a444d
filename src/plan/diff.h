// (Desired, Observed) → Plan. Total, pure, free of surprises: what is not ours is not in Observed
// and so can't be touched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/state.h"
#include "plan/plan.h"

namespace wesher::plan {

struct DiffOptions {
  WallTime now{};
  /// Adopt mode: peers, routes, addresses and hosts lines that are not wanted stay.
  bool may_remove = true;
};

/// The smallest plan: link, key and port, address; then additions of peers, routes, hosts; then
/// removals. Nothing changed = no action. An endpoint is written only for a new peer, or when it
/// differs and there is no handshake younger than 180 s. A moved allowed IP goes to its new owner
/// by that owner's action alone. With `observed.complete` false nothing is removed.
[[nodiscard]] Plan diff(const Desired& desired,
                        const Observed& observed,
                        const DiffOptions& options);

/// The plan that removes everything of ours: hosts lines, routes, then the link (see
/// `removes_link`). For leaving and for `--init`.
[[nodiscard]] Plan teardown(const Observed& observed);

/// Which hosts lines are wanted: valid hostname, not localhost, not our own name, not on a line
/// that is not ours; several members of one name can't be. Sorted by name.
[[nodiscard]] std::vector<ObservedHostsLine> wanted_hosts(const Desired& desired,
                                                          const ObservedHosts& observed);

/// What to do about an interface that exists already.
enum class Ownership : std::uint8_t {
  create,  ///< there is none
  ours,    ///< bears our alias
  adopt,   ///< has no peers, or its key or a peer is in our state
};

/// Judges the link under our interface name. `known_keys`: own public key and those of all members
/// in our state. Errc::exists with the sentence for the operator when it is somebody else's.
[[nodiscard]] Result<Ownership> judge_interface(const std::string& interface,
                                                const Observed& observed,
                                                const std::vector<PublicKey>& known_keys);

}  // namespace wesher::plan
