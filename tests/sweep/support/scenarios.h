// What the daemon does while the sweep puts faults into it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/sweep/support/world.h"

namespace wesher::test {

struct Scenario {
  std::string name;
  /// What the host has gone through before, once for all runs: the files and the kernel that are
  /// left are where each of them begins. The daemon does not run in the end.
  std::function<void(World&)> past;
  /// Brings the daemon to where faults begin; may be empty.
  std::function<void(World&)> ready;
  /// What faults are put into.
  std::function<void(World&)> act;
  /// Set up of every run, before `ready`: options, mount points, what may change.
  std::function<void(World&)> setting = [](World&) {};
  /// Whether flows end on purpose.
  bool ends_flows = false;
};

[[nodiscard]] const std::vector<Scenario>& scenarios();

}  // namespace wesher::test
