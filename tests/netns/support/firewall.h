// Ways between hosts that are closed and opened again.
#pragma once

#include <string>

#include "netns/support/host.h"

namespace wesher::netns {

/// Drops what comes to this host's gossip port over this protocol ("udp" or "tcp") from one address
/// of the underlay, until the host is gone.
void block(const Host& host, const std::string& protocol, const std::string& from);

/// Drops everything that comes to this host from one address of the underlay.
void cut(const Host& host, const std::string& from);

/// Takes all of that back.
void unblock(const Host& host);

}  // namespace wesher::netns
