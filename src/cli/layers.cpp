// What the database says of the mesh and of itself; layers_live.cpp has the kernel and the hosts
// file.
#include "cli/layers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"

namespace wesher::cli {

namespace {

std::string seed_trouble(const store::HealthRow& row, WallTime now) {
  return fmt::format("seed {}: {}, {} in {}", printable(row.subject), single_line(row.detail),
                     row.count == 1 ? "1 try" : fmt::format("{} tries", row.count),
                     age_text(age_of(row.since, now)));
}

/// "8 of 16 members failed within 12s, 4m ago", or without the time when they failed one by one.
std::string failure_text(const Census& census, WallTime now) {
  const Duration spread = age_of(census.first_failure, census.last_failure);
  const std::string ago = age_text(age_of(census.last_failure, now));
  if (census.failed == 1) return fmt::format("1 of {} members failed {} ago", census.total(), ago);
  if (!census.looks_partitioned()) {
    return fmt::format("{} of {} members failed, the last {} ago", census.failed, census.total(),
                       ago);
  }
  return fmt::format("{} of {} members failed within {}, {} ago: a partition? trying {}",
                     census.failed, census.total(), age_text(spread), ago,
                     census.failed == 2 ? "both" : fmt::format("all {}", census.failed));
}

Layer gossip_when_alone(const Snapshot& snapshot, const Census& census) {
  std::vector<std::string> problems;
  if (census.failed > 0) problems.push_back("alone; " + failure_text(census, snapshot.now));
  for (const auto& row : snapshot.facts.health) {
    if (row.kind != store::HealthKind::seed || row.ok) continue;
    problems.push_back((problems.empty() ? "alone; " : "") + seed_trouble(row, snapshot.now));
  }
  return make_layer("gossip", problems, "1 member: this host");
}

Layer judge_gossip(const Snapshot& snapshot) {
  const Facts& facts = snapshot.facts;
  if (snapshot.daemon == DaemonState::stopped) {
    return {"gossip", false,
            fmt::format("members as last seen {} ago",
                        age_text(age_of(last_sign_of(facts), snapshot.now)))};
  }
  if (snapshot.daemon == DaemonState::changing)
    return {"gossip", false, "the daemon is starting or stopping"};
  if (facts.self && !facts.self->kept_out.empty()) {
    return {"gossip", false, "NOT IN THE MESH: " + single_line(facts.self->kept_out)};
  }
  const Census census = count_members(facts.members);
  if (census.alive + census.suspect == 1) return gossip_when_alone(snapshot, census);
  if (census.half_failed()) {
    return {"gossip", false, failure_text(census, snapshot.now)};
  }
  std::string text = fmt::format("{}: {} alive", counted(census.total(), "member"), census.alive);
  if (census.suspect > 0) text += fmt::format(", {} suspect", census.suspect);
  if (census.failed > 0) text += fmt::format(", {} failed", census.failed);
  if (census.refused > 0) text += fmt::format("; {} refused", census.refused);
  return {"gossip", true, text};
}

Layer judge_database(const Facts& facts) {
  if (!facts.desired) return {"database", false, "no desired state yet"};
  std::string text =
      fmt::format("generation {}, applied {}", facts.desired->generation, facts.applied.generation);
  std::vector<std::string> failed;
  for (const auto& object : facts.applied.failed) {
    failed.push_back(fmt::format(
        "{}: {}{}", single_line(object.object), single_line(object.detail),
        object.attempts > 1 ? fmt::format(" ({} attempts)", object.attempts) : std::string()));
  }
  if (!failed.empty()) text += "; failed: " + name_list(failed);
  if (facts.adopting) text += "; rebuilt, nothing is removed yet";
  // A pass that reached a newer generation than the one just read is no lag.
  return {"database", failed.empty() && facts.applied.generation >= facts.desired->generation,
          text};
}

}  // namespace

bool Census::looks_partitioned() const {
  return half_failed() && age_of(first_failure, last_failure) <= kPartitionSpread;
}

Census count_members(const std::vector<Member>& members) {
  Census census;
  for (const Member& member : members) {
    if (is_departed(member.state)) continue;
    census.alive += member.state == MemberState::alive ? 1 : 0;
    census.suspect += member.state == MemberState::suspect ? 1 : 0;
    census.refused += member.standing == Standing::refused ? 1 : 0;
    if (member.state != MemberState::failed) continue;
    ++census.failed;
    census.first_failure = std::min(census.first_failure, member.state_since);
    census.last_failure = std::max(census.last_failure, member.state_since);
  }
  return census;
}

Layer make_layer(std::string name, const std::vector<std::string>& problems, std::string text) {
  if (problems.empty()) return {std::move(name), true, std::move(text)};
  return {std::move(name), false, fmt::format("{}", fmt::join(problems, "; "))};
}

std::vector<Layer> judge_layers(const Snapshot& snapshot) {
  return {judge_gossip(snapshot), judge_database(snapshot.facts), judge_device(snapshot),
          judge_routes(snapshot), judge_hosts(snapshot)};
}

}  // namespace wesher::cli
