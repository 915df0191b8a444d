// One run as data: hosts, settings, and the list of everything that will be done to them. Made from
// a seed, or read from a file; what is in the list is no random draw any more, so that a failing
// run can be cut down entry by entry.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "gossip/config.h"

namespace wesher::sim {

/// Time since the beginning of the run.
using Time = Duration;

inline constexpr Time kForever = std::chrono::hours{24 * 365};
inline constexpr unsigned kHostsMax = 64;  ///< faults name hosts by bits

/// What is done at one point of a run. Those with a span end by themselves, or when the faults stop.
enum class Kind : std::uint8_t {
  start,      ///< the host starts for the first time
  crash,      ///< killed; starts again after the span from what its disk holds
  forget,     ///< the same, but its database is lost and its key file is not
  wipe,       ///< the same, but all its state is lost: another key, numbers from 1
  leave,      ///< says goodbye and stops; starts again after the span
  rekey,      ///< another WireGuard key
  pause,      ///< the process does nothing; what arrives waits
  wall,       ///< the wall clock is set by `amount` seconds
  slow_disk,  ///< what is stored is durable only after `amount` seconds
  partition,  ///< hosts are separated, in the shape `amount`
  cut,        ///< nothing passes from `mask` to `other`
  clog,       ///< what goes to and from the host is held until the end
  loss,       ///< datagrams are lost with probability `amount`
  delay,      ///< everything takes up to `amount` seconds longer
  duplicate,  ///< datagrams arrive twice with probability `amount`
  reorder,    ///< each datagram takes up to `amount` seconds longer
  corrupt,    ///< bits of datagrams are flipped with probability `amount`
  mtu,        ///< datagrams of more than `amount` bytes are lost
  stall,      ///< streams hang with probability `amount`
  reset,      ///< streams break with probability `amount`
  refuse,     ///< datagrams that can't pass are told to the sender with probability `amount`
};

/// How a partition separates: `mask` and `other` are sets of hosts, "rest" is everybody else.
enum class Shape : std::uint8_t {
  split,    ///< mask | rest
  islands,  ///< mask | other | rest
  bridge,   ///< mask | other, and the rest sees both
  ring,     ///< everybody sees two neighbours only
  alone,    ///< nobody sees anybody
};

struct Step {
  Time at{};
  Kind kind = Kind::start;
  unsigned host = 0;
  Time span{};
  double amount = 0;
  std::uint64_t mask = 0;
  std::uint64_t other = 0;

  friend bool operator==(const Step&, const Step&) = default;
};

struct HostSpec {
  bool stock = false;       ///< follows memberlist's rules instead of ours
  std::uint64_t seeds = 0;  ///< hosts whose addresses it is given

  friend bool operator==(const HostSpec&, const HostSpec&) = default;
};

/// Settings of all hosts of a run.
struct Knobs {
  gossip::Config gossip;
  Duration failed_retention = std::chrono::hours{72};
  Duration left_retention = std::chrono::days{30};
  Duration reconnect_interval = std::chrono::seconds{30};
  Duration seed_retry_first = std::chrono::seconds{2};
  Duration seed_retry_max = std::chrono::seconds{60};
  std::uint32_t reserve = 1000;  ///< incarnations that a start reserves
};

struct Scenario {
  std::uint64_t seed = 0;
  Time safety{};  ///< faults stop and links heal here
  Knobs knobs;
  bool liar = false;      ///< somebody who holds the key tells lies until then
  bool replayer = false;  ///< somebody sends captured datagrams again until then
  std::vector<HostSpec> hosts;
  std::vector<Step> steps;  ///< by time
};

/// What the seed stands for. `without`: kinds that are left out ("loss", "knobs", "stock", …), the
/// rest is as it would be; `hosts`: at most that many, 0 for all.
[[nodiscard]] Scenario make_scenario(std::uint64_t seed,
                                     const std::set<std::string>& without = {},
                                     unsigned hosts = 0);

/// Takes out what concerns hosts from `hosts` on.
void keep_hosts(Scenario& scenario, unsigned hosts);

[[nodiscard]] std::string_view to_text(Kind kind);
/// Kinds that occur in a scenario, "knobs", "stock", "liar" and "replayer" among them.
[[nodiscard]] std::set<std::string> kinds_of(const Scenario& scenario);
void drop_kind(Scenario& scenario, const std::string& kind);

[[nodiscard]] std::string to_text(const Scenario& scenario);
/// Errors name the line.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text);

}  // namespace wesher::sim
