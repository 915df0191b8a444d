// A few hosts on a virtual network with a virtual clock: whatever a Mesh wants sent arrives after a
// fixed latency, or not, if somebody cut the way. Nothing sleeps; `run` goes from event to event.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mesh/mesh.h"
#include "tests/mesh/support/samples.h"

namespace wesher::mesh::test {

/// One host, its mesh and everything that the mesh said. `facts` survive restarts, as a database
/// does; `rows` are the members that they add up to.
struct Host {
  std::string name;
  Endpoint endpoint;
  NodeMeta own;
  Config config;  ///< of the running mesh
  std::uint8_t cluster_key = 1;
  std::vector<Endpoint> seeds;
  std::unique_ptr<Mesh> mesh;
  std::vector<Fact> facts;
  std::map<std::string, Member> rows;
  std::uint32_t incarnation = 1;
  std::optional<Instant> timer;
  std::uint64_t life = 0;  ///< counts starts; what was under way to an earlier life is lost

  [[nodiscard]] bool up() const { return mesh != nullptr; }

  /// "web: configured", sorted.
  [[nodiscard]] std::vector<std::string> standings() const;
  [[nodiscard]] const Member& member(const std::string& other) const;

  [[nodiscard]] std::vector<std::string> notices() const { return texts(facts); }

  template <class F>
  [[nodiscard]] std::size_t count() const {
    std::size_t n = 0;
    for (const Fact& fact : facts)
      n += std::holds_alternative<F>(fact);
    return n;
  }
};

/// What the network does to datagrams, and streams as far as they can be lost.
struct Weather {
  std::uint64_t lost = 0;     ///< of 1,000
  std::uint64_t doubled = 0;  ///< of 1,000
  Duration jitter{};          ///< what a datagram takes longer, at most: they overtake each other
};

class Network {
 public:
  /// `seed` decides all that the network and its hosts do.
  explicit Network(std::uint64_t seed = 7) : seed_(seed), chance_(Rng::from_number(seed)) {}

  static constexpr Duration kLatency = 5ms;
  static constexpr Duration kConnectTimeout = 10s;

  /// A host at 192.0.2.`number` with overlay address 10.42.0.`number` and key `number`.
  Host& add(const std::string& name, std::uint8_t number);

  [[nodiscard]] Host& host(const std::string& name) { return *hosts_.at(name); }

  /// Starts a host from its rows and seeds.
  void start(Host& host, const std::vector<std::string>& seeds = {});
  /// It is gone without a word.
  void kill(Host& host);
  /// Leaves politely and stops; gives what LeaveDone told.
  std::optional<std::size_t> leave(Host& host, Duration max_wait = 10s);
  /// It has another WireGuard key from now on.
  void change_key(Host& host, const PublicKey& key);
  void run(Duration span);

  /// No packet and no stream passes between the two groups until `heal`.
  void cut(const std::set<std::string>& group);

  void heal() { cut_.clear(); }

  /// Delivers a datagram from anywhere.
  void inject(Host& to, const Endpoint& from, ByteView datagram);

  [[nodiscard]] Moment now() const { return at(clock_); }

  /// Every pair of hosts that is up configures the other.
  [[nodiscard]] bool converged() const;

  Weather weather;
  std::set<std::pair<std::string, std::string>>
      one_way;                          ///< nothing passes from the first to the second
  Duration wall_shift{};                ///< how wrong all wall clocks are
  std::function<void(Config&)> adjust;  ///< changes settings of hosts started from now on
  /// Sees every datagram before it is under way.
  std::function<void(Host&, const gossip::Transmit&)> on_datagram;
  std::uint64_t trace = 0;                          ///< a hash of all that arrived, and when
  std::uint64_t streams = 0;                        ///< opened so far
  std::uint64_t datagrams = 0;                      ///< sent so far
  std::map<Endpoint, std::vector<Duration>> calls;  ///< streams opened, by target

 private:
  [[nodiscard]] Moment moment() const;
  [[nodiscard]] bool passes(const Host& a, const Host& b) const;
  Host* at_endpoint(const Endpoint& endpoint);
  [[nodiscard]] bool happens(std::uint64_t of_1000);
  void note(const Host& to, ByteView bytes);
  void later(Duration delay, std::function<void()> what);
  void drain(Host& host);
  void send(Host& host, gossip::Transmit transmit);
  void take(Host& host, const Fact& fact);
  void open(Host& host, gossip::StreamRequest request);

  std::map<std::string, std::unique_ptr<Host>> hosts_;
  std::multimap<Duration, std::function<void()>> queue_;
  Duration clock_{};
  std::set<std::string> cut_;
  std::uint64_t seed_;
  Rng chance_;
};

}  // namespace wesher::mesh::test
