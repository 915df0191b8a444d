// When sessions with members of the Go program are begun anew. Such a member replaces its whole
// list of peers whenever a member comes, goes or changes, and with it all its sessions end. The
// other end is not told: what it sends is lost until WireGuard itself gives the session up, after
// 15 s (KEEPALIVE_TIMEOUT 10 s + REKEY_TIMEOUT 5 s), or until the Go member happens to send
// something. A peer that is taken out and put in again begins a handshake with its next packet,
// which waits for it: an outage of a round trip.
//
// mesh/overlay_pings.h has the Go member send something. Where that fails - its packets don't reach
// us, or a handshake was lost, which WireGuard repeats after 5 s only - the counters tell: after
// every event they are looked at, a few times with growing distances. Sent something and heard
// nothing: renewed. Heard nothing at all by the last look: renewed too, as the next packet would be
// lost. Without those pings a healthy one-way flow looks like a dead one, and is renewed at some of
// the looks; that delays a packet and loses none.
//
// Pure; it is told of events and of devices.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/key.h"
#include "base/time.h"
#include "model/state.h"

namespace wesher::plan {

class Revival {
 public:
  /// Looks, counted from the last event; the first only notes what the counters are. Gossip of the
  /// Go program brings an event to everybody within about three seconds.
  static constexpr std::array<std::chrono::milliseconds, 12> kLooks{
      {std::chrono::milliseconds{0}, std::chrono::milliseconds{100}, std::chrono::milliseconds{200},
       std::chrono::milliseconds{300}, std::chrono::milliseconds{400},
       std::chrono::milliseconds{550}, std::chrono::milliseconds{750},
       std::chrono::milliseconds{1000}, std::chrono::milliseconds{1750},
       std::chrono::milliseconds{2750}, std::chrono::milliseconds{4500},
       std::chrono::milliseconds{7000}}};
  /// What is heard this long after an event is heard under a session that is there to stay.
  static constexpr std::chrono::seconds kSpread{2};
  /// A session that is older serves for nothing (REJECT_AFTER_TIME): the next packet begins one.
  static constexpr std::chrono::seconds kSessionLife{180};
  /// Renewals of one peer after one event; a host that is gone hears nothing of them.
  static constexpr unsigned kRenewals = 5;

  /// Something happened that makes Go members replace their peers.
  void event(Instant now);

  /// When to look again; nothing: all is quiet.
  [[nodiscard]] std::optional<Instant> next() const { return next_; }

  /// Peers that are to be renewed now, among those whose keys are in `legacy`.
  [[nodiscard]] std::vector<ObservedPeer> look(const std::vector<ObservedPeer>& peers,
                                               const std::set<PublicKey>& legacy,
                                               const Moment& now);

 private:
  struct Seen {
    std::uint64_t rx = 0;
    std::uint64_t tx = 0;
    std::optional<WallTime> handshake;
    Instant heard_at;  ///< end of the last interval in which something came
    unsigned renewals = 0;
  };

  void plan_next(Instant now);
  [[nodiscard]] bool is_to_renew(const ObservedPeer& peer,
                                 Seen& seen,
                                 bool last,
                                 Instant now) const;

  std::map<PublicKey, Seen> seen_;
  Instant event_at_;
  std::size_t looked_ = 0;  ///< since the last event
  std::optional<Instant> next_;
};

}  // namespace wesher::plan
