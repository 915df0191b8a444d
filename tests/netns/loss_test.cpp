// No daemon costs a packet of flows that exist, whatever happens elsewhere. And a control: the same
// events with all peers replaced at each, so that it is known that this rig sees loss.
//
// tests/bench/loss runs these again and again; it says so in the environment:
//   WESHER_LOSS_RECORD   file to which each count is appended: backend, run, place and name of the
//                        event, repeat, shape, sent, lost, longest gap and longest delay in ms,
//                        tab-separated
//   WESHER_LOSS_REPEAT   number of this run, 1 if not given; in even ones the flows are reversed
//   WESHER_LOSS_EVENTS   which ones, by their place in flow_events(), e.g. 1,2,10; else all, of the
//                        control the first
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <catch2/catch.hpp>

#include "netns/support/flow_events.h"

namespace wesher::netns {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

int repeat() {
  const std::string given = variable("WESHER_LOSS_REPEAT");
  return given.empty() ? 1 : std::stoi(given);
}

bool reversed() {
  return repeat() % 2 == 0;
}

std::vector<FlowEvent> chosen_events(const std::string& otherwise) {
  std::string given = variable("WESHER_LOSS_EVENTS");
  if (given.empty()) given = otherwise;
  if (given.empty()) return flow_events();
  std::vector<FlowEvent> chosen;
  std::istringstream places(given);
  for (std::string place; std::getline(places, place, ',');)
    chosen.push_back(flow_events().at(std::stoul(place) - 1));
  return chosen;
}

/// From 1; 0 is what is no event.
std::size_t place_of(const std::string& event) {
  const std::vector<FlowEvent>& all = flow_events();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const FlowEvent& each) { return each.name == event; });
  return found == all.end() ? 0 : static_cast<std::size_t>(found - all.begin()) + 1;
}

double in_milliseconds(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

/// One event over all shapes.
struct Verdict {
  std::string text;
  std::uint64_t lost = 0;
  bool all_sent = true;  ///< no flow stood still
};

/// Says and records what an event cost each flow.
Verdict tell(const std::string& run,
             const std::string& event,
             const std::vector<FlowCount>& counts) {
  Verdict verdict;
  std::ostringstream text;
  std::ofstream record;
  if (const std::string file = variable("WESHER_LOSS_RECORD"); !file.empty())
    record.open(file, std::ios::app);
  text << event << "\n" << std::fixed << std::setprecision(1);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const FlowCount& count = counts[i];
    const std::string shape = flow_shapes()[i].name();
    const double gap = in_milliseconds(count.longest_gap);
    const double delay = in_milliseconds(count.longest_delay);
    text << "  " << std::setw(22) << std::left << shape << std::right << std::setw(7) << count.sent
         << " sent " << std::setw(6) << count.lost << " lost, longest gap " << std::setw(7) << gap
         << " ms, longest delay " << std::setw(7) << delay << " ms"
         << (count.where.empty() ? "" : ": ") << count.where << "\n";
    record << (uses_kernel() ? "kernel" : "userspace") << '\t' << run << '\t' << place_of(event)
           << '\t' << event << '\t' << repeat() << '\t' << shape << '\t' << count.sent << '\t'
           << count.lost << '\t' << std::fixed << std::setprecision(1) << gap << '\t' << delay
           << '\n';
    verdict.all_sent = verdict.all_sent && count.sent > 0;
    verdict.lost += count.lost;
  }
  verdict.text = text.str();
  std::cout << verdict.text << std::flush;
  return verdict;
}

/// Nothing happens: what is lost now is lost by the rig, or by a machine with too much to do.
void require_quiet_baseline(FlowMesh& mesh, const std::string& run) {
  const Verdict verdict = tell(run, "nothing happens", mesh.watch([](FlowMesh& /*mesh*/) {}, 3s));
  INFO("packets are lost without any event: this machine cannot carry the flows now\n"
       << verdict.text << mesh.drops());
  REQUIRE(verdict.lost == 0);
}

}  // namespace

TEST_CASE("no packet of existing flows is lost whatever happens elsewhere", "[loss][alone]") {
  FlowMesh mesh(reversed());
  require_quiet_baseline(mesh, "daemon");
  std::uint64_t lost = 0;
  std::string told;
  for (const FlowEvent& event : chosen_events("")) {
    const Verdict verdict = tell("daemon", event.name, mesh.watch(event.happen, 4s));
    lost += verdict.lost;
    if (verdict.lost > 0) told += verdict.text + mesh.drops();
    CHECK(verdict.all_sent);
  }
  INFO(told);
  REQUIRE(lost == 0);
}

TEST_CASE("replacing all peers at an event loses hundreds of packets that the rig counts",
          "[loss][alone]") {
  FlowMesh mesh(reversed());
  require_quiet_baseline(mesh, "control");
  for (const FlowEvent& event : chosen_events("1")) {
    // A flow without answers stands still for 15 s: KEEPALIVE_TIMEOUT + REKEY_TIMEOUT of WireGuard.
    const auto counts = mesh.watch(
        [&](FlowMesh& here) {
          event.happen(here);
          here.replace_all_peers();
        },
        20s);
    const Verdict verdict = tell("control", event.name, counts);
    INFO(verdict.text);
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (flow_shapes()[i].kind == FlowKind::one_way) CHECK(counts[i].lost >= 100);
  }
}

}  // namespace wesher::netns
