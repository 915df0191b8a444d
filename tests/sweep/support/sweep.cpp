#include "tests/sweep/support/sweep.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace wesher::test {

using std::chrono::seconds;

namespace {

namespace fs = std::filesystem;

/// Retries have a distance of at most 30 s, adopt mode lasts 20 s.
constexpr seconds kSettle{70};
/// How often a start is tried again that was refused, as a service manager does it.
constexpr int kStarts = 3;

void lay_out(const std::string& root, const Snapshot& snapshot) {
  fs::remove_all(root);
  fs::create_directories(root + "/etc");
  fs::permissions(root, fs::perms::owner_all);
  for (const auto& [path, content] : snapshot.files) {
    const fs::path file = root + "/" + path;
    if (!fs::exists(file.parent_path())) {
      fs::create_directory(file.parent_path());
      fs::permissions(file.parent_path(), fs::perms::owner_all);
    }
    std::ofstream(file, std::ios::binary) << content;
    const bool secret = path.starts_with("state/");
    fs::permissions(file, secret ? static_cast<fs::perms>(0600) : static_cast<fs::perms>(0644));
  }
}

/// Peers whose row stays what it is from beginning to end.
std::vector<UnchangedPeer> unchanged_peers(const KernelState& kernel,
                                           const std::map<std::string, Member>& mesh_after) {
  std::vector<UnchangedPeer> unchanged;
  for (const auto& [name, m] : mesh_after) {
    if (!m.meta || m.standing != Standing::configured) continue;
    const auto peer = kernel.peers.find(m.meta->key);
    const Prefix address = Prefix::host(m.meta->overlay);
    if (peer == kernel.peers.end() || peer->second.allowed != std::set<Prefix>{address}) continue;
    unchanged.push_back({m.meta->key, address});
  }
  return unchanged;
}

/// The lines in which two summaries differ.
std::string difference(const std::string& expected, const std::string& is) {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
      out.push_back(line);
    return out;
  };
  const auto wanted = lines(expected);
  const auto found = lines(is);
  std::string text;
  for (const auto& line : wanted) {
    if (std::count(found.begin(), found.end(), line) <
        std::count(wanted.begin(), wanted.end(), line))
      text += "\n      - " + line;
  }
  for (const auto& line : found) {
    if (std::count(found.begin(), found.end(), line) >
        std::count(wanted.begin(), wanted.end(), line))
      text += "\n      + " + line;
  }
  return text.empty() ? "\n      the same lines in another order" : text;
}

/// One run of a scenario.
class Run {
 public:
  Run(const Scenario& scenario,
      const std::string& root,
      const Snapshot& begin,
      std::map<std::string, Member> mesh)
      : scenario_(scenario), world_(root, begin.kernel, faults_) {
    world_.mesh = std::move(mesh);
    scenario_.setting(world_);
  }

  World& world() { return world_; }

  /// The scenario with the fault, and whatever it takes until the daemon runs and is settled.
  void play(const Fault& fault, std::size_t n, const std::map<std::string, Member>& mesh_after) {
    scenario_.ready(world_);
    if (!scenario_.ends_flows) {
      // Who stays what he is in the end was not touched by what others are told of him meanwhile.
      const bool own_moves = world_.own_address_may_change;
      const auto& addresses = world_.kernel.state.addresses;
      world_.kernel.protect(unchanged_peers(world_.kernel.state, mesh_after),
                            own_moves || addresses.empty() ? Prefix{} : *addresses.begin());
    }
    faults_.arm(fault, n);
    scenario_.act(world_);
    calls_ = faults_.calls();
    if (faults_.reached()) reached_ = faults_.reached_what();
    const bool died = faults_.dead();
    const std::string refusal = world_.refusal();
    if (died) {
      world_.crash(fault, n * 7919 + static_cast<std::size_t>(fault.kind));
      starts_again();
    } else if (!world_.running()) {
      faults_.disarm();
      starts_again();
    } else if (fault.kind == FaultKind::refuse_on) {
      world_.run(seconds(40));  // whatever it does while nothing goes
      faults_.disarm();
      world_.run(kSettle);
    } else {
      world_.run(kSettle);
      faults_.disarm();
    }
  }

  /// Restarted in peace it does nothing.
  void restart() {
    world_.stop(daemon::StopKind::keep);
    const std::string before = world_.kernel.state.text();
    faults_.arm({}, 0);
    if (!world_.start()) problems_.push_back("a second start is refused: " + world_.refusal());
    world_.say_all();
    world_.run(seconds(1));
    const auto changes = std::count(faults_.calls().begin(), faults_.calls().end(), CallKind::set);
    if (changes != 0) {
      problems_.push_back(
          fmt::format("a restart of the settled host changed {} things in the kernel", changes));
    }
    faults_.disarm();
  }

  void judge(const std::string& expected) {
    const std::string end = world_.summary();
    if (end != expected) problems_.push_back("another end:" + difference(expected, end));
    for (const std::string& what : world_.kernel.touched()) {
      problems_.push_back("the flow of an unchanged peer was touched: " + what);
    }
    for (const std::string& what : world_.lost())
      problems_.push_back(what);
  }

  std::vector<std::string>& problems() { return problems_; }

  /// The call that the fault happened to; empty if it was not made.
  [[nodiscard]] const std::string& reached() const { return reached_; }

  [[nodiscard]] const std::vector<CallKind>& calls() const { return calls_; }

 private:
  void starts_again() {
    for (int i = 0; i < kStarts && !world_.running(); ++i) {
      world_.start();
      if (!world_.running()) refused_restart_ = true;
    }
    if (!world_.running()) {
      problems_.push_back("it does not start any more: " + world_.refusal());
    } else if (refused_restart_) {
      problems_.push_back("a restart without fault was refused: " + world_.refusal());
    }
    world_.run(seconds(1));
    world_.say_all();
    world_.run(kSettle);
  }

  const Scenario& scenario_;
  Faults faults_;
  World world_;
  std::vector<std::string> problems_;
  std::vector<CallKind> calls_;
  std::string reached_;
  bool refused_restart_ = false;
};

Snapshot snapshot_of(World& world) {
  return {world.disk.files(), world.kernel.state};
}

}  // namespace

Baseline prepare(const Scenario& scenario, const std::string& root) {
  Baseline baseline;
  lay_out(root, {});
  {
    Faults faults;
    World world(root, {}, faults);
    scenario.past(world);
    baseline.begin = snapshot_of(world);
    baseline.mesh_before = world.mesh;
  }
  for (int round = 0; round < 2;
       ++round) {  // what the mesh says in the end is known after the first
    lay_out(root, baseline.begin);
    Run run(scenario, root, baseline.begin, baseline.mesh_before);
    run.play({}, 0, baseline.mesh_after);
    baseline.mesh_after = run.world().mesh;
    baseline.calls = run.calls();
    baseline.end = run.world().summary();
    if (round == 0) continue;
    run.judge(baseline.end);
    run.restart();
    baseline.problems = run.problems();
  }
  return baseline;
}

Outcome run_with_fault(const Scenario& scenario,
                       const Baseline& baseline,
                       const std::string& root,
                       const Fault& fault,
                       std::size_t n) {
  lay_out(root, baseline.begin);
  Run run(scenario, root, baseline.begin, baseline.mesh_before);
  run.play(fault, n, baseline.mesh_after);
  Outcome outcome;
  outcome.call = run.reached();
  if (outcome.call.empty()) run.problems().push_back("the call was never made");
  run.judge(baseline.end);
  run.restart();
  outcome.problems = std::move(run.problems());
  return outcome;
}

}  // namespace wesher::test
