// Pings of ours outside the probe round: those that we relay for others (indirect pings) and those
// that somebody asked for. memberlist net.go handleIndirectPing, with the nack sent early as the
// Lifeguard paper has it: with WAN defaults Go's arrives after the requester gave up.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/budget.h"
#include "gossip/core.h"
#include "wire/limits.h"

namespace wesher::gossip {

class Pings {
 public:
  explicit Pings(Core& core) : core_(core) {}

  /// A single ping to a valid name; what we hold against the member goes with it, so that it can
  /// refute.
  void ping(const std::string& name, const Endpoint& to, Instant now);
  /// Pings on behalf of `from`, but only endpoints of known members.
  void relay(const Endpoint& from, const wire::IndirectPing& request, Instant now);
  void on_ack(std::uint32_t sequence);
  /// Whom a ping of ours with that number asks; empty: nobody, or it was relayed.
  [[nodiscard]] std::string_view asked_under(std::uint32_t sequence) const;

  void timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  struct Requester {
    Endpoint endpoint;
    std::uint32_t sequence = 0;
    bool nack = false;  ///< wanted, and not sent yet
  };

  struct Waiting {
    std::string name;
    std::optional<Requester> requester;
    Instant until;
  };

  std::uint32_t wait(Waiting waiting, Instant wake);
  void send_nack(const Endpoint& to, std::uint32_t sequence);

  Core& core_;
  Budget relays_{limits::kRelays};
  std::map<std::uint32_t, Waiting> waiting_;
  std::set<std::pair<Instant, std::uint32_t>> wakes_;
};

}  // namespace wesher::gossip
