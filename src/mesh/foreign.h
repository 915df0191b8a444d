// Counts packets that could not be decrypted, per source. Everything about them is hostile: the
// table is bounded, and what comes out is one count per source and 10 s and one line per source and
// 10 min. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "mesh/fact.h"

namespace wesher::mesh {

class Foreign {
 public:
  static constexpr std::size_t kSources = 256;
  static constexpr Duration kCountEvery = std::chrono::seconds{10};
  static constexpr Duration kLineEvery = std::chrono::minutes{10};

  void count(const IpAddress& source, Instant now);
  /// The counts whose 10 s are over, and lines for those that had none for 10 min.
  [[nodiscard]] std::vector<Fact> take_due(Instant now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  [[nodiscard]] std::size_t size() const { return sources_.size(); }

 private:
  struct Source {
    std::uint64_t fresh = 0;   ///< since the last fact
    std::uint64_t unsaid = 0;  ///< since the last line
    Instant last_fact{};
    std::optional<Instant> last_line;
  };

  void make_room(Instant now);

  std::map<IpAddress, Source> sources_;
  std::set<std::pair<Instant, IpAddress>> due_;
  Instant next_purge_{};
};

}  // namespace wesher::mesh
