// The --join addresses: when to try which again, and what to say about it. Pure.
//
// Each seed is tried at once, then with pauses that double up to the maximum, for ever, while none
// of the seeds is an alive member. People hear of each situation of a seed once: refused, silent,
// reached; again only after the seed was reached in between.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/ip.h"
#include "base/random.h"
#include "base/time.h"
#include "mesh/fact.h"

namespace wesher::mesh {

class Seeds {
 public:
  static constexpr std::size_t kSeedsMax = 64;  ///< addresses of all --join names together
  static constexpr std::size_t kSaidMax = 8;    ///< situations remembered per seed

  /// `cluster`: our fingerprint, for the line about another key.
  Seeds(Duration retry_first, Duration retry_max, std::string cluster)
      : retry_first_(retry_first), retry_max_(retry_max), cluster_(std::move(cluster)) {}

  /// Replaces the set, kSeedsMax at most; known ones keep their history, new ones are due at once.
  void set(const std::vector<Endpoint>& seeds, Instant now);

  [[nodiscard]] std::vector<Endpoint> all() const;
  [[nodiscard]] bool contains(const Endpoint& seed) const;

  [[nodiscard]] bool empty() const { return seeds_.empty(); }

  /// The seeds to be tried now; each waits for its `result` from here on.
  [[nodiscard]] std::vector<Endpoint> take_due(Instant now);
  /// Marks a seed as being tried.
  void tried(const Endpoint& seed);
  /// How a try went: facts for `status` and for people, in order. Unknown seeds give nothing.
  [[nodiscard]] std::vector<Fact> result(
      const Endpoint& seed, bool ok, const std::string& reason, const Moment& now, Rng& rng);
  /// When the next is due.
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

 private:
  struct Seed {
    Seed(Backoff pauses, Instant first) : backoff(pauses), due(first) {}

    Backoff backoff;
    Instant due;
    bool in_flight = false;
    std::optional<bool> ok;
    std::uint64_t tries = 0;
    WallTime since{};
    std::set<std::string> said;
  };

  [[nodiscard]] std::string line(const Endpoint& seed,
                                 const std::string& reason,
                                 Duration pause) const;

  Duration retry_first_;
  Duration retry_max_;
  std::string cluster_;
  std::map<Endpoint, Seed> seeds_;
};

}  // namespace wesher::mesh
