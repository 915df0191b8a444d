// The rules by which a record meets a claim: record × claim → what is to be done. memberlist
// state.go (aliveNode, suspectNode, deadNode) of v0.6.0, plus: evidence on a record that is
// already down raises its incarnation, so that a stale alive can't bring it back. Pure functions
// without any state, so that a test can walk the whole table.
#pragma once

#include <cstdint>

#include "gossip/claim_check.h"
#include "gossip/event.h"
#include "wire/messages.h"

namespace wesher::gossip {

/// Whom a claim is about.
enum class Subject : std::uint8_t {
  other,
  self,
  self_gone,  ///< ourselves, after our leave (or while an address move tells of it)
};

enum class Action : std::uint8_t {
  refuse,    ///< a bound is broken; Judgement::fault tells which
  ignore,    ///< nothing changes, nothing is relayed
  stale,     ///< an alive that what is known overrules
  differs,   ///< an alive of the known number with other metadata: one of the two is out of date
  raise,     ///< evidence on a record that is down: only its incarnation grows; not relayed
  confirm,   ///< a further accusation of a suspected member; may raise its incarnation
  conflict,  ///< a known name from another address
  refute,    ///< about us and wrong
  create,    ///< a new name
  alive,     ///< the record becomes or stays alive with the claim's content
  suspect,   ///< the record becomes suspect
  dead,      ///< the record becomes dead
  left,      ///< the record becomes left
};

struct Judgement {
  Action action = Action::ignore;
  ClaimFault fault = ClaimFault::none;

  friend bool operator==(const Judgement&, const Judgement&) = default;
};

/// `known` is null for a name that is not in the table.
[[nodiscard]] Judgement judge(const Record* known,
                              const wire::AliveView& claim,
                              Subject subject,
                              bool allow_loopback);
/// A claim about a record from inside (a failed probe) is judged by the same rules, but its
/// incarnation is the record's own and not bounded: `trusted`.
[[nodiscard]] Judgement judge(const Record* known,
                              const wire::Suspect& claim,
                              Subject subject,
                              bool trusted = false);
[[nodiscard]] Judgement judge(const Record* known,
                              const wire::Dead& claim,
                              Subject subject,
                              bool trusted = false);

}  // namespace wesher::gossip
