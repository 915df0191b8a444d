// A packet into the tunnel, so that WireGuard begins a session with a peer now and not when
// somebody has something to say. Whoever comes last knows both ends: what the other end sent before
// was lost, and WireGuard tries again after 5 s only (REKEY_TIMEOUT).
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"

namespace wesher::system {

/// An empty datagram to the discard port (RFC 863) of each, by this interface or not at all.
/// Without a result: no session is the normal state of a peer that is not there.
void knock(const std::string& interface, const std::vector<IpAddress>& addresses);

}  // namespace wesher::system
