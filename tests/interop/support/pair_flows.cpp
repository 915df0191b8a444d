#include "interop/support/pair_flows.h"

#include <algorithm>

#include <fmt/format.h>

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Flow;
using netns::FlowCount;
using netns::FlowEnd;
using netns::FlowKind;
using netns::FlowMark;

namespace {

const char* text_of(PairKind kind) {
  switch (kind) {
    case PairKind::ours_ours:
      return "ours – ours";
    case PairKind::ours_go:
      return "ours → Go";
    case PairKind::go_ours:
      return "Go → ours";
    case PairKind::go_go:
      return "Go – Go";
    case PairKind::changing:
      return "with the node that is replaced";
  }
  return "";
}

}  // namespace

void PairLoss::add(const FlowCount& count) {
  ++flows;
  sent += count.sent;
  lost += count.lost;
  worst = std::max(worst, count.lost);
  longest_gap = std::max(longest_gap, count.longest_gap);
}

void PairLoss::add(const PairLoss& other) {
  flows += other.flows;
  sent += other.sent;
  lost += other.lost;
  worst = std::max(worst, other.worst);
  longest_gap = std::max(longest_gap, other.longest_gap);
}

double PairLoss::mean() const {
  return flows == 0 ? 0 : static_cast<double>(lost) / flows;
}

PairFlows::PairFlows(MixedCluster& cluster, FlowKind kind, int rate)
    : cluster_(cluster), rate_(rate) {
  const std::vector<int> numbers = cluster.running();
  for (const int a : numbers)
    for (const int b : numbers)
      if (a < b) ends_.push_back((a + b) % 2 == 0 ? Ends{b, a} : Ends{a, b});
  std::vector<Flow> flows;
  const auto end = [&](int number) {
    netns::Host& host = cluster.host(number);
    return FlowEnd{host.network_namespace(), host.addresses().at(0)};
  };
  for (const Ends& ends : ends_)
    flows.push_back({end(ends.from), end(ends.to), kind, rate});
  flows_ = std::make_unique<netns::Flows>(flows);
  require_steady("the flows begin", 30s);
  taken_ = flows_->mark();
}

PairKind PairFlows::kind_of(const Ends& ends, int changing) const {
  if (ends.from == changing || ends.to == changing) return PairKind::changing;
  const bool from_ours = cluster_.runs(ends.from) == Runs::ours;
  const bool to_ours = cluster_.runs(ends.to) == Runs::ours;
  if (from_ours) return to_ours ? PairKind::ours_ours : PairKind::ours_go;
  return to_ours ? PairKind::go_ours : PairKind::go_go;
}

PairLosses PairFlows::take(int changing) {
  const FlowMark since = taken_;
  taken_ = flows_->mark();
  // What is under way.
  static_cast<void>(flows_->wait_for_arrival(since, taken_, 500ms));
  PairLosses losses;
  for (std::size_t i = 0; i < ends_.size(); ++i)
    losses[kind_of(ends_[i], changing)].add(flows_->count(i, since, taken_));
  return losses;
}

void PairFlows::require_steady(const std::string& when, std::chrono::milliseconds bound) {
  cluster_.rig().require_soon(when + ": all flows arrive", bound, [&] {
    const FlowMark since = flows_->mark();
    const std::uint32_t wanted = since.at(0) + static_cast<std::uint32_t>(rate_);
    if (!netns::wait_for([&] { return flows_->mark().at(0) >= wanted; }, 5s)) return false;
    return flows_->wait_for_arrival(since, flows_->mark(), 300ms);
  });
}

std::string markdown(const std::string& title, const PairLosses& losses) {
  std::string out = fmt::format(
      "| {} | flows | sent | lost | lost by a flow, mean | worst | longest gap, ms |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n",
      title);
  for (const auto& [kind, loss] : losses)
    out += fmt::format(
        "| {} | {} | {} | {} | {:.1f} | {} | {} |\n", text_of(kind), loss.flows, loss.sent,
        loss.lost, loss.mean(), loss.worst,
        std::chrono::duration_cast<std::chrono::milliseconds>(loss.longest_gap).count());
  return out;
}

}  // namespace wesher::interop
