// The simulation of claims: up to twelve nodes that want addresses of one small network, on a
// network that loses, doubles and delays what they say, with members of the Go program, liars,
// wrong clocks, lost disks, and names that pass on. Time goes in rounds; no gossip, no bytes, no
// signatures: thousands of runs a second. One seed decides everything.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/sim/support/claims_node.h"
#include "tests/sim/support/claims_watch.h"

namespace wesher::sim::claims {

struct Outcome {
  std::string broken;            ///< the first rule that did not hold, by name; empty: all did
  unsigned conflicts = 0;        ///< addresses held twice when the faults stopped
  unsigned address_rounds = 0;   ///< from then until no address was held twice
  unsigned rounds = 0;           ///< until everybody had everybody, and waited rightly
  unsigned moves = 0;            ///< forced ones, in the whole run
  unsigned stayed = 0;           ///< conflicts in the end because somebody had moved too often
  unsigned stayed_honestly = 0;  ///< of these, with one that did not lie
  unsigned waiting = 0;          ///< nodes without an address in the end
};

/// What happens in a run, after all have started.
enum class Course : std::uint8_t {
  faults,
  hunt,  ///< a liar wants the address of one node, whatever it is, again and again
};

/// `log`: tells on standard error what happens.
[[nodiscard]] Outcome run(std::uint64_t seed, bool log = false, Course course = Course::faults);

enum class Fault : std::uint8_t {
  cut,
  heal,
  one_way,
  restart,
  leave,
  clock,
  lie,
  impostor,
  replay,
  weather,
  jump,
  replace,
};

class World {
 public:
  World(std::uint64_t seed, bool log, Course course);

  /// Throws RuleBroken.
  void go(Outcome& outcome);

 private:
  static constexpr std::size_t kStationsMax = 12;

  enum class Kind : std::uint8_t { ours, legacy, liar };

  /// What a node of ours has of a name, for quick questions.
  struct View {
    enum class State : std::uint8_t { none, live, failed, left };
    State state = State::none;
    std::uint8_t place = 0;
    std::uint32_t incarnation = 0;
    Instant seen{};
  };

  struct Station {
    Kind kind = Kind::ours;
    Setup setup;
    Disk disk;
    std::unique_ptr<Node> node;  ///< ours, while it is up
    bool up = false;
    unsigned group = 0;
    std::chrono::milliseconds wall_step{};
    std::size_t name = 0;       ///< index
    std::optional<Said> said;   ///< last announced, while it is up
    std::vector<Said> history;  ///< the last few
    std::array<View, kStationsMax> views;
    std::uint64_t changes = 0;  ///< of the node's table, when it was last looked at
    bool left = false;          ///< it is down, and said so
  };

  // The network: claims.cpp.
  void round(Duration span);
  void listen(Station& to);
  void relay(Station& to);
  void notice_silence(Station& to);
  void deliver(Station& to, Station& from);
  void hear(Station& to, const Said& said, gossip::Proof proof);
  void ask_around(Station& to);
  void read_table(Station& to, const Station& of);
  void tick(Station& of);
  void flush(Station& of);
  void remind();
  void announce(Station& of, Said said);
  void look_at(Station& at, std::size_t name);
  [[nodiscard]] bool open(const Station& a, const Station& b) const;
  [[nodiscard]] bool reaches(const Station& a, const Station& b) const;
  [[nodiscard]] Station* at_place(std::uint8_t place);
  [[nodiscard]] std::size_t name_index(const std::string& name) const;
  [[nodiscard]] Moment now(const Station& at) const;

  // The cluster and what happens to it: claims_faults.cpp.
  void build();
  void name_stations(std::size_t count);
  void start(Station& station);
  void stop(Station& station);
  void wipe(Station& station);
  void step();
  void restart(Station& station);
  void leave(Station& station);
  void lie(Station& liar);
  void want(Station& liar, const IpAddress& address, WallTime since, bool for_good);
  void hunt();
  void impostor(Station& liar);
  void replay(Station& liar);
  void jump();
  void replace();

  // The end: claims_calm.cpp.
  void calm();
  void settle_names();
  [[nodiscard]] std::string unsettled() const;
  [[nodiscard]] std::string unsettled_view(const Station& at, const Station& of) const;
  [[nodiscard]] bool is_lied_about(const Station& at, const Station& of) const;
  [[nodiscard]] std::string unsettled_address(const Station& of) const;
  [[nodiscard]] bool nobody_tells(const Station& of, const IpAddress& address) const;
  [[nodiscard]] bool is_held(const IpAddress& address, const Station* except = nullptr) const;
  /// Whether these two still have to settle who has their address.
  [[nodiscard]] bool conflict(const Station& a, const Station& b) const;
  [[nodiscard]] unsigned conflicts() const;
  void count_stays(Outcome& outcome) const;

  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return rng_.u64() % below; }

  [[nodiscard]] bool one_in(std::uint64_t n) { return pick(n) == 0; }

  [[nodiscard]] Station& any() { return *stations_[pick(stations_.size())]; }

  [[nodiscard]] Station* any_of(Kind kind);

  void log(const std::string& line) const;

  Rng rng_;
  bool log_;
  Watch watch_;
  Prefix net_;
  std::vector<std::unique_ptr<Station>> stations_;
  std::vector<std::string> names_;
  std::array<std::uint32_t, kStationsMax> incarnations_{};
  std::vector<std::pair<Station*, std::string>> reminders_;
  std::vector<std::pair<const Station*, const Station*>> one_way_;
  unsigned lost_ = 0;  ///< of 100
  unsigned late_ = 0;  ///< of 100: an older record comes first
  bool hunted_;
  bool calm_ = false;
  std::uint8_t places_ = 0;
  Duration clock_{};
};

}  // namespace wesher::sim::claims
