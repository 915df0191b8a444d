// The reconcile loop: the only writer of the database, the kernel and the hosts file, on a thread
// of its own. It takes facts from the gossip thread, stores them, derives what should be, compares
// with what is, applies the difference and reports it. It wakes on facts, on notice of a foreign
// change, on operators' requests, and every 30 s.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "base/backoff.h"
#include "base/error.h"
#include "daemon/identity.h"
#include "daemon/inbox.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "mesh/fact.h"
#include "model/member.h"
#include "plan/desired.h"
#include "plan/plan.h"
#include "store/database.h"
#include "store/key_file.h"
#include "store/paths.h"
#include "store/repository.h"
#include "system/data_plane.h"

namespace wesher::daemon {

inline constexpr std::chrono::seconds kFullPassEvery{30};      ///< peers have no notification
inline constexpr std::chrono::milliseconds kBurstWindow{100};  ///< least distance of two passes
inline constexpr std::chrono::seconds kRequestPoll{1};         ///< PRAGMA data_version
inline constexpr std::chrono::minutes kAdoptFor{5};            ///< after a sync, adopt mode ends
inline constexpr std::chrono::seconds kReadyAfter{30};     ///< READY=1 even if the interface isn't
inline constexpr std::chrono::minutes kSaveTimeEvery{10};  ///< highest time seen, key file

enum class StopKind : std::uint8_t {
  keep,    ///< nothing is removed
  leave,   ///< the data plane is removed, the address stays reserved
  resign,  ///< `wesher leave`: removed, and the address is given back
};

/// Everything the loop owns. Made during start-up, on the main thread.
struct ReconcilerParts {
  store::Paths paths;
  Identity identity;
  plan::OwnNode own;
  store::SelfRow self;
  store::Database database;
  std::unique_ptr<system::DataPlane> data_plane;
  bool adopting = false;
  Duration adopt_for = kAdoptFor;
};

/// What it asks of the gossip thread. Called on the reconcile thread; each only posts.
struct ReconcilerCallbacks {
  std::function<void(std::uint32_t end)> incarnations_reserved;
  std::function<void()> leave_requested;
};

class Reconciler {
 public:
  /// `log` and `notifier` outlive it.
  Reconciler(ReconcilerParts parts, Log& log, Notifier& notifier);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  /// Loads the members, stores own row and desired state, applies it. On the main thread, before
  /// `run`. Errors are those that end a start; single objects that fail are only reported.
  [[nodiscard]] Result<void> first_pass();

  [[nodiscard]] const std::map<std::string, Member>& members() const { return members_; }

  [[nodiscard]] const plan::OwnNode& own() const { return parts_.own; }

  /// Undoes a first pass that failed: removes the link if we made it. Before `run` only.
  void abandon() { tear_down(); }

  /// Starts the thread.
  void run(ReconcilerCallbacks callbacks);

  /// Any thread: a fact from the mesh.
  void push(mesh::Fact fact, WallTime at) { inbox_.push(Input{std::move(fact), at}); }

  /// Any thread: the underlay address that is announced, for the own row.
  void announcing(std::string underlay) { inbox_.push(Input{Underlay{std::move(underlay)}, {}}); }

  /// Any thread, once: from here on members' changes are not stored (a cluster that stops as a
  /// whole must find itself again).
  void freeze();
  /// Ends the thread after a last pass of this kind; `told` members heard our leave. Blocks.
  void stop(StopKind kind, std::size_t told);

 private:
  struct Freeze {};

  struct Underlay {
    std::string address;
  };

  struct Stop {
    StopKind kind = StopKind::keep;
    std::size_t told = 0;
  };

  struct Input {
    std::variant<mesh::Fact, Freeze, Underlay, Stop> what;
    WallTime at{};
  };

  // reconciler.cpp: the loop and its wake-ups
  void loop();
  void wait();
  [[nodiscard]] int wait_ms() const;
  void take_input();
  void take_fact(const mesh::Fact& fact, WallTime at);
  void check_requests();
  void housekeeping();
  void finish(const Stop& stop);

  // reconciler_pass.cpp: one pass
  void write_batch();
  void check_database();
  void derive_desired();
  Result<void> pass();
  void report(const plan::Plan& plan, const std::vector<Result<void>>& results);
  void note_hosts(const ObservedHosts& hosts);
  void note_ready(const Observed& before,
                  const plan::Plan& plan,
                  const std::vector<Result<void>>& results);
  void tear_down();
  [[nodiscard]] std::string status_line() const;

  ReconcilerParts parts_;
  Log& log_;
  Notifier& notifier_;
  ReconcilerCallbacks callbacks_;
  Inbox<Input> inbox_;
  std::thread thread_;

  store::Repository repository_;
  std::map<std::string, Member> members_;  ///< the member table of the database
  std::vector<Member> member_list_;        ///< the same as a list, as of the last derivation
  store::Batch batch_;
  Desired desired_;
  std::map<std::string, std::uint32_t> failing_;  ///< object → failures in a row
  std::uint64_t reported_generation_ = 0;

  Rng rng_;
  Backoff retry_{std::chrono::seconds{1}, kFullPassEvery};
  std::optional<Instant> pass_due_;
  Instant last_pass_;
  Instant next_save_;
  std::optional<Instant> ready_at_latest_;
  std::optional<Instant> adopt_until_;
  std::int64_t data_version_ = -1;
  std::optional<std::int64_t> leave_request_;
  std::string hosts_problem_;  ///< why names are off, as last said
  bool interface_ready_ = false;
  bool frozen_ = false;
  std::optional<Stop> stop_;
};

}  // namespace wesher::daemon
