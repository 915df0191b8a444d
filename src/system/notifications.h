// A netlink socket that hears of changes of links, addresses and routes.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "os/unique_fd.h"

namespace wesher::system {

/// Subscribed to these RTMGRP_* groups of rtnetlink; reading it never blocks.
[[nodiscard]] Result<os::UniqueFd> open_notifications(std::uint32_t groups);

}  // namespace wesher::system
