// Claims about members, from wherever, applied to the table: checked, judged, put before the
// admission hook, carried out, queued for relaying, reported. Also the suspicion timers and the
// reaping.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "gossip/core.h"
#include "gossip/own_member.h"

namespace wesher::gossip {

class Membership {
 public:
  Membership(Core& core, OwnMember& own) : core_(core), own_(own) {}

  void hear(wire::Alive claim, Instant now);
  void hear(const wire::Suspect& claim, Instant now);
  void hear(const wire::Dead& claim, Instant now);
  /// An entry of a push/pull: dead is never believed second-hand, it counts as our own suspicion.
  void hear(const wire::PushPullEntry& entry, Instant now);
  /// Our own verdict after a failed probe of the record as it was with `incarnation`.
  void suspect(const std::string& name, std::uint32_t incarnation, Instant now);

  /// Tells a member directly what we hold against it, so that it can refute at once; not too often.
  void accuse(Member& member, Instant now);
  /// Drops what is dead or left long enough.
  void reap(Instant now);

  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  /// Carries out what needs no record: ignoring, refusing, refuting. True if that was it.
  bool settled(const Judgement& judgement,
               const std::string& name,
               std::uint32_t incarnation,
               Instant now);
  void apply(Member* known, const wire::Alive& claim, Instant now);
  void create(const wire::Alive& claim, Instant now);
  void apply(Member& member, const wire::Suspect& claim, Instant now);
  void apply(Member& member, const wire::Dead& claim, Instant now);
  void confirm(Member& member, const wire::Suspect& claim, Instant now);
  void judge_suspect(const wire::Suspect& claim, bool trusted, bool ask, Instant now);
  void conflict(Member& member, const wire::Alive& claim, Instant now);
  void doubt(const wire::Dead& claim, Instant now);
  void suspicion_over(Member& member, Instant now);
  void set_deadline(Member& member, Instant at);
  void clear_suspicion(Member& member);
  [[nodiscard]] Verdict ask(const Claim& claim, const Member* known, Instant now) const;
  [[nodiscard]] Verdict ask(const wire::Dead& claim, const Member& known, Instant now) const;
  [[nodiscard]] bool admits(const wire::Suspect& claim, const Member& known, Instant now);

  Core& core_;
  OwnMember& own_;
  std::map<std::pair<Instant, std::uint64_t>, Member*> deadlines_;
};

}  // namespace wesher::gossip
