// When sessions with members of the Go program are begun anew. Such a member replaces its whole
// list of peers whenever a member comes, goes or changes, and with it all its sessions end. The
// other end is not told: what it sends is lost until WireGuard itself gives the session up, after
// 15 s (KEEPALIVE_TIMEOUT 10 s + REKEY_TIMEOUT 5 s), or until the Go member happens to send
// something. A peer that is taken out and put in again begins a handshake with its next packet,
// which waits for it: an outage of a round trip.
//
// So after every such event the counters of those peers are looked at, often at first, as most
// members hear of an event at the same moment as we do and need a few milliseconds, then with
// growing distances. Sent something and heard nothing: renewed. Heard nothing at all by the last
// look: renewed too, as the next packet would be lost. Without a handshake that was completed what
// comes in is one that is under way, or crossed ours. A healthy one-way flow looks like a dead
// one, and is renewed at the looks; that delays a packet and loses none.
//
// What does not do: to have the Go member send something, by an indirect ping through the tunnel.
// It fills each ping with gossip of its own, which is used up then before its neighbours have heard
// it.
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
  static constexpr std::array<int, 20> kLooksMs{{0,    20,   40,   60,   80,   100, 130,
                                                 160,  200,  250,  320,  420,  550, 750,
                                                 1000, 1400, 2000, 2750, 4500, 7000}};
  /// What is heard this long after an event is heard under a session that is there to stay.
  static constexpr std::chrono::seconds kSpread{2};
  /// A session that is older serves for nothing (REJECT_AFTER_TIME): the next packet begins one.
  static constexpr std::chrono::seconds kSessionLife{180};
  /// Renewals of one peer after one event that nothing answers; a host that is gone hears nothing
  /// of them. Those of a flow in one direction are answered, and its session may end at any of the
  /// looks.
  static constexpr unsigned kInVain = 8;
  /// A handshake may take so long before it is begun again.
  static constexpr std::chrono::milliseconds kInFlight{250};

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
    std::optional<Instant> begun_at;  ///< a handshake, by renewing or by the other end
    Instant heard_at;                 ///< end of the last interval in which something came
    unsigned in_vain = 0;             ///< renewals since something was heard
  };

  void plan_next(Instant now, bool renewed);
  [[nodiscard]] bool is_heard(const ObservedPeer& peer, Seen& seen, Instant now) const;
  [[nodiscard]] bool is_to_renew(const ObservedPeer& peer,
                                 const Seen& seen,
                                 bool last,
                                 Instant now) const;

  std::map<PublicKey, Seen> seen_;
  Instant event_at_;
  std::size_t looked_ = 0;  ///< since the last event
  std::optional<Instant> next_;
  bool only_notes_ = false;  ///< the next look renews nothing
};

}  // namespace wesher::plan
