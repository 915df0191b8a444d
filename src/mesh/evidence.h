// Whether what is claimed about a name is believed, by what is known of that name: the rule that
// adding is cheap and replacing needs proof. Trust on first use: the identity that signed a name's
// first record holds the name until it leaves, is forgotten, or is silent for long enough. Pure
// functions without any state, so that a test can walk the whole table.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "gossip/event.h"
#include "model/member.h"

namespace wesher::mesh {

/// What stands behind the metadata of a claim.
struct SignatureCheck {
  /// The verified record; nothing: there is none, as with the Go program.
  std::optional<SignedClaim> record;
  /// Why a record that is there is not valid; empty: it is, or there is none.
  std::string fault;
};

/// Reads and verifies the signed record behind the metadata of an alive claim.
[[nodiscard]] SignatureCheck check_signature(const gossip::Claim& claim);

/// The name as we know it, when a claim about it comes.
struct Holder {
  const Member* member = nullptr;  ///< null: the name is unknown
  bool live = false;               ///< alive or suspect, as far as we know
  Duration since{};                ///< how long it is in its state
};

/// What becomes of an alive claim.
struct Belief {
  bool accept = false;
  /// It would be believed if the one at its address confirmed it when asked.
  bool ask = false;
  std::string reason;  ///< why not, one clause; with `accept`: that the identity changed, or empty
};

/// `takeover_after`: how long a holder must be silent before another identity gets its name from
/// another address; nothing: never.
[[nodiscard]] Belief judge_alive(const Holder& holder,
                                 const gossip::Claim& claim,
                                 const SignatureCheck& signature,
                                 std::optional<Duration> takeover_after);

}  // namespace wesher::mesh
