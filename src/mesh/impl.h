// The inside of Mesh: the parts of the folder around one gossip::Node. Private to mesh/.
//
// Every input runs `pump`, which takes the node's events until there are none, so that all facts
// are ready when the input returns. mesh.cpp has the public calls, events.cpp what events mean,
// contact.cpp whom to call and when.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gossip/node.h"
#include "mesh/foreign.h"
#include "mesh/herald.h"
#include "mesh/judge.h"
#include "mesh/mesh.h"
#include "mesh/reconnect.h"
#include "mesh/roster.h"
#include "mesh/seeds.h"
#include "mesh/seldom.h"

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
  [[nodiscard]] bool knows(std::string_view name) const override;

  // mesh.cpp
  void pump(const Moment& now);
  void leave(Duration max_wait, const Moment& now);
  void set_own_key(const PublicKey& key, const Moment& now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

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
  enum class Phase : std::uint8_t { idle, probing, announced, leaving, left };

  /// Push/pulls under way to one endpoint.
  struct Contact {
    bool probe = false;  ///< the first is read-only, from before we announced
    unsigned count = 0;  ///< 1, or 2 if a sign of life came while one was hanging
  };

  // mesh.cpp
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
  void announce(const Moment& now);
  void joined_through(const Endpoint& to, const Moment& now);
  void try_seeds(Instant now);
  void try_failed(const Moment& now);
  void try_absent(Instant now);
  void ping(const std::string& name, Instant now);
  void push_pull(const std::string& name, Call kind, Instant now);
  void watch_loneliness(Instant now);
  [[nodiscard]] std::vector<Endpoint> restored_to_ask();
  [[nodiscard]] bool seed_is_live() const;

  Config config_;
  Endpoint own_endpoint_;
  Rng rng_;
  Judge judge_;
  Roster roster_;
  Seeds seeds_;
  Reconnect reconnect_;
  Foreign foreign_;
  Herald herald_;
  Seldom conflicts_;
  Seldom refusals_;
  std::deque<Fact> facts_;
  gossip::Node node_;

  Phase phase_ = Phase::idle;
  std::map<Endpoint, Contact> contacts_;
  std::vector<Endpoint> answered_;  ///< probes that were answered before we announced
  std::optional<Instant> probe_deadline_;
  std::optional<Instant> confirm_deadline_;
  std::optional<Instant> leave_deadline_;
  std::optional<Instant> lonely_due_;  ///< set while nobody is live
  Backoff lonely_backoff_;
  std::string lonely_cursor_;
  std::uint64_t calls_ = 0;
  bool joined_ = false;
};

}  // namespace wesher::mesh
