// One node of the simulation of claims: the real table of members, the real rules of addresses and
// names (src/mesh: Roster, Judge, judge_alive, AddressRules), and around them what Mesh does with
// what they say, without gossip, bytes and signatures.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gossip/event.h"
#include "mesh/address_rules.h"
#include "mesh/evidence.h"
#include "mesh/judge.h"
#include "mesh/roster.h"

namespace wesher::sim::claims {

/// What somebody says of a name: one version of its record.
struct Said {
  std::string name;
  std::uint8_t place = 0;  ///< 192.0.2.`place`
  std::uint32_t incarnation = 0;
  NodeMeta meta;                     ///< unspecified address: it has none
  std::optional<SignedClaim> claim;  ///< nothing: unsigned

  [[nodiscard]] bool has_address() const { return !meta.overlay.is_unspecified(); }
};

/// What survives a restart.
struct Disk {
  IdentityKey identity;
  PublicKey key;
  IpAddress overlay;
  WallTime claimed{};
  bool claim_is_new = true;
  std::uint64_t epoch = 0;
  WallTime in_contact{};               ///< when others were heard last
  std::map<std::string, Member> rows;  ///< the database
};

/// How a node is set up.
struct Setup {
  std::string name;
  std::uint8_t place = 0;
  Prefix net;
  std::optional<IpAddress> fixed;
  std::vector<IpAddress> host_addresses;
};

inline constexpr Duration kRetention = std::chrono::hours{72};
inline constexpr Duration kTakeover = std::chrono::seconds{60};

[[nodiscard]] inline IpAddress underlay_of(std::uint8_t place) {
  return IpAddress::v4(192, 0, 2, place);
}

class Watch;

class Node {
 public:
  enum class Phase : std::uint8_t { probing, waiting, announced };

  /// Starts from the disk. `disk` and `watch` outlive it.
  Node(const Setup& setup, Disk& disk, Watch& watch, const Moment& now);

  // --- before it is announced ---
  void own_name_heard(const Member& row);
  void reserved(const wire::Reservation& reservation);
  /// All answers are there.
  void answered(const Moment& now);

  // --- what happens ---
  /// Whether it asks the one at that address whether it is so.
  [[nodiscard]] bool hear(const Said& said, gossip::Proof proof, const Moment& now);
  /// A member answered a probe.
  void acked(const std::string& name, const Moment& now);
  void lost(const std::string& name, const Moment& now);
  void goodbye(const std::string& name, const Moment& now);
  void tick(const Moment& now);
  /// What is to be stored is stored.
  void store(const Moment& now);

  /// Its last record says that it gives its address back.
  void leave_for_good() { for_good_ = true; }

  // --- what it says ---
  [[nodiscard]] Said record() const;

  /// Its record is to be announced anew.
  [[nodiscard]] bool take_news() { return std::exchange(news_, false); }

  /// Who is to hear of our claim at once.
  [[nodiscard]] std::vector<std::string> take_reminders() { return std::exchange(reminders_, {}); }

  [[nodiscard]] Phase phase() const { return phase_; }

  [[nodiscard]] bool announced() const { return phase_ == Phase::announced; }

  /// It was not announced after its first questions.
  [[nodiscard]] bool asks_again() const { return asks_again_; }

  /// Another node has its name.
  [[nodiscard]] bool name_is_taken() const { return namesake_; }

  [[nodiscard]] bool storing() const { return pending_.has_value(); }

  [[nodiscard]] const mesh::Roster& roster() const { return roster_; }

  [[nodiscard]] const mesh::AddressRules& rules() const { return rules_; }

  [[nodiscard]] const Setup& setup() const { return setup_; }

  [[nodiscard]] const Disk& disk() const { return disk_; }

  [[nodiscard]] mesh::AddressRules::Holding holding() const {
    return {disk_.overlay, disk_.claimed, underlay_of(setup_.place)};
  }

  /// How many times a row of its database changed.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// What it was told to keep for others, by name.
  [[nodiscard]] const std::map<std::string, IpAddress>& kept() const { return kept_; }

  [[nodiscard]] const std::optional<IpAddress>& inherited() const { return inherited_; }

 private:
  void restore(const Moment& now);
  void announce(const Moment& now);
  void contest(const Member& other, const Moment& now);
  void store_later(mesh::OwnClaim claim);
  void renew();
  void rejudge(const IpAddress& overlay);
  void see(const std::string& name, MemberState state, const Moment& now);
  void collect(const std::string& subject, bool ours_changed = false);
  void retry_later(Duration pause, const Moment& now);

  Setup setup_;
  Disk& disk_;
  Watch& watch_;
  mesh::Judge judge_;
  mesh::Roster roster_;
  mesh::AddressRules rules_;
  Phase phase_ = Phase::probing;
  bool was_new_;
  bool asks_again_ = false;
  bool namesake_ = false;
  bool for_good_ = false;
  bool news_ = false;
  std::optional<mesh::OwnClaim> pending_;
  std::optional<Instant> retry_due_;
  std::optional<Instant> confirm_due_;
  std::optional<IpAddress> inherited_;  ///< what the rules were told, for the watch
  std::map<std::string, IpAddress> kept_;
  std::vector<std::string> reminders_;
  std::uint64_t changes_ = 0;
};

}  // namespace wesher::sim::claims
