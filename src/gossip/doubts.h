// Deaths and leaves that are not believed yet. Whoever is said to be gone is asked directly, and is
// told what is said: if that is wrong, its refutation is here after one round trip, whoever
// believed it meanwhile (the gossip that others wait for takes them a minute). If it says so
// itself, or is silent three times, it is true. memberlist has none of this; what is sent are its
// ordinary pings, with the accusation as in its probe of a suspect.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gossip/core.h"

namespace wesher::gossip {

class Doubts {
 public:
  explicit Doubts(Core& core) : core_(core) {}

  /// Asks the member whether the claim is true. False: too many are being asked.
  bool begin(const Member& member, const wire::Dead& claim, Instant now);
  /// Remembers what was said to come after the claim: the member at another address.
  void follow(const wire::AliveView& claim);
  /// The claim about that member is settled: what was said to come after it.
  std::optional<wire::Alive> end(std::string_view name);

  [[nodiscard]] bool contains(std::string_view name) const { return open_.contains(name); }

  /// Whose answer that number is; empty: nobody's.
  [[nodiscard]] std::string_view asked_under(std::uint32_t sequence) const;
  /// The member answers, whatever it thinks of the claim.
  bool on_ack(std::uint32_t sequence);

  /// Asks again where it is time. The claims that silence has proven.
  [[nodiscard]] std::vector<wire::Dead> timeout(Instant now);
  [[nodiscard]] std::optional<Wakeup> next() const;

 private:
  struct Doubt {
    wire::Dead claim;
    std::optional<wire::Alive> successor;
    std::vector<std::uint32_t> sequences;  ///< of all its pings
    unsigned silent = 0;                   ///< pings in a row without an answer
    bool answered = false;                 ///< the last ping
    Instant due;
  };

  using Open = std::map<std::string, Doubt, std::less<>>;

  void ask(const Member& member, Doubt& doubt, Instant now);
  void close(Open::iterator doubt);

  Core& core_;
  Open open_;
  std::map<std::uint32_t, std::string> numbers_;
  std::map<std::pair<Instant, std::string>, Open::iterator> due_;
};

}  // namespace wesher::gossip
