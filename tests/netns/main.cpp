// The runner of the scenarios: Catch2's command line, and around each chosen test case a sandbox in
// a process of its own.
//
//   netns_tests [test names or tags] [--backend auto|kernel|userspace] [--jobs N]
//               [--results DIR]    record output and verdict of each scenario in DIR
//               [--recorded DIR]   report what a guest recorded in DIR instead of running
#define CATCH_CONFIG_RUNNER
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sodium.h>
#include <unistd.h>

#include "netns/support/runner.h"
#include "netns/support/settings.h"

namespace {

using namespace wesher::netns;

// In the sandbox: this one test case, nothing else. A comma in its name would begin another filter.
int run_one(Catch::Session& session, const std::string& name) {
  std::string quoted = "\"";
  for (const char letter : name)
    quoted += letter == ',' ? std::string("\\,") : std::string(1, letter);
  session.configData().testsOrTags = {quoted + "\""};
  session.configData().warnings = Catch::WarnAbout::NoTests;  // none run is a failure
  session.useConfigData(session.configData());
  const int failures = session.run();
  return failures == 0 ? 0 : 1;
}

/// Every daemon and every wireguard-go watches files; eight scenarios at a time have more than the
/// 128 watchers that the kernel lets one user have by default. Raised until the next boot.
void allow_watchers() {
  const char* const limit = "/proc/sys/fs/inotify/max_user_instances";
  constexpr int kEnough = 2048;
  int allowed = kEnough;
  std::ifstream(limit) >> allowed;
  if (allowed < kEnough) std::ofstream(limit) << kEnough;
}

bool has_tag(const Catch::TestCase& test, const char* tag) {
  return std::find(test.lcaseTags.begin(), test.lcaseTags.end(), tag) != test.lcaseTags.end();
}

// Scenarios that wait for minutes go first, so that the pool does not end with them; those that
// measure time go last, alone.
std::vector<Catch::TestCase> chosen_tests(const Catch::Config& config) {
  std::vector<Catch::TestCase> tests =
      Catch::filterTests(Catch::getAllTestCasesSorted(config), config.testSpec(), config);
  std::stable_partition(tests.begin(), tests.end(),
                        [](const Catch::TestCase& test) { return has_tag(test, "long"); });
  std::stable_partition(tests.begin(), tests.end(),
                        [](const Catch::TestCase& test) { return !has_tag(test, "alone"); });
  return tests;
}

int run_scenarios(Catch::Session& session,
                  const RunnerOptions& options,
                  const std::string& recorded) {
  std::vector<Job> jobs;
  for (const Catch::TestCase& test : chosen_tests(session.config()))
    jobs.push_back({test.name, [&session, name = test.name] { return run_one(session, name); },
                    has_tag(test, "alone")});
  if (jobs.empty()) {
    Catch::cerr() << "no scenario of that name\n";
    return 1;
  }
  if (recorded.empty()) return run_jobs(jobs, options);
  if (runs_here(recorded)) {
    settings().backend = "kernel";
    return run_jobs(jobs, options);
  }
  int worst = 0;
  for (const Job& job : jobs)
    worst = std::max(worst, report_recorded(recorded, job.name));
  return worst;
}

// Before any thread there could be. Tools are where root finds them, whoever started this.
void read_environment() {
  ::setenv("PATH", kToolPath, 1);                     // NOLINT(concurrency-mt-unsafe)
  const char* binary = std::getenv("WESHER_BINARY");  // NOLINT(concurrency-mt-unsafe)
  settings().wesher = binary == nullptr ? WESHER_BINARY : binary;
  const char* patience = std::getenv("WESHER_PATIENCE");  // NOLINT(concurrency-mt-unsafe)
  if (patience != nullptr)
    settings().patience = std::max(1, static_cast<int>(std::strtol(patience, nullptr, 10)));
}

}  // namespace

int main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;
  read_environment();
  RunnerOptions options;
  int limit = static_cast<int>(options.limit.count());
  std::string recorded;
  Catch::Session session;
  using Catch::clara::Opt;
  session.cli(session.cli() |
              Opt(settings().backend, "auto|kernel|userspace")["--backend"]("WireGuard to use") |
              Opt(options.jobs, "count")["--jobs"]("scenarios at a time") |
              Opt(limit, "seconds")["--limit"]("for one scenario") |
              Opt(options.results, "folder")["--results"]("record verdicts there") |
              Opt(recorded, "folder")["--recorded"]("report the verdicts recorded there"));
  if (const int wrong = session.applyCommandLine(argc, argv); wrong != 0) return wrong;
  options.limit = std::chrono::seconds(limit);
  const Catch::ConfigData& asked = session.configData();
  if (asked.showHelp || asked.listTests || asked.listTags || asked.listReporters ||
      asked.listTestNamesOnly)
    return session.run();
  allow_watchers();
  return run_scenarios(session, options, recorded);
}
