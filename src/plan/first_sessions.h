// When sessions begin with members that are peers since just now. What the other end sent before
// our device knew it was lost, and WireGuard repeats a handshake after 5 s only (REKEY_TIMEOUT), so
// whoever comes last begins, with a knock (system/knock.h).
//
// Two ends that begin at the same moment disturb each other: each takes the other's initiation and
// forgets its own, and no answer finds what it answers. With packets to send both try again after
// exactly those 5 s, as far apart as before, and so on. So the end with the smaller key begins at
// once, and the other one waits a little whether that happens; and as what hosts have to send may
// begin sessions too, the first end looks later and takes a peer out that was heard and has no
// session, and puts it in again, which forgets the 5 s at this end. Members of the Go program begin
// when they have something to send; ours wait, and plan/revival.h has what follows.
//
// Pure; it is told of peers.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "base/key.h"
#include "base/time.h"
#include "model/state.h"

namespace wesher::plan {

class FirstSessions {
 public:
  /// What the end that begins later waits: one and a half round trips, and the other end has to
  /// hear of us.
  static constexpr std::chrono::milliseconds kLater{200};
  /// When the end that begins looks whether there is a session, each after the one before. A slow
  /// network answers within the second.
  static constexpr std::array<std::chrono::milliseconds, 3> kLooks{std::chrono::milliseconds{600},
                                                                   std::chrono::milliseconds{1200},
                                                                   std::chrono::milliseconds{2400}};
  /// Peers that are waited for. A host that comes into a large cluster begins the other sessions
  /// when it needs them.
  static constexpr std::size_t kMost = 256;

  /// A peer was put in. `begins`: at once, by us. False: there are too many, it is left alone.
  bool added(const PublicKey& key, bool begins, Instant now);

  /// When to look; nothing: nobody is waited for.
  [[nodiscard]] std::optional<Instant> next() const;

  struct Due {
    std::vector<PublicKey> knock;
    std::vector<ObservedPeer> renew;  ///< to be taken out, put in again, and knocked at
  };

  /// What is due now, of peers that are in the device and had no session yet.
  [[nodiscard]] Due look(const std::vector<ObservedPeer>& peers, Instant now);

 private:
  struct Waiting {
    PublicKey key;
    bool begins = false;
    std::size_t looked = 0;
  };

  std::multimap<Instant, Waiting> waiting_;
};

}  // namespace wesher::plan
