// What the tests of `wesher status` ask of a snapshot, and do to one.
#pragma once

#include <string>

#include "cli/status.h"
#include "tests/cli/support/fixture.h"

namespace wesher::cli::testing {

[[nodiscard]] inline std::string status_of(const Snapshot& snapshot) {
  return render_text(build_status(snapshot));
}

[[nodiscard]] inline Layer layer_of(const Snapshot& snapshot, const std::string& name) {
  for (Layer& layer : judge_layers(snapshot)) {
    if (layer.name == name) return layer;
  }
  return {};
}

[[nodiscard]] inline bool has_remark(const Snapshot& snapshot, const std::string& remark) {
  const auto report = build_status(snapshot);
  for (const auto& each : report.remarks) {
    if (each == remark) return true;
  }
  return false;
}

inline void fail_member(Snapshot& snapshot, const std::string& name, Duration ago) {
  Member& member = member_of(snapshot, name);
  member.state = MemberState::failed;
  member.state_since = kNow - std::chrono::duration_cast<std::chrono::milliseconds>(ago);
}

}  // namespace wesher::cli::testing
