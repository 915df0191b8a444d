// The reconcile loop: reconcile_core.h on a thread of its own, with a clock, a queue of facts from
// the gossip thread, and notice of changes that others make. The gossip thread never waits for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "daemon/inbox.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/reconcile_core.h"
#include "mesh/fact.h"

namespace wesher::daemon {

class Reconciler {
 public:
  /// `log` and `notifier` outlive it.
  Reconciler(ReconcilerParts parts, Log& log, Notifier& notifier);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  /// ReconcileCore::first_pass. On the main thread, before `run`.
  [[nodiscard]] Result<void> first_pass() { return core_.first_pass(); }

  /// Before `run` only.
  [[nodiscard]] const std::map<std::string, Member>& members() const { return core_.members(); }

  /// ReconcileCore::loaded. Before `run` only.
  [[nodiscard]] bool loaded() const { return core_.loaded(); }

  /// Undoes a first pass that failed. Before `run` only.
  void abandon() { core_.abandon(); }

  /// Starts the thread.
  void run(ReconcilerCallbacks callbacks);

  /// Any thread: a fact from the mesh.
  void push(mesh::Fact fact, WallTime at) { inbox_.push(Input{std::move(fact), at}); }

  /// Any thread: the underlay address that is announced, for the own row.
  void announcing(std::string underlay) { inbox_.push(Input{Underlay{std::move(underlay)}, {}}); }

  /// Any thread: what keeps this host out of the mesh; empty from when it is in.
  void kept_out(std::string why) { inbox_.push(Input{KeptOut{std::move(why)}, {}}); }

  /// Any thread: the end of a request that was handed on.
  void answer(std::int64_t request, bool done, std::string text) {
    inbox_.push(Input{Answer{request, done, std::move(text)}, {}});
  }

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

  struct KeptOut {
    std::string why;
  };

  struct Answer {
    std::int64_t request = 0;
    bool done = false;
    std::string text;
  };

  struct Stop {
    StopKind kind = StopKind::keep;
    std::size_t told = 0;
  };

  struct Input {
    std::variant<mesh::Fact, Freeze, Underlay, KeptOut, Answer, Stop> what;
    WallTime at{};
  };

  void loop();
  void wait();
  void take_input();

  ReconcileCore core_;
  Inbox<Input> inbox_;
  std::thread thread_;
  std::optional<Stop> stop_;
};

}  // namespace wesher::daemon
