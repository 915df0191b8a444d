// UDP flows over the overlay that run beside a scenario, every packet of them accounted for: when
// it was sent, when it arrived. They live in a process of their own, whatever the scenario does.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "netns/support/process.h"

namespace wesher::netns {

enum class FlowKind {
  one_way,    ///< from → to
  both_ways,  ///< from → to and to → from, independent of each other
  request,    ///< from asks, to answers at once; what counts is the answer
};

/// One end: a host's network namespace (a descriptor) and the overlay address the socket is bound
/// to.
struct FlowEnd {
  int network_namespace = -1;
  std::string address;
};

struct Flow {
  FlowEnd from;
  FlowEnd to;
  FlowKind kind = FlowKind::one_way;
  int rate = 100;  ///< packets (questions) a second and direction
};

/// What became of the packets that a flow sent between two marks.
struct FlowCount {
  std::uint64_t sent = 0;  ///< both directions together; questions, where they are answered
  std::uint64_t lost = 0;  ///< sent, and never arrived (never answered)
  std::chrono::microseconds longest_gap{};    ///< between two arrivals in one direction
  std::chrono::microseconds longest_delay{};  ///< from sending to arrival (to the answer)
  std::string where;  ///< of the lost ones: when they were sent, after the first mark
};

/// A point in time in all flows: how many packets each direction had sent.
using FlowMark = std::vector<std::uint32_t>;

struct FlowBoard;  // what the two processes share

class Flows {
 public:
  /// Sockets are made here, and the flows begin at once. Throws if an address is not there.
  explicit Flows(const std::vector<Flow>& flows);
  ~Flows();
  Flows(const Flows&) = delete;
  Flows& operator=(const Flows&) = delete;

  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  [[nodiscard]] FlowMark mark() const;
  /// Waits until all that was sent between the marks has arrived; false if not all has in `bound`.
  [[nodiscard]] bool wait_for_arrival(const FlowMark& since,
                                      const FlowMark& until,
                                      std::chrono::milliseconds bound) const;
  /// Of one flow, by its index; what has not arrived yet counts as lost.
  [[nodiscard]] FlowCount count(std::size_t flow,
                                const FlowMark& since,
                                const FlowMark& until) const;

 private:
  std::vector<Flow> flows_;
  FlowBoard* board_ = nullptr;
  Process process_;
};

}  // namespace wesher::netns
