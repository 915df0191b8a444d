#include "netns/support/runner.h"

#include <cctype>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "netns/support/process.h"
#include "netns/support/sandbox.h"
#include "netns/support/settings.h"
#include "netns/support/wait.h"

namespace wesher::netns {

namespace {

using Clock = std::chrono::steady_clock;

struct Running {
  std::string name;
  Clock::time_point started;
  bool over_limit = false;
};

// A file name for a scenario's record.
std::string record(const std::string& results, const std::string& name, const char* suffix) {
  std::string file;
  for (const char c : name)
    file += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return results + "/" + file + suffix;
}

class Pool {
 public:
  Pool(const std::vector<Job>& jobs, const RunnerOptions& options)
      : jobs_(jobs), options_(options) {}

  int run() {
    while (next_ < jobs_.size() || !running_.empty()) {
      while (next_ < jobs_.size() && running_.size() < room_for(jobs_[next_]))
        start(jobs_[next_++]);
      collect();
      std::this_thread::sleep_for(20ms);
    }
    if (failed_ > 0) return 1;
    return skipped_ > 0 && skipped_ == jobs_.size() ? kSkipCode : 0;
  }

 private:
  [[nodiscard]] std::size_t room_for(const Job& job) const {
    return job.alone ? 1 : static_cast<std::size_t>(options_.jobs);
  }

  void start(const Job& job) {
    const bool keep = !options_.results.empty();
    const pid_t keeper =
        start_sandbox(keep ? record(options_.results, job.name, ".txt") : "", job.scenario);
    if (keeper < 0) {
      finish({job.name, Clock::now()}, 1);
      return;
    }
    running_[keeper] = {job.name, Clock::now()};
  }

  void collect() {
    int status = 0;
    for (pid_t ended = ::waitpid(-1, &status, WNOHANG); ended > 0;
         ended = ::waitpid(-1, &status, WNOHANG)) {
      const auto found = running_.find(ended);
      if (found == running_.end()) continue;
      finish(found->second, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
      running_.erase(found);
    }
    for (auto& [keeper, job] : running_) {
      if (job.over_limit || Clock::now() - job.started < options_.limit) continue;
      job.over_limit = true;
      ::kill(keeper, SIGKILL);
    }
  }

  void finish(const Running& job, int code) {
    const auto took =
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - job.started).count();
    const char* verdict = code == 0 ? "passed" : code == kSkipCode ? "skipped" : "FAILED";
    if (code == kSkipCode) ++skipped_;
    if (code != 0 && code != kSkipCode) ++failed_;
    std::cout << verdict << " after " << took << "s: " << job.name
              << (job.over_limit ? " (over its limit, ended by force)" : "") << std::endl;
    if (!options_.results.empty())
      write_file(record(options_.results, job.name, ".rc"), std::to_string(code) + "\n");
  }

  const std::vector<Job>& jobs_;
  const RunnerOptions& options_;
  std::map<pid_t, Running> running_;
  std::size_t next_ = 0;
  std::size_t failed_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace

int run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options) {
  return Pool(jobs, options).run();
}

int report_recorded(const std::string& results, const std::string& name) {
  const std::string why_none = read_file(results + "/skipped");
  if (!why_none.empty()) {
    std::cout << "skipped: " << why_none;
    return kSkipCode;
  }
  std::cout << read_file(record(results, name, ".txt"));
  const std::string code = read_file(record(results, name, ".rc"));
  if (!code.empty()) return std::stoi(code);
  std::cout << "no verdict in " << results << ": the guest ended before this scenario did\n";
  return 1;
}

bool runs_here(const std::string& results) {
  return std::filesystem::exists(results + "/run-here");
}

}  // namespace wesher::netns
