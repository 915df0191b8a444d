// Scenarios as processes: a bounded number at a time, each in its sandbox, each with its output and
// verdict in files, so that a guest can run them all and the host report them one by one.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace wesher::netns {

struct Job {
  std::string name;
  std::function<int()> scenario;
  bool alone = false;  ///< runs after the others, and nothing beside it: it measures time
};

struct RunnerOptions {
  int jobs = 1;
  std::chrono::seconds limit{280};  ///< for one scenario; then its sandbox is taken down
  std::string results;              ///< folder for the records; empty: output goes to stdout
};

/// Runs them in order, `jobs` at a time; those that run alone come last in `jobs`. Returns 0 if all
/// passed or were skipped, kSkipCode if all were skipped, else 1.
[[nodiscard]] int run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options);

/// Prints the recorded output of a scenario and returns its exit code; kSkipCode with the reason
/// where the folder says that nothing could be run; 1 if there is no record.
[[nodiscard]] int report_recorded(const std::string& results, const std::string& name);

/// Whether the folder says that this machine's own kernel is to run the scenarios.
[[nodiscard]] bool runs_here(const std::string& results);

}  // namespace wesher::netns
