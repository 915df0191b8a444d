// (Desired, Observed) → Plan. Total, pure, free of surprises: what is not ours is not in Observed
// and so can't be touched.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/member.h"
#include "model/state.h"
#include "plan/plan.h"

namespace wesher::plan {

/// A peer with a younger handshake knows where its other end is: its endpoint is left to WireGuard.
/// 180 s is REJECT_AFTER_TIME of the WireGuard paper (section 6.1): an older session carries
/// nothing.
inline constexpr std::chrono::seconds kHandshakeYoung{180};

struct DiffOptions {
  WallTime now{};
  /// Adopt mode: peers, routes, addresses and hosts lines that are not wanted stay.
  bool may_remove = true;
  /// All members known, in any order: what the reasons are made of ("member old3 left 4m ago").
  /// They decide nothing; without them the reasons say less. Must outlive the call.
  std::span<const Member> members;
  /// Networks in which unmarked routes are taken over: those of the mesh, where the device was the
  /// Go program's. Must outlive the call.
  std::span<const Prefix> take_routes_in{};
  /// Peers whose announced endpoint has just changed, and what it was.
  std::map<PublicKey, Endpoint> moved{};
};

/// The smallest plan: routes that are taken over, link, alias, MTU, key and port, up, address; then
/// additions and changes of peers, additions of routes, the hosts file; then removals of peers,
/// routes, addresses. Nothing changed = no action. O(n log n).
///
/// An endpoint is written only for a new peer, or when it differs and there is no handshake younger
/// than `kHandshakeYoung` (one that far in the future says nothing: the clock went back), or when
/// it is the one that a peer in `moved` had announced before: WireGuard has learned nothing better,
/// and would send to where nobody is. Or when it is where another wanted peer is, as after two
/// hosts had one key. A wanted peer has exactly one allowed IP; one that moves goes to its new
/// owner by that owner's action alone. The MTU is repaired only if `desired.interface.mtu` is set,
/// keepalives only if its `keepalive_s` is. With `observed.complete` false nothing is removed. An
/// unspecified address means that there is to be none; what `desired.interface` leaves open (key
/// all zero, port 0) is neither set nor removed. A link that is no WireGuard interface gives an
/// empty plan; `judge_interface` has the sentence.
///
/// Hosts: lines that stay keep their order in the file, new ones follow by name. With
/// `desired.hosts` false all our lines go. In adopt mode a line of ours stays, unless its name or
/// address is wanted otherwise. No action when the file is not writable.
[[nodiscard]] Plan diff(const Desired& desired,
                        const Observed& observed,
                        const DiffOptions& options);

/// The plan that removes what is ours beside the link: hosts lines, then routes. For leaving and
/// for
/// `--init`; the link itself goes by system::DataPlane::remove_link.
[[nodiscard]] Plan teardown(const Observed& observed);

/// Which hosts lines are wanted, sorted by name: of each peer with a valid hostname that is not a
/// name of the loopback, not our own name and not on a line that is not ours. Names are compared
/// without regard to case (RFC 4343); of names that differ only there, the first gets the line.
/// Empty if `desired.hosts` is false.
[[nodiscard]] std::vector<ObservedHostsLine> wanted_hosts(const Desired& desired,
                                                          const ObservedHosts& observed);

/// What to do about an interface that exists already.
enum class Ownership : std::uint8_t {
  create,  ///< there is none
  ours,    ///< bears our alias
  adopt,   ///< has no peers, or its key or a peer is in our state, or it is the Go program's
};

/// How the device of the Go program on this host looks.
struct GoDevice {
  IpAddress overlay;  ///< what it computes from our name
  std::uint16_t listen_port = 0;
};

/// Whether it is that device: WireGuard without an alias, on that port, with that address in a
/// network of any length. Its marks are no more than these.
[[nodiscard]] bool is_go_device(const Observed& observed, const GoDevice& expected);

/// Judges the link under our interface name. `known_keys`: own public key and those of all members
/// in our state; `go`: set where the state of the Go program was taken over, then its device is
/// too. Errc::exists with the sentence for the operator when it is somebody else's; Errc::busy when
/// an interrupted dump can't tell.
[[nodiscard]] Result<Ownership> judge_interface(const std::string& interface,
                                                const Observed& observed,
                                                const std::vector<PublicKey>& known_keys,
                                                const std::optional<GoDevice>& go = std::nullopt);

}  // namespace wesher::plan
