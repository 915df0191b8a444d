// When sessions begin with members that are peers since just now. What the other end sent before
// our device knew it was lost, and WireGuard repeats a handshake after 5 s only (REKEY_TIMEOUT), so
// whoever comes last begins, with a knock (system/knock.h).
//
// Two ends that begin at the same moment disturb each other: each takes the other's initiation and
// forgets its own, and no answer finds what it answers. With packets to send both try again after
// exactly those 5 s, as far apart as before, and so on. So the end with the smaller key begins at
// once, and the other one waits a little whether that happens; and as what hosts have to send may
// begin sessions too, the first end looks later and takes a peer out that was heard and has no
// session, and puts it in again, which forgets the 5 s at this end.
//
// Members of the Go program begin when they have something to send, and we wait. What is sent to
// one that does not answer is sent in vain, for which plan/revival.h would begin anew at every
// event: a peer that we knocked at is not for it until there was a session.
//
// Pure; it is told of peers.
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

/// Who begins a session.
enum class Beginner : std::uint8_t {
  we,      ///< with the smaller key, at once
  they,    ///< it has the smaller key
  nobody,  ///< it is a member of the Go program
};

class FirstSessions {
 public:
  /// What the end that begins later waits: one and a half round trips, and the other end has to
  /// hear of us.
  static constexpr std::chrono::milliseconds kLater{200};
  /// When who began looks whether there is a session, each after the one before. A slow
  /// network answers within the second.
  static constexpr std::array<std::chrono::milliseconds, 3> kLooks{std::chrono::milliseconds{600},
                                                                   std::chrono::milliseconds{1200},
                                                                   std::chrono::milliseconds{2400}};
  /// Peers that are waited for. A host that comes into a large cluster begins the other sessions
  /// when it needs them.
  static constexpr std::size_t kMost = 256;

  /// Peers that are in the device when we start; those without a session don't answer.
  void start(const std::vector<ObservedPeer>& peers);

  /// A peer was put in. False: there are too many, it is left alone.
  bool added(const PublicKey& key, Beginner beginner, Instant now);

  /// When to look; nothing: nobody is waited for.
  [[nodiscard]] std::optional<Instant> next() const;

  struct Due {
    std::vector<PublicKey> knock;     ///< nothing was sent to them so far
    std::vector<ObservedPeer> renew;  ///< to be taken out, put in again, and knocked at
  };

  /// What is due now, of peers that are in the device and had no session yet.
  [[nodiscard]] Due look(const std::vector<ObservedPeer>& peers, Instant now);

  /// Which of these peers were knocked at and had no session since.
  [[nodiscard]] const std::set<PublicKey>& unanswered(const std::vector<ObservedPeer>& peers);

 private:
  struct Waiting {
    PublicKey key;
    Beginner beginner = Beginner::we;
    bool knocked = false;
    std::size_t looked = 0;
  };

  std::multimap<Instant, Waiting> waiting_;
  std::set<PublicKey> unanswered_;
};

}  // namespace wesher::plan
