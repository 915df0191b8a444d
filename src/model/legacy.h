// What members of the Go program do, where several parts must expect the same of them.
#pragma once

#include <optional>

#include "model/member.h"

namespace wesher {

/// Whether the callbacks of the Go program run for this change, which makes it replace all its
/// WireGuard peers: those of memberlist for members that come, go, or change what they announce.
[[nodiscard]] bool disturbs_legacy(const std::optional<Member>& before, const Member& after);

}  // namespace wesher
