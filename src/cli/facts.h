// What the reading commands look at, gathered before anything is judged or printed: what the
// database says, whether the daemon runs, what the kernel and the hosts file say. Plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/member.h"
#include "model/state.h"
#include "store/repository.h"

namespace wesher::cli {

/// Everything that the database of one interface says.
struct Facts {
  std::string interface;
  std::optional<store::SelfRow> self;  ///< nothing before the daemon's first batch
  std::map<std::string, std::string> options;
  std::vector<Member> members;  ///< others than this host, sorted by name
  std::optional<Desired> desired;
  store::AppliedReport applied;
  std::vector<store::HealthRow> health;
  std::vector<store::HistoryEntry> history;  ///< newest first, at most kHistoryShownMax
  std::vector<store::DriftRow> drift;        ///< what others changed, newest first
  std::vector<store::Request> requests;      ///< newest first, at most kRequestsShownMax
  bool adopting = false;
};

inline constexpr std::size_t kHistoryShownMax = 50;
inline constexpr std::size_t kRequestsShownMax = 50;

enum class DaemonState : std::uint8_t {
  running,
  changing,  ///< starting or stopping: the lock is held by somebody the database does not tell of
  stopped,
};

/// The kernel and the hosts file, or why they could not be read.
struct Live {
  std::optional<Observed> observed;
  std::string problem;       ///< one sentence; empty when `observed` is there
  std::string backend;       ///< "kernel WireGuard", "wireguard-go"
  std::string hosts_text{};  ///< the hosts file, where line numbers are wanted; else empty
};

/// Everything that `status` is made of.
struct Snapshot {
  Facts facts;
  DaemonState daemon = DaemonState::stopped;
  Live live;
  WallTime now{};
};

}  // namespace wesher::cli
