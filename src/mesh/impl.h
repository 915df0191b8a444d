// The inside of Mesh: the parts of the folder around one gossip::Node. Private to mesh/.
//
// Every input runs `pump`, which takes the node's events until there are none, so that all facts
// are ready when the input returns. mesh.cpp has the public calls, events.cpp what events mean,
// contact.cpp whom to call and when, names.cpp whose a name is, own_address.cpp our claim of an
// overlay address, as address_rules.h decides, own_format.cpp the form of what we announce,
// forgetting.cpp members that are said to be gone, copies.cpp others under our identity.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/poll_queue.h"
#include "gossip/node.h"
#include "mesh/address_rules.h"
#include "mesh/evidence.h"
#include "mesh/foreign.h"
#include "mesh/herald.h"
#include "mesh/judge.h"
#include "mesh/mesh.h"
#include "mesh/own_record.h"
#include "mesh/reconnect.h"
#include "mesh/roster.h"
#include "mesh/seeds.h"
#include "mesh/seldom.h"
#include "mesh/spoken_format.h"
#include "mesh/statements.h"

namespace wesher::mesh {

class Mesh::Impl final : public gossip::Admission {
 public:
  Impl(Config config, wire::Keyring keyring, Rng rng, std::vector<Member> restored, Moment now);
  ~Impl() override = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] gossip::Verdict admit(const gossip::Claim& claim,
                                      const gossip::Record* known,
                                      Instant now) override;
  [[nodiscard]] bool may_move(const gossip::Claim& claim,
                              const gossip::Record& known,
                              Instant now) override;
  void own_name_heard(const gossip::Claim& claim, Instant now) override;
  [[nodiscard]] Bytes user_state(bool newcomer) const override;

  [[nodiscard]] std::uint64_t user_state_digest() const override { return statements_.digest(); }

  void user_state_heard(ByteView state) override;
  [[nodiscard]] bool knows(std::string_view name) const override;

  static constexpr Duration kContestEvery = std::chrono::seconds{10};
  static constexpr std::size_t kAskBackMax = 64;  ///< in one input
  /// A restored member that was not heard of for this long after we announced, or since we wait to,
  /// has failed: the shortest suspicion of a small cluster (suspicion_mult 6 × probe_interval 5 s).
  static constexpr Duration kConfirmWithin = std::chrono::seconds{30};

  // mesh.cpp
  void pump(const Moment& now);
  void leave(Duration max_wait, bool for_good, const Moment& now);
  void set_own_key(const PublicKey& key, const Moment& now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // forgetting.cpp
  [[nodiscard]] Result<std::string> forget(std::string_view name, const Moment& now);
  std::vector<std::string> forget_failed_older(Duration age, const Moment& now);

  // own_address.cpp
  void epochs_reserved(std::uint64_t end, const Moment& now);
  void claim_stored(const std::optional<IpAddress>& overlay, const Moment& now);
  void set_underlay(Bytes underlay, const Moment& now);

  // own_format.cpp
  void format_stored(MetaFormat format, const Moment& now);

  // contact.cpp
  void set_seeds(const std::vector<Endpoint>& seeds, const Moment& now);
  void start(Duration probe_max, const Moment& now);
  void run_timers(const Moment& now);

  gossip::Node& node() { return node_; }

  [[nodiscard]] const gossip::Node& node() const { return node_; }

  [[nodiscard]] const Roster& roster() const { return roster_; }

  [[nodiscard]] bool announced() const { return phase_ == Phase::announced; }

  [[nodiscard]] std::optional<Fact> next_fact();

 private:
  enum class Phase : std::uint8_t {
    idle,
    probing,
    waiting,  ///< out of the mesh: for the disk, for an address, or for our name
    announced,
    leaving,
    left,
  };

  /// Push/pulls under way to one endpoint.
  struct Contact {
    bool probe = false;   ///< the first is read-only, from before we announced
    bool urgent = false;  ///< one of them follows a sign of life
    unsigned count = 0;   ///< 1, or 2 if a sign of life came while one was hanging
  };

  /// Somebody else who has our name.
  struct Namesake {
    Endpoint at;
    std::optional<IdentityKey> identity;
    std::string overlay;
  };

  /// What a record that was believed says, until its event is handled.
  struct Checked {
    Bytes meta;
    std::optional<SignedClaim> record;
  };

  // names.cpp
  [[nodiscard]] bool believes(const gossip::Claim& claim, Instant now);
  [[nodiscard]] Belief judge_claim(const gossip::Claim& claim,
                                   const SignatureCheck& signature,
                                   Instant now) const;
  void refuse(const gossip::Claim& claim, const Belief& belief, Instant now);
  void ask_back(const Moment& now);
  [[nodiscard]] std::optional<SignedClaim> signature_of(const gossip::Record& record) const;
  void tell_of_predecessor();
  [[nodiscard]] bool name_is_taken(const Moment& now);
  void keep_form(const Moment& now);

  // forgetting.cpp
  [[nodiscard]] std::set<IdentityKey> identities() const;
  void hear_statements(const std::vector<wire::Statement>& statements);
  bool take_statements(const Moment& now);
  void forget_if_said(const std::string& name, const Moment& now);
  void tell_statements(const Moment& now);

  // copies.cpp
  void watch_for_copies(const gossip::Claim& claim, const SignatureCheck& signature, Instant now);
  [[nodiscard]] bool is_copy(const SignedClaim& record, const Endpoint& at) const;
  void copy_found(std::string_view name, const Endpoint& at, std::uint64_t instance);
  void copy_answered(const Endpoint& at);
  void ask_copies(const Moment& now);
  [[nodiscard]] bool waits_for_copies(const Moment& now);

  // own_address.cpp
  void prepare_address(const Moment& now);
  void contest(const Member& other, const Moment& now);
  void move_away(const Member& holder, const Moment& now);
  void store_claim(OwnClaim claim);
  [[nodiscard]] AddressRules::Holding holding() const;
  void try_address(const Moment& now);
  void wait_for_address(const Moment& now);
  void retry_later(Duration pause, const Moment& now);
  void rejudge(const IpAddress& address);
  void renew_record(const Moment& now);
  void say_for_good(const Moment& now);
  void want_epochs(const Moment& now);
  [[nodiscard]] bool any_legacy_live() const;

  // own_format.cpp
  void prepare_format(const Moment& now);
  void try_format(const Moment& now);
  void speak(MetaFormat format);

  // mesh.cpp
  [[nodiscard]] bool is_outdated(const gossip::Claim& claim) const;
  void restore(const std::vector<Member>& restored, const Moment& now);
  void leave_done(std::size_t told);

  // events.cpp
  void on(const gossip::Joined& event, const Moment& now);
  void on(const gossip::Updated& event, const Moment& now);
  void on(const gossip::Suspicion& event, const Moment& now);
  void on(const gossip::Failed& event, const Moment& now);
  void on(const gossip::Left& event, const Moment& now);
  void on(const gossip::Reaped& event, const Moment& now);
  void on(const gossip::Evicted& event, const Moment& now);
  void on(const gossip::NameConflict& event, const Moment& now);
  [[nodiscard]] std::string when_free(const std::string& name, Instant now) const;
  void on(const gossip::ContactResult& event, const Moment& now);
  void on(const gossip::Acked& event, const Moment& now);
  void on(const gossip::Undecryptable& event, const Moment& now);
  void on(const gossip::Refused& event, const Moment& now);
  void on(const gossip::Refuted& event, const Moment& now);
  void on(const gossip::NeedIncarnations& event, const Moment& now);
  void on(const gossip::LeaveSpread& event, const Moment& now);
  void see(const gossip::Record& record, MemberState state, const Moment& now);
  void tell(const Member& after,
            const std::optional<Member>& before,
            bool confirmed_only,
            const std::string& why,
            Duration was_for,
            const Moment& now);
  void collect(const Moment& now);
  void look_for(const std::string& name, Instant now);

  // contact.cpp
  enum class Call : std::uint8_t { probe, join, urgent_join };
  void contact(const Endpoint& to, Call kind, Instant now);
  void probe(Duration max, const Moment& now);
  void announce(const Moment& now);
  void announced(const Moment& now);
  void joined_through(const Endpoint& to, const Moment& now);
  void try_seeds(Instant now);
  void try_failed(const Moment& now);
  void try_absent(Instant now);
  void try_gone(Instant now);
  void ping(const std::string& name, Instant now);
  void push_pull(const std::string& name, Call kind, Instant now);
  void ask_returned(const Member& member, Instant now);
  void watch_loneliness(Instant now);
  [[nodiscard]] std::vector<Endpoint> restored_to_ask();
  [[nodiscard]] bool seed_is_live() const;

  Config config_;
  Endpoint own_endpoint_;
  Rng rng_;
  OwnRecord own_;
  SpokenFormat spoken_;
  Judge judge_;
  Roster roster_;
  AddressRules rules_;
  Seeds seeds_;
  Reconnect reconnect_;
  Foreign foreign_;
  Herald herald_;
  Seldom conflicts_;
  Seldom refusals_;
  Seldom contested_;  ///< members that were told of our claim
  Seldom returns_;    ///< members that left and are said to be back
  PollQueue<Fact> facts_;
  gossip::Node node_;

  Phase phase_ = Phase::idle;
  std::map<Endpoint, Contact> contacts_;
  std::vector<Endpoint> answered_;  ///< probes that were answered before we announced
  std::optional<Instant> probe_deadline_;
  std::optional<Instant> confirm_deadline_;
  std::optional<Instant> leave_deadline_;
  std::optional<Instant> retry_due_;  ///< while we wait: to ask again
  std::map<std::string, Checked, std::less<>> checked_;
  std::set<Endpoint> ask_back_;          ///< who is to confirm what was said of it
  std::optional<Namesake> namesake_;     ///< seen since the last questions
  std::optional<Endpoint> predecessor_;  ///< had our name under another identity, and is silent
  std::optional<Bytes> known_form_;      ///< other bytes in which members have our underlay address
  std::optional<OwnClaim> pending_;      ///< being stored
  std::optional<MetaFormat> format_pending_;  ///< being stored
  bool unheard_;                              ///< nobody has heard of us, as far as we know
  bool record_pending_ = false;               ///< to be announced when an epoch is there
  std::set<Endpoint> copies_;                 ///< said to have our identity, to be asked
  std::set<Endpoint> copies_asked_;           ///< before we announce
  std::optional<Instant> copies_due_;
  bool copy_found_ = false;
  Statements statements_;
  std::vector<wire::Statement> heard_statements_;  ///< by the input at hand
  bool statements_to_tell_ = false;
  std::optional<Instant> lonely_due_;  ///< set while nobody is live
  Backoff lonely_backoff_;
  std::string lonely_cursor_;
  std::optional<Instant> gone_due_;  ///< set while somebody is gone
  std::string gone_cursor_;
  std::uint64_t calls_ = 0;
  bool joined_ = false;
};

}  // namespace wesher::mesh
