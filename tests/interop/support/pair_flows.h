// Flows between all pairs of a cluster while its nodes are replaced, and what each kind of pair
// lost.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "interop/support/mixed_cluster.h"
#include "netns/support/flow.h"

namespace wesher::interop {

/// What the two ends of a flow run while something happens. Of one-way flows the sender is first.
enum class PairKind { ours_ours, ours_go, go_ours, go_go, changing };

/// What flows of one kind of pair lost, all together.
struct PairLoss {
  int flows = 0;  ///< flows watched, once for each time
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::uint64_t worst = 0;  ///< lost by one flow at one time
  std::chrono::microseconds longest_gap{};

  void add(const netns::FlowCount& count);
  void add(const PairLoss& other);
  /// Lost by one flow at one time, on average.
  [[nodiscard]] double mean() const;
};

using PairLosses = std::map<PairKind, PairLoss>;

class PairFlows {
 public:
  /// One flow a pair, of this kind, between all running nodes; of one-way flows half go from the
  /// smaller number to the larger one. Waits until they are steady.
  PairFlows(MixedCluster& cluster, netns::FlowKind kind, int rate);

  /// What was sent since the last call (or the start). Pairs count as what their nodes run now;
  /// those with `changing`, a node or 0, count apart.
  PairLosses take(int changing);

  /// Fails the scenario unless in time everything arrives that is sent for a second.
  void require_steady(const std::string& when, std::chrono::milliseconds bound);

 private:
  struct Ends {
    int from;
    int to;
  };

  [[nodiscard]] PairKind kind_of(const Ends& ends, int changing) const;

  MixedCluster& cluster_;
  std::vector<Ends> ends_;
  int rate_;
  std::unique_ptr<netns::Flows> flows_;
  netns::FlowMark taken_;
};

/// A table in markdown: a row for each kind of pair.
[[nodiscard]] std::string markdown(const std::string& title, const PairLosses& losses);

}  // namespace wesher::interop
