// A small mesh as the commands see it: db1 (this host), db2, pi1, web1, web2, at a fixed time.
#pragma once

#include <string>

#include "cli/facts.h"

namespace wesher::cli::testing {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// 2026-05-04T03:02:01Z
inline constexpr WallTime kNow = wall_from_ms(1777863721000);

[[nodiscard]] IpAddress ip(const std::string& text);
/// A key of 32 equal bytes.
[[nodiscard]] PublicKey key(std::uint8_t byte);
[[nodiscard]] Member member(const std::string& name,
                            const std::string& overlay,
                            const std::string& underlay,
                            std::uint8_t key_byte);
/// Finds a member of the snapshot; fails the test when there is none.
[[nodiscard]] Member& member_of(Snapshot& snapshot, const std::string& name);
/// The peer of a member in the device.
[[nodiscard]] ObservedPeer& peer_of(Snapshot& snapshot, const std::string& name);

/// Everything in order: the daemon up for 12 days, four members alive, all of it configured.
[[nodiscard]] Snapshot in_order();
/// The same after strangers were at work: the link set down, the peer of web1, the route to pi1 and
/// the hosts line of db2 removed, a stray peer added; web2 roamed, pi1 failed 2h ago.
[[nodiscard]] Snapshot drifted();
/// Takes a member out of everything that is wanted and observed, and gives it this standing.
void unconfigure(Snapshot& snapshot, const std::string& name, Standing standing);
/// Only this host: no member, peer, route or line.
[[nodiscard]] Snapshot alone();

}  // namespace wesher::cli::testing
