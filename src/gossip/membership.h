// Claims about members, from wherever, applied to the table: checked, judged, put before the
// admission hook, carried out, queued for relaying, reported. Also the suspicion timers and the
// reaping.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gossip/core.h"
#include "gossip/doubts.h"
#include "gossip/own_member.h"

namespace wesher::gossip {

/// By whom we have a claim.
enum class Way : std::uint8_t {
  hearsay,  ///< in a datagram, or in a table that a stranger sent
  member,   ///< in a table that came from the address of a member
  answer,   ///< in a table that we asked for
  himself,  ///< from the one that it is about, who answers at its address
};

/// A member gets our accusation directly at most this often: a refutation takes one round trip.
inline constexpr Duration kAccuseEvery = std::chrono::seconds{1};

class Membership {
 public:
  Membership(Core& core, OwnMember& own, Doubts& doubts)
      : core_(core), own_(own), doubts_(doubts) {}

  void hear(wire::AliveView claim, Way way, Instant now);
  void hear(const wire::Suspect& claim, Way way, Instant now);
  void hear(const wire::Dead& claim, Way way, Instant now);
  /// An entry of a push/pull: dead is never believed second-hand, it counts as our own suspicion.
  void hear(const wire::EntryView& entry, Way way, Instant now);
  /// Our own verdict after a failed probe of the record as it was with `incarnation`.
  void suspect(const std::string& name, std::uint32_t incarnation, Instant now);

  /// Tells a member directly what we hold against it, so that it can refute at once; not too often.
  void accuse(Member& member, Instant now);
  /// Drops what is dead or left long enough.
  void reap(Instant now);

  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  /// Tells the admission hook what concerns our own name, and turns a conflict into an alive where
  /// it lets the name move.
  void ask_about(const wire::AliveView& claim,
                 const Member* known,
                 Way way,
                 Judgement& judgement,
                 Instant now);
  /// Carries out what needs no record: ignoring, refusing, refuting. True if that was it.
  bool settled(const Judgement& judgement,
               std::string_view name,
               std::uint32_t incarnation,
               Instant now);
  void apply(Member* known, const wire::AliveView& claim, Way way, Instant now);
  void create(const wire::AliveView& claim, Way way, bool quiet, Instant now);
  [[nodiscard]] bool make_room(std::string_view name, Standing standing, Instant now);
  void evict(Member& member);
  void apply(Member& member, const wire::Suspect& claim, bool tell, Instant now);
  void apply(Member& member, const wire::Dead& claim, Instant now);
  void confirm(Member& member, const wire::Suspect& claim, Instant now);
  void act(const Judgement& judgement, Member& member, const wire::Suspect& claim, Instant now);
  void act(const Judgement& judgement,
           Member& member,
           const wire::Dead& claim,
           Proof proof,
           Instant now);
  void conflict(Member& member, const wire::AliveView& claim, Instant now);
  void doubt(Member& member, const wire::Dead& claim, Instant now);
  /// Whether the claim jumps further ahead than anybody but the member itself is believed.
  [[nodiscard]] bool jumps(const Member* known, std::uint32_t incarnation, Way way);
  /// The same of a name that is new: near the end of all numbers it could not refute for long.
  [[nodiscard]] bool starts_far_ahead(const wire::AliveView& claim, Way way);
  void question(Member& member, Instant now);
  /// Asks whoever is said to be there under a name that we don't have.
  void question(const wire::AliveView& claim, Instant now);
  [[nodiscard]] bool may_accuse(const std::string& name,
                                const std::string& from,
                                Way way,
                                Instant now);
  void tell(Member& member, std::uint32_t incarnation, Instant now);
  void suspicion_over(Member& member, Instant now);
  void suspicion_of(Member& member, SuspicionTimer timer);
  void set_deadline(Member& member, Instant at);
  void clear_suspicion(Member& member);
  [[nodiscard]] Verdict ask(const Claim& claim, const Member* known, Instant now) const;
  [[nodiscard]] Verdict ask(const wire::Dead& claim,
                            const Member& known,
                            Proof proof,
                            Instant now) const;
  [[nodiscard]] bool admits(const wire::Suspect& claim, const Member& known, Instant now);

  Core& core_;
  OwnMember& own_;
  Doubts& doubts_;
  Budget names_{limits::kNewNames};
  Budget strangers_{limits::kStrangersAsked};
  Budget accusations_{limits::kAccusations};  ///< of all accusers that are no members
  std::map<std::pair<Instant, std::uint64_t>, Member*> deadlines_;
};

}  // namespace wesher::gossip
