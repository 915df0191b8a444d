#include "cli/plan_report.h"

#include "base/text.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/text.h"
#include "plan/diff.h"

namespace wesher::cli {

namespace {

/// What the plan leaves out, and who would carry it out.
std::vector<std::string> notes_of(const plan::Plan& plan, const Snapshot& snapshot) {
  std::vector<std::string> notes;
  if (snapshot.facts.adopting) {
    notes.emplace_back("the database is new: nothing is removed until the mesh has confirmed it");
  }
  if (snapshot.live.observed && !snapshot.live.observed->complete) {
    notes.emplace_back("the system's answer was interrupted: removals are left out");
  }
  if (!plan.empty() && snapshot.daemon == DaemonState::stopped) {
    notes.emplace_back(has_left(snapshot.facts)
                           ? "this host has left the mesh; wesher does this when it starts again"
                           : "the daemon is not running; it does this when it starts");
  }
  return notes;
}

}  // namespace

Result<plan::Plan> make_plan(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (!facts.desired) {
    return fail(Errc::not_found, "the database holds no desired state for " + facts.interface +
                                     " yet; wesher writes it when it starts");
  }
  std::vector<PublicKey> keys = {facts.desired->interface.key};
  for (const auto& member : facts.members) {
    if (member.meta) keys.push_back(member.meta->key);
  }
  const Observed& observed = *snapshot.live.observed;
  if (const auto judged = plan::judge_interface(facts.interface, observed, keys); !judged) {
    return tl::unexpected(judged.error());
  }
  return plan::diff(*facts.desired, observed, {snapshot.now, !facts.adopting, facts.members});
}

std::string plan_text(const plan::Plan& plan, const Snapshot& snapshot) {
  std::string out = plan::to_text(plan);
  for (const auto& note : notes_of(plan, snapshot))
    out += note + "\n";
  return out;
}

std::string plan_json(const plan::Plan& plan, const Snapshot& snapshot) {
  Json out = {{"schema", "wesher.plan/1"},
              {"time", rfc3339(snapshot.now)},
              {"interface", snapshot.facts.interface},
              {"generation", snapshot.facts.desired->generation},
              {"in_order", plan.empty()},
              {"adopting", snapshot.facts.adopting},
              {"wanted",
               {{"peers", plan.peers}, {"routes", plan.routes}, {"hosts_lines", plan.hosts_lines}}},
              {"actions", Json::array()}};
  for (const auto& action : plan.actions) {
    out["actions"].push_back({{"object", plan::object_of(action)},
                              {"lines", plan::lines_of(action)},
                              {"reason", single_line(action.reason)}});
  }
  out["notes"] = notes_of(plan, snapshot);
  return json_text(out);
}

}  // namespace wesher::cli
