// One host of the sweep: disk, kernel, clock, what the mesh says, and a daemon that runs on it, is
// killed, and started again. The daemon is the real one from start_up on, without gossip: facts are
// told to it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/reconcile_core.h"
#include "daemon/startup.h"
#include "model/member.h"
#include "tests/sweep/support/disk.h"
#include "tests/sweep/support/faults.h"
#include "tests/sweep/support/kernel.h"

namespace wesher::test {

inline constexpr const char* kInterface = "wgtest";

/// Member n of the mesh: key n, 192.0.2.n:51820, 10.0.0.n.
[[nodiscard]] Member member(std::uint8_t n);

class World {
 public:
  /// On the files below `root` and in the kernel as given; nothing runs yet.
  World(const std::string& root, KernelState kernel, Faults& faults);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Faults& faults;
  Disk disk;
  Kernel kernel;
  daemon::Options options;
  std::map<std::string, Member> mesh;  ///< what the mesh says, by name

  // Each step does nothing when no daemon runs, so that a script goes on to its end when it dies.

  /// Starts the daemon; whether it runs then.
  bool start();
  /// The mesh says something new of a member.
  void say(const Member& member, const std::string& why);
  void forget(const std::string& name);
  /// A push/pull with a member succeeded.
  void synced();
  void reserve_incarnations(std::uint32_t end);
  /// Somebody changed something that the kernel gives notice of.
  void notice();
  /// A command asks the daemon for something.
  void ask(const std::string& request);
  /// The daemon works through what is due for so long.
  void run(Duration duration);
  void stop(daemon::StopKind kind);

  /// Everything that the mesh says, as after a start.
  void say_all();
  /// The process ends here, as `faults` has it; the host too if its power is cut.
  void crash(const Fault& fault, std::uint64_t seed);

  [[nodiscard]] bool running() const { return core_ != nullptr && !faults.dead(); }

  /// The wall clock is set.
  void set_clock(Duration step) { wall_step_ += step; }

  /// What the first refused start said.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

  /// What went back that never may: keys, address, incarnations, since the daemon used them first.
  [[nodiscard]] const std::vector<std::string>& lost() const { return lost_; }

  /// The daemon may change its own key or address from here on.
  bool own_key_may_change = false;
  bool own_address_may_change = false;

  /// All that must be the same in the end, as text: kernel, hosts file, database, names of files.
  [[nodiscard]] std::string summary();

  [[nodiscard]] std::string hosts_path() const { return root_ + "/etc/hosts"; }

  [[nodiscard]] std::string state_path(const std::string& name) const {
    return root_ + "/state/" + name;
  }

 private:
  [[nodiscard]] Moment now() const;
  void tell(const mesh::Fact& fact);

  [[nodiscard]] std::string database_text() const;

  /// What others know of this node: it must not change behind their backs.
  struct Witnessed {
    std::string id;
    std::string ring;
    PublicKey key;
    std::optional<IpAddress> overlay;
    std::uint32_t incarnation_first = 0;
    std::uint32_t incarnation_end = 0;  ///< up to here they may be used
    std::uint64_t epoch_first = 0;
    std::uint64_t epoch_end = 0;  ///< likewise
  };

  [[nodiscard]] static Witnessed witnessed_by_others(const daemon::Identity& identity);
  void witness(const Witnessed& is);

  std::string root_;
  Instant at_;
  Duration wall_step_{};
  daemon::Log log_{daemon::LogLevel::error};
  daemon::Notifier notifier_;
  std::optional<store::Lock> lock_;
  std::unique_ptr<daemon::ReconcileCore> core_;
  std::string refusal_;
  std::optional<Witnessed> witnessed_;
  std::vector<std::string> lost_;
  std::uint64_t rng_number_ = 1;
};

}  // namespace wesher::test
