// The rules of addresses and names, held against every event of the simulation of claims. They are
// said here once more, as plainly as can be: nothing of what is tested is used to judge it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "mesh/fact.h"
#include "tests/sim/support/claims_node.h"

namespace wesher::sim::claims {

class Watch {
 public:
  enum class Cause : std::uint8_t { start, conflict, look };

  /// What a node thought before it heard something.
  struct Before {
    bool known = false;
    bool live = false;
    MemberState state = MemberState::alive;
    IpAddress underlay;
    std::optional<SignedClaim> claim;
    std::string owner;  ///< of the address that is claimed, if that one is live
  };

  /// I-A2, I-A3, I-A4: what it is about to claim, or that there is nothing.
  void claims(const Node& node, const mesh::OwnClaim& claim, Cause cause, bool was_new, Moment now);
  /// I-A2: it goes on with the address that it had.
  static void keeps(const Node& node);
  /// I-A3: there is no address for it.
  static void waits(const Node& node);
  /// I-A2, I-T6: it gives its address up because of `other`.
  void moves(const Node& node, const Member& other, Moment now);
  /// It does not, though the other claim is the smaller one.
  void stays(const Node& node, const Member& other);

  [[nodiscard]] static Before before(const Node& node, const Said& said);
  /// I-T1, I-T2, I-F3: it believed what was said.
  static void heard(const Node& node, const Before& before, const Said& said, gossip::Proof proof);
  /// I-F1: a row that changed because of something else.
  static void changed(const Node& node,
                      const Member& before,
                      const Member& after,
                      const std::string& subject);
  /// I-F5: a row that is gone.
  static void forgotten(const Node& node, const Member& row);
  /// I-F3: one owner each. I-A4: of an address that it may have.
  static void owners(const Node& node);

  /// A node starts, or starts anew: the count of its moves begins again.
  void start(const Node& node) { lives_[&node] = {}; }

  /// Whether it stays against somebody in this life, having moved too often.
  [[nodiscard]] bool has_stayed(const Node& node) const;

  [[nodiscard]] unsigned moved() const { return moved_; }

 private:
  struct Life {
    std::map<std::string, std::deque<Instant>> moves;  ///< by accuser
    bool stayed = false;
  };

  std::map<const Node*, Life> lives_;
  unsigned moved_ = 0;
};

/// Whether a host can have the address: inside, and neither its first nor its last.
[[nodiscard]] bool is_usable(const IpAddress& address, const Prefix& net);
/// Whether others configure that name with the address: not with the network address, but where the
/// Go program gives it.
[[nodiscard]] bool is_acceptable(const std::string& name,
                                 const IpAddress& address,
                                 const Prefix& net);
/// All that can be had, in order.
[[nodiscard]] std::vector<IpAddress> usable_addresses(const Prefix& net);

}  // namespace wesher::sim::claims
