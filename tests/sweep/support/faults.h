// Where the sweep's faults come from: every side effect of the program, on a file or on the kernel,
// asks here first. One counter counts them all, and at call number N one fault happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace wesher::test {

/// What kind of call asks, as far as faults differ.
enum class CallKind : std::uint8_t {
  open,
  create,
  read,
  write,
  truncate,
  reserve,
  sync,
  rename,
  remove,
  make_directory,
  look,
  change,
  lock,
  dump,  ///< the kernel is asked
  set,   ///< the kernel is changed
};

enum class FaultKind : std::uint8_t {
  none,
  kill,         ///< the process ends before the call; what it wrote stays
  kill_within,  ///< the process ends within a write: half of it is done
  power_cut,    ///< the host goes down before the call: what was not synced is lost
  power_empty,  ///< the same, but all names are there, as if a journal kept them: files are empty
  power_torn,   ///< the same, but of what was not synced some blocks and names are there
  refuse,       ///< the call fails with an errno
  refuse_on,    ///< so does every call of its kind from there on, until the process is restarted
  shorten,      ///< a read or write does half; a dump is interrupted
  delay,        ///< the call takes long
};

struct Fault {
  FaultKind kind = FaultKind::none;
  int os_errno = 0;

  /// "kill", "ENOSPC", "ENOSPC-on", …: as in the name of a run.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Fault parse(const std::string& text);
  [[nodiscard]] bool is_crash() const;
  [[nodiscard]] bool is_power_cut() const;

  friend bool operator==(const Fault&, const Fault&) = default;
};

/// Whether a call of that kind changes anything outside the process.
[[nodiscard]] bool has_effect(CallKind kind);
/// "write", "sync", …
[[nodiscard]] std::string to_text(CallKind kind);
/// The faults that a call of that kind is put to. A crash before a call without effect leaves what
/// a crash before the next one with an effect leaves, so those have none.
[[nodiscard]] std::vector<Fault> faults_of(CallKind kind);

/// What happens to a call.
struct Verdict {
  int os_errno = 0;    ///< not 0: the call fails with it and without effect
  bool halve = false;  ///< the call does half of it, …
  bool dies = false;   ///< … and is the last one
};

class Faults {
 public:
  /// From here on calls are counted from 1; at number `n` (0: never) the fault happens.
  void arm(const Fault& fault, std::size_t n);
  /// The process is over, whether it died or not; calls of the next one are counted no more, and
  /// nothing happens to them.
  void disarm();

  /// A call is about to be made; `what` says which, for people.
  [[nodiscard]] Verdict next(CallKind kind, const std::string& what);

  /// The process ends here.
  void die() { dead_ = true; }

  /// Whether the process has ended: nothing that it does has any effect.
  [[nodiscard]] bool dead() const { return dead_; }

  /// Whether call number `n` was reached.
  [[nodiscard]] bool reached() const { return reached_; }

  /// That call, in words.
  [[nodiscard]] const std::string& reached_what() const { return reached_what_; }

  /// All calls since `arm`.
  [[nodiscard]] const std::vector<CallKind>& calls() const { return calls_; }

  /// Called where a call takes long.
  std::function<void()> on_delay;

 private:
  Fault fault_;
  std::size_t n_ = 0;
  bool counting_ = false;
  bool dead_ = false;
  bool reached_ = false;
  CallKind reached_kind_ = CallKind::look;
  std::string reached_what_;
  std::vector<CallKind> calls_;
};

}  // namespace wesher::test
