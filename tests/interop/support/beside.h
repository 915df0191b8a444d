// What most scenarios with one of our daemons and one Go node ask.
#pragma once

#include <string>

#include "interop/support/go_peer.h"
#include "netns/support/firewall.h"

namespace wesher::interop {

/// Fails the scenario unless our daemon and the Go node have each other alive, each with the
/// WireGuard key that the other one has now.
void require_both(netns::Rig& rig, netns::Host& ours, GoPeer& go);

/// Whether our host's device has a peer with this key.
[[nodiscard]] bool has_peer(const netns::Host& ours, const std::string& key);

/// Fails unless the library had nothing to warn of but its own standing complaints: no peer by that
/// name yet, a member that really is silent.
void require_content(GoPeer& go);

/// Starts our daemon on this host, with --join to these addresses.
void start_ours(netns::Rig& rig, netns::Host& host, const std::string& join = "");

using netns::block;
using netns::unblock;

}  // namespace wesher::interop
