// One scenario under one fault, from its beginning to the judgement.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sweep/support/scenarios.h"

namespace wesher::test {

/// Files and kernel at a point in time.
struct Snapshot {
  std::map<std::string, std::string> files;  ///< path below the root → content
  KernelState kernel;
};

/// Where the runs of a scenario begin, and what they are measured by.
struct Baseline {
  Snapshot begin;
  std::map<std::string, Member> mesh_before;
  std::map<std::string, Member> mesh_after;
  std::vector<CallKind> calls;        ///< of a run without fault
  std::string end;                    ///< World::summary of that run
  std::vector<std::string> problems;  ///< what is wrong even so
};

/// Runs the past of a scenario, and then itself without fault.
[[nodiscard]] Baseline prepare(const Scenario& scenario, const std::string& root);

struct Outcome {
  std::string call;                   ///< number n, in words
  std::vector<std::string> problems;  ///< empty: all is as it should be
};

/// The scenario with this fault at call number n.
[[nodiscard]] Outcome run_with_fault(const Scenario& scenario,
                                     const Baseline& baseline,
                                     const std::string& root,
                                     const Fault& fault,
                                     std::size_t n);

}  // namespace wesher::test
