// Reconciling, step by step: facts into the database, desired state out of them, the smallest
// change of kernel and hosts file, its results back into the database. It owns the only connection
// that writes facts, and it is the only one that changes the data plane. No thread, no clock and no
// wait of its own: reconciler.h gives it those; tests drive it in virtual time.
//
// A member that comes, goes or moves costs one transaction, one message for its peer, one for its
// route, one write of the hosts file, and one transaction with the results, however many members
// there are. Everything is compared with the kernel at the start, on notice of a foreign change,
// for several changes at once, and every 30 s.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/error.h"
#include "daemon/identity.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "mesh/fact.h"
#include "model/member.h"
#include "plan/change.h"
#include "plan/desired.h"
#include "plan/drift.h"
#include "plan/first_sessions.h"
#include "plan/plan.h"
#include "plan/revival.h"
#include "store/database.h"
#include "store/paths.h"
#include "store/repository.h"
#include "system/data_plane.h"

namespace wesher::daemon {

inline constexpr std::chrono::seconds kFullPassEvery{30};       ///< peers have no notification
inline constexpr std::chrono::milliseconds kBurstWindow{100};   ///< least distance of two passes
inline constexpr std::chrono::milliseconds kRemovalDelay{100};  ///< removals wait for others
/// Least distance of two passes on notice while something is fought over.
inline constexpr std::chrono::seconds kFightWindow{1};
inline constexpr std::chrono::seconds kRequestPoll{1};     ///< PRAGMA data_version
inline constexpr std::chrono::minutes kAdoptFor{5};        ///< after a sync, adopt mode ends
inline constexpr std::chrono::seconds kReadyAfter{30};     ///< READY=1 even if the interface isn't
inline constexpr std::chrono::minutes kSaveTimeEvery{10};  ///< highest time seen, key file

enum class StopKind : std::uint8_t {
  keep,    ///< nothing is removed
  leave,   ///< the data plane is removed, the address stays reserved
  resign,  ///< `wesher leave`: removed, and the address is given back
};

/// Everything that reconciling owns. Made during start-up, on the main thread.
struct ReconcilerParts {
  store::Paths paths;
  Identity identity;
  plan::OwnNode own;
  store::SelfRow self;
  store::Database database;
  std::unique_ptr<system::DataPlane> data_plane;
  std::map<std::string, std::string> options{};  ///< effective ones, for a database made anew
  bool adopting = false;
  Duration adopt_for = kAdoptFor;
  /// Networks whose routes on the device are the Go program's: they are taken over.
  std::vector<Prefix> take_routes_in{};
};

/// What it asks of the gossip thread. Each is called on the reconcile thread and only posts.
struct ReconcilerCallbacks {
  std::function<void(std::uint32_t end)> incarnations_reserved{};
  std::function<void()> leave_requested{};
  std::function<void(PublicKey key)> key_changed{};  ///< to be announced from now on
  std::function<void(std::uint64_t end)> epochs_reserved{};
  std::function<void(std::optional<IpAddress> overlay)> claim_stored{};
  /// `wesher forget`, with its arguments as they are stored; `ReconcileCore::answer` ends it.
  std::function<void(std::int64_t request, std::string arguments)> forget_requested{};
  std::function<void(MetaFormat format)> format_stored{};
};

class ReconcileCore {
 public:
  using Clock = std::function<Moment()>;

  /// `log` and `notifier` outlive it.
  ReconcileCore(ReconcilerParts parts, Log& log, Notifier& notifier, Clock clock, Rng rng);
  ReconcileCore(const ReconcileCore&) = delete;
  ReconcileCore& operator=(const ReconcileCore&) = delete;

  void set_callbacks(ReconcilerCallbacks callbacks) { callbacks_ = std::move(callbacks); }

  /// Loads the members, stores own row and desired state, applies it. Errors are those that end a
  /// start; single objects that fail are only reported.
  [[nodiscard]] Result<void> first_pass();

  /// Whether the first pass got the stored members. Without them nobody would be wanted any more:
  /// nothing may be reconciled.
  [[nodiscard]] bool loaded() const { return loaded_; }

  [[nodiscard]] const std::map<std::string, Member>& members() const { return table_.members(); }

  [[nodiscard]] const plan::OwnNode& own() const { return table_.own(); }

  /// A fact from the mesh, and when it was heard.
  void take(const mesh::Fact& fact, WallTime at);
  /// The underlay address that is announced, for the own row.
  void announcing(std::string underlay);

  /// What keeps this host out of the mesh, for people; empty from when it is in.
  void kept_out(std::string why);
  /// The end of a request that was handed on.
  void answer(std::int64_t request, bool done, const std::string& text);

  /// From here on members' changes are not stored, and the own address stays.
  void freeze() { frozen_ = true; }

  /// Somebody may have changed what is ours.
  void noticed();
  /// Everything that is due now: requests, what waits to be stored, passes.
  void advance();
  /// When `advance` has something to do again, if nothing happens before.
  [[nodiscard]] Instant next_due() const;

  /// The last pass: removes what this kind of stop removes; `told` members heard our leave.
  void finish(StopKind kind, std::size_t told);

  /// Undoes a first pass that failed: removes the link if we made it.
  void abandon() { tear_down(); }

  [[nodiscard]] system::DataPlane& data_plane() { return *parts_.data_plane; }

 private:
  using Results = std::vector<Result<void>>;

  // reconcile_core.cpp: what comes in, and what is due
  void take_member(const mesh::MemberChanged& changed, WallTime at);
  void check_requests();
  void housekeeping(const Moment& moment);
  void check_clock(const Moment& moment);
  bool save_keys();
  void due_for_change(Instant soonest);
  void due_for_all(Instant at);

  // reconcile_own.cpp: the own address, numbers that are reserved
  void reserve_incarnations(std::uint32_t end);
  void reserve_epochs(std::uint64_t end);
  void take_claim(const mesh::OwnClaim& claim);
  void move_address(const std::optional<IpAddress>& before, const mesh::OwnClaim& claim);
  void take_format(const mesh::SpeakFormat& wanted);
  void save_what_waits();

  // reconcile_pass.cpp: passes
  void store_changes();
  void check_database();
  void change_pass();
  [[nodiscard]] std::optional<std::vector<plan::Action>> single_change(bool removing);
  Result<void> full_pass();
  Result<void> name_taken(const Observed& observed);
  [[nodiscard]] bool start_removals(Instant at);
  void tear_down();

  // reconcile_revive.cpp: sessions with members of the Go program
  void note_legacy(const Member& member, const std::optional<Member>& before);
  void forget_legacy(const std::string& name);
  void disturb_legacy();
  void revive();
  void renew_sessions(const std::vector<ObservedPeer>& peers, const std::string& reason);

  // reconcile_sessions.cpp: sessions with members that are new
  void begin_sessions(const std::vector<plan::Action>& actions, const Results& results);
  void begin_late_sessions();

  // reconcile_report.cpp: results
  void settle(const std::vector<plan::Action>& actions, const Results& results, bool complete);
  void settle_own(const std::vector<plan::Action>& actions, const Results& results);
  [[nodiscard]] store::AppliedObject note_result(const plan::Action& action,
                                                 const Result<void>& result,
                                                 const Moment& moment);
  void note_drift(const plan::Action& action, bool repaired, const Moment& moment);
  [[nodiscard]] bool is_drift(const plan::Action& action) const;
  void hold_back_fights(std::vector<plan::Action>& actions, Instant at);
  void note_lost_link(const std::vector<plan::Action>& actions);
  void end_fights(Instant at);
  void note_hosts(const ObservedHosts& hosts);
  void note_ready(const Observed& before,
                  const std::vector<plan::Action>& actions,
                  const Results& results);
  [[nodiscard]] std::string status_line() const;

  ReconcilerParts parts_;
  Log& log_;
  Notifier& notifier_;
  Clock clock_;
  Rng rng_;
  ReconcilerCallbacks callbacks_;
  Journal journal_;
  plan::DesiredTable table_;

  std::set<std::string> legacy_;  ///< members of the Go program that are there
  plan::Revival revival_;
  plan::FirstSessions first_sessions_;
  plan::RowChanges pending_;          ///< rows whose additions are still to be made
  std::vector<DesiredPeer> leaving_;  ///< rows that were: their peers and routes are to go
  Instant removal_due_;
  plan::Touched touched_;     ///< what this pass changes because desired state changed
  bool expect_all_ = true;    ///< differences that the next full pass finds are no drift
  bool in_order_ = false;     ///< the last pass left nothing to do
  bool link_made_ = false;    ///< this pass: all on the link is new because the link is
  bool link_raised_ = false;  ///< this pass: routes and addresses went when the link went down
  std::optional<Instant> noticed_;  ///< first notice since the last full pass

  std::map<std::string, std::uint32_t> failing_;  ///< object → failures in a row
  std::uint64_t reported_generation_ = 0;
  plan::DriftBook drift_;
  std::map<std::string, store::DriftRow> drift_rows_;

  Backoff retry_{std::chrono::seconds{1}, kFullPassEvery};
  Backoff store_retry_{std::chrono::seconds{1}, kFullPassEvery};
  std::optional<Instant> change_due_;
  Instant full_due_;
  Instant last_pass_;
  Instant next_request_look_;
  Instant next_save_;
  std::optional<Instant> ready_at_latest_;
  std::optional<Instant> adopt_until_;
  std::int64_t data_version_ = -1;
  std::optional<std::int64_t> leave_request_;
  std::string hosts_problem_;  ///< why names are off, as last said
  bool loaded_ = false;
  // What could not be written into the key file, and is tried again.
  bool unsaved_incarnations_ = false;
  bool unsaved_epochs_ = false;
  std::optional<mesh::OwnClaim> unsaved_claim_;
  std::optional<mesh::SpeakFormat> unsaved_format_;
  bool interface_ready_ = false;
  bool frozen_ = false;
};

}  // namespace wesher::daemon
