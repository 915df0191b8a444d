// The plan for one desired row that changed, without a look at the device: what a host of any
// number of peers does for a member that comes, goes, or moves. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/key.h"
#include "base/time.h"
#include "plan/desired.h"
#include "plan/plan.h"

namespace wesher::plan {

/// What is to be added or changed for the row. Every action is right whatever the device holds: a
/// peer that is there already is set again, an allowed IP goes to its new owner in the same
/// message. Nothing when only the device can tell what to do: an announced endpoint that changed is
/// written only where WireGuard has learned no other one. Peers before routes.
[[nodiscard]] std::optional<std::vector<Action>> additions(const DesiredTable& table,
                                                           const RowChange& change,
                                                           WallTime now);

/// What is to be removed of a row that was: its peer and its route, unless a row of now has them.
[[nodiscard]] std::vector<Action> removals(const DesiredTable& table,
                                           const DesiredPeer& gone,
                                           WallTime now);

/// Which objects row changes are about: what of a plan follows from them, and what does not.
class Touched {
 public:
  Touched() = default;
  explicit Touched(const RowChanges& changes);

  void add(const DesiredPeer& row);

  /// Whether all that the action changes belongs to one of the rows. An action on the link, the
  /// device or its own address never does.
  [[nodiscard]] bool covers(const Action& action) const;

  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  std::set<std::string> names_;
  std::set<PublicKey> keys_;
  std::set<IpAddress> overlays_;
};

}  // namespace wesher::plan
