// What others changed, in sentences: for `status` and `explain`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/facts.h"

namespace wesher::cli {

/// An object that was changed back longer ago is not fought over any more, whatever its row says: a
/// daemon that was stopped leaves it so. Repairs pause for 5 min at most.
inline constexpr std::chrono::minutes kFightFresh{10};

/// "wgoverlay was set down", "peer web1 (k3Vd…) was removed", "route 10.0.0.3/32 was added".
[[nodiscard]] std::string drift_sentence(const store::DriftRow& row, std::string_view interface);

/// "repaired in 0.2s", "not repaired yet".
[[nodiscard]] std::string repair_text(const store::DriftRow& row);

/// Which layer of `status` an object of history belongs to: "device", "routes", "hosts".
[[nodiscard]] std::string_view layer_of_object(std::string_view object);

/// One sentence for an object that somebody keeps changing back, with what to do about it; empty if
/// nobody does.
[[nodiscard]] std::string fight_sentence(const store::DriftRow& row,
                                         std::string_view interface,
                                         WallTime now);

/// The same for a layer: of its objects the newest, and how many more there are. Routes that went
/// with the link are not told beside it.
[[nodiscard]] std::vector<std::string> fights_of(const Snapshot& snapshot, std::string_view layer);

}  // namespace wesher::cli
