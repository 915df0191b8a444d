// Child processes inside given namespaces, their output captured in files. Used from the single
// thread of a scenario.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace wesher::netns {

/// Where a scenario keeps its files: on a tmpfs of its own, so that it leaves nothing behind.
inline constexpr const char* kRigDirectory = "/run/rig";

/// Descriptors of /proc/PID/ns/*; -1 = the one of the caller. They keep the namespaces alive.
struct Namespaces {
  int mnt = -1;
  int net = -1;
  int uts = -1;
};

struct SpawnOptions {
  Namespaces namespaces;
  std::string out;                       ///< file for stdout (appended); empty: /dev/null
  std::string err;                       ///< file for stderr (appended); empty: /dev/null
  std::string in;                        ///< file for stdin; empty: /dev/null
  std::vector<std::string> environment;  ///< NAME=VALUE, the whole of it; empty: PATH and HOME
};

/// A child. Not killed when the object goes: the scenario's PID namespace ends with the scenario.
class Process {
 public:
  Process() = default;

  explicit Process(pid_t pid) : pid_(pid) {}

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Whether it is still there; reaps it when it is not.
  [[nodiscard]] bool running();
  void signal(int number) const;
  /// Waits until it ends; false if it still runs after `bound`.
  [[nodiscard]] bool wait_for_end(std::chrono::milliseconds bound);

  /// Exit code, or 128 + signal. Valid once running() was false.
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  pid_t pid_ = -1;
  bool ended_ = true;
  int exit_code_ = -1;
  friend Process spawn(const std::vector<std::string>& argv, const SpawnOptions& options);
};

/// Starts a program found on PATH. A program that cannot be run is one that ends with 127.
[[nodiscard]] Process spawn(const std::vector<std::string>& argv, const SpawnOptions& options);

struct Output {
  int exit_code = -1;
  std::string out;
  std::string err;

  /// Everything, for failure messages.
  [[nodiscard]] std::string text() const;
};

/// Runs a program to its end and gives back what it said. Killed after `bound`, then the exit code
/// is 137 and err says so. `input` is its stdin.
[[nodiscard]] Output run(const std::vector<std::string>& argv,
                         const SpawnOptions& options = {},
                         const std::string& input = "",
                         std::chrono::milliseconds bound = std::chrono::seconds(60));

/// As run(), for setup steps that have no business failing: throws with everything it said.
std::string must_run(const std::vector<std::string>& argv,
                     const SpawnOptions& options = {},
                     const std::string& input = "");

/// A whole file; empty if there is none.
[[nodiscard]] std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);

}  // namespace wesher::netns
