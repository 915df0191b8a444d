// The sweep: every side effect of the reconciling half of the daemon fails once, in every way that
// it can, and is once the last one. Whatever happens, the daemon ends where it would have ended,
// loses no key, address or number, and never touches the flow of a peer that stays as it is.
//
//   sweep_tests                                  a sample
//   WESHER_SWEEP=all sweep_tests                 every call, every fault
//   WESHER_SWEEP=join sweep_tests                everything of one scenario
//   WESHER_SWEEP=join:kill:57 sweep_tests        one run, with the daemon's log
#include "tests/sweep/support/sweep.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include "os/unique_fd.h"
#include "tests/sweep/support/sqlite_vfs.h"

using namespace wesher;
using namespace wesher::test;

namespace {

/// Of the runs that are not always part of the sample, one in this many is.
constexpr std::size_t kSampleEvery = 29;
/// Failures that are told at length; the rest is counted.
constexpr std::size_t kToldMax = 10;

/// The same random bytes in every run, and others than in the host's past.
constexpr std::uint32_t kPastSeed = 1;
constexpr std::uint32_t kRunSeed = 2;
std::uint32_t g_random = 0;

const char* random_name() {
  return "sweep";
}

std::uint32_t random_number() {
  g_random = g_random * 1664525U + 1013904223U;
  return g_random ^ (g_random >> 15U);
}

void random_bytes(void* out, const std::size_t size) {
  auto* const bytes = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<unsigned char>(random_number() >> 8U);
}

randombytes_implementation g_fixed_random = {random_name, random_number, nullptr,
                                             nullptr,     random_bytes,  nullptr};

/// The log of thousands of daemons in trouble is not for people.
class Silence {
 public:
  Silence() : stderr_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    const os::UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(nowhere.get(), STDERR_FILENO);
  }

  ~Silence() { ::dup2(stderr_.get(), STDERR_FILENO); }

  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  Silence(Silence&&) = delete;
  Silence& operator=(Silence&&) = delete;

 private:
  os::UniqueFd stderr_;
};

/// A directory in memory, where there is one.
class Place {
 public:
  Place() {
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern = std::string(memory ? "/dev/shm" : "/tmp") + "/wesher-sweep-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }

  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  Place(Place&&) = delete;
  Place& operator=(Place&&) = delete;

  [[nodiscard]] std::string root() const { return path_ + "/host"; }

 private:
  std::string path_;
};

struct Wanted {
  bool all = false;
  std::string scenario = {};
  std::string fault = {};
  std::size_t n = 0;
};

Wanted wanted() {
  const char* const set = std::getenv("WESHER_SWEEP");
  const std::string text = set == nullptr ? "" : set;
  if (text.empty()) return {};
  if (text == "all") return {.all = true};
  const auto first = text.find(':');
  Wanted one{.all = true, .scenario = text.substr(0, first)};
  if (first == std::string::npos) return one;
  const auto second = text.find(':', first + 1);
  one.fault = text.substr(first + 1, second - first - 1);
  if (second != std::string::npos) one.n = std::stoul(text.substr(second + 1));
  return one;
}

struct Tally {
  std::size_t runs = 0;
  std::size_t failures = 0;
  std::map<std::string, std::size_t> of_problem;
  std::string told;
};

std::string told(const Scenario& scenario,
                 const Fault& fault,
                 std::size_t n,
                 const Outcome& outcome) {
  std::string text = fmt::format("WESHER_SWEEP={}:{}:{} sweep_tests   # {}", scenario.name,
                                 fault.text(), n, outcome.call);
  for (const std::string& problem : outcome.problems)
    text += "\n    " + problem;
  return text;
}

void run_one(const Scenario& scenario,
             const Baseline& baseline,
             const std::string& root,
             const Fault& fault,
             std::size_t n,
             Tally& tally) {
  g_random = kRunSeed;
  const Outcome outcome = run_with_fault(scenario, baseline, root, fault, n);
  ++tally.runs;
  if (outcome.problems.empty()) return;
  ++tally.failures;
  for (const std::string& problem : outcome.problems) {
    ++tally.of_problem[problem.substr(0, problem.find(':'))];
  }
  if (tally.failures <= kToldMax) tally.told += told(scenario, fault, n, outcome) + "\n";
}

void sweep(const Scenario& scenario, const Wanted& what) {
  const Place place;
  g_random = kPastSeed;
  const Baseline baseline = prepare(scenario, place.root());
  if (!baseline.problems.empty()) {
    UNSCOPED_INFO("without fault, " << told(scenario, {}, 0, {"", baseline.problems}));
    FAIL();
  }
  Tally tally;
  std::size_t index = 0;
  for (std::size_t n = 1; n <= baseline.calls.size(); ++n) {
    if (what.n != 0 && n != what.n) continue;
    for (const Fault& fault : faults_of(baseline.calls[n - 1])) {
      if (!what.fault.empty() && fault.text() != what.fault) continue;
      if (!what.all && index++ % kSampleEvery != 0) continue;
      run_one(scenario, baseline, place.root(), fault, n, tally);
    }
  }
  const std::string sum = fmt::format("{}: {} calls, {} runs, {} failed", scenario.name,
                                      baseline.calls.size(), tally.runs, tally.failures);
  if (what.all) std::cout << sum << std::endl;
  for (const auto& [problem, count] : tally.of_problem) {
    tally.told += fmt::format("{} times: {}\n", count, problem);
  }
  INFO(sum << "\n" << tally.told);
  CHECK(tally.runs > 0);
  CHECK(tally.failures == 0);
}

void sweep(const std::string& name) {
  const Wanted what = wanted();
  if (!what.scenario.empty() && what.scenario != name) return;
  randombytes_set_implementation(&g_fixed_random);
  route_sqlite_through_interposer();
  const auto& all = scenarios();
  const auto scenario =
      std::find_if(all.begin(), all.end(), [&](const Scenario& s) { return s.name == name; });
  REQUIRE(scenario != all.end());
  std::optional<Silence> silence;
  if (what.n == 0) silence.emplace();
  sweep(*scenario, what);
}

}  // namespace

TEST_CASE("a first start ends the same whatever fails in it", "[sweep]") {
  sweep("first-start");
}

TEST_CASE("a restart ends the same whatever fails in it", "[sweep]") {
  sweep("restart");
}

TEST_CASE("the join of three members ends the same whatever fails in it", "[sweep]") {
  sweep("join");
}

TEST_CASE("the leave of a member ends the same whatever fails in it", "[sweep]") {
  sweep("leave-of-member");
}

TEST_CASE("the move of an address ends the same whatever fails in it", "[sweep]") {
  sweep("move");
}

TEST_CASE("an exchange of addresses ends the same whatever fails in it", "[sweep]") {
  sweep("exchange");
}

TEST_CASE("the new key of a member ends the same whatever fails in it", "[sweep]") {
  sweep("new-key");
}

TEST_CASE("changes of the hosts file end the same whatever fails in them", "[sweep]") {
  sweep("hosts");
}

TEST_CASE("changes of a hosts file that is a mount point end the same whatever fails in them",
          "[sweep]") {
  sweep("hosts-in-place");
}

TEST_CASE("a corrupt database ends the same whatever fails meanwhile", "[sweep]") {
  sweep("corrupt-database");
}

TEST_CASE("a new overlay address ends the same whatever fails meanwhile", "[sweep]") {
  sweep("own-address");
}

TEST_CASE("a clock that is set back ends the same whatever fails meanwhile", "[sweep]") {
  sweep("clock-back");
}

TEST_CASE("reserved incarnations never go back whatever fails meanwhile", "[sweep]") {
  sweep("incarnations");
}

TEST_CASE("the repair of what others changed ends the same whatever fails in it", "[sweep]") {
  sweep("drift");
}

TEST_CASE("a quiet stop and a start end the same whatever fails in them", "[sweep]") {
  sweep("stop-keep");
}

TEST_CASE("a leave and a start end the same whatever fails in them", "[sweep]") {
  sweep("stop-leave");
}

TEST_CASE("a leave that gives the address back ends the same whatever fails in it", "[sweep]") {
  sweep("resign");
}

TEST_CASE("every scenario is swept", "[sweep]") {
  CHECK(scenarios().size() == 17);
}
