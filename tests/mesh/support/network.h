// A few hosts on a virtual network with a virtual clock: whatever a Mesh wants sent arrives after a
// fixed latency, or not, if somebody cut the way. Nothing sleeps; `run` goes from event to event.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "mesh/mesh.h"
#include "tests/mesh/support/samples.h"
#include "tests/mesh/support/station.h"

namespace wesher::mesh::test {

/// One host, its mesh and everything that the mesh said. `facts` survive restarts, as a database
/// does; `rows` are the members that they add up to.
struct Host final : Station {
  NodeMeta own;
  Config config;  ///< of the running mesh
  std::uint8_t cluster_key = 1;
  std::uint8_t identity = 0;  ///< its seed is 32 such bytes; 0: it signs nothing
  WallTime claimed{};         ///< when it claimed `own.overlay`, as the key file has it
  bool claim_is_new = true;
  std::uint64_t epoch = 1;
  std::vector<Endpoint> seeds;
  std::unique_ptr<Mesh> mesh;
  std::vector<Fact> facts;
  std::map<std::string, Member> rows;
  std::uint32_t incarnation = 1;  ///< first one that no earlier life reserved: the key file
  std::uint64_t inputs = 0;       ///< since the rules were last checked in full
  Duration reservation_takes{};   ///< until the key file with new incarnations is on the disk

  [[nodiscard]] bool up() const override { return mesh != nullptr; }

  void packet(const Endpoint& from, ByteView datagram, Moment now) override {
    mesh->handle_packet(from, datagram, now);
  }

  [[nodiscard]] std::optional<Bytes> request(const Endpoint& from,
                                             ByteView frame,
                                             Moment now) override {
    return mesh->handle_request(from, frame, now);
  }

  void reply(gossip::StreamId id, ByteView frame, Moment now) override {
    mesh->handle_reply(id, frame, now);
  }

  void stream_failed(gossip::StreamId id, const std::string& reason, Moment now) override {
    mesh->handle_stream_failed(id, reason, now);
  }

  void stream_done(gossip::StreamId id, Moment now) override { mesh->handle_stream_done(id, now); }

  void timeout(Moment now) override { mesh->handle_timeout(now); }

  [[nodiscard]] std::optional<gossip::Transmit> poll_transmit() override {
    return mesh->poll_transmit();
  }

  [[nodiscard]] std::optional<gossip::StreamRequest> poll_stream() override {
    return mesh->poll_stream();
  }

  [[nodiscard]] std::optional<Instant> poll_timeout() const override {
    return mesh->poll_timeout();
  }

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

  friend bool operator==(const Weather&, const Weather&) = default;
};

/// Where the overlay addresses of all hosts are.
inline const Prefix kOverlayNet{IpAddress::v4(10, 42, 0, 0), 16};

class Network {
 public:
  /// `seed` decides all that the network and its hosts do.
  explicit Network(std::uint64_t seed = 7) : seed_(seed), chance_(Rng::from_number(seed)) {}

  static constexpr Duration kLatency = 5ms;
  static constexpr Duration kConnectTimeout = 10s;
  static constexpr Duration kDisk = 2ms;  ///< until the key file is written

  /// A host at 192.0.2.`number` with overlay address 10.42.0.`number` and key `number`.
  Host& add(const std::string& name, std::uint8_t number);
  Host& add(const std::string& name, const Endpoint& endpoint, const NodeMeta& own);
  /// A station of another kind; it belongs to the caller, and outlives the network.
  void attach(Station& station);

  [[nodiscard]] Host& host(const std::string& name) { return *hosts_.at(name); }

  /// Starts a host from its rows and seeds.
  void start(Host& host, const std::vector<std::string>& seeds = {});
  /// A new life of it begins now: what was under way to it is lost, its outputs are drained.
  void started(Station& station);
  /// It is gone without a word.
  void kill(Host& host);
  /// Leaves politely and stops; gives what LeaveDone told.
  std::optional<std::size_t> leave(Host& host, Duration max_wait = 10s, bool for_good = false);
  /// Says goodbye and is gone, so that nobody can ask.
  void leave_at_once(Host& host);
  /// It has another WireGuard key from now on.
  void change_key(Host& host, const PublicKey& key);
  void run(Duration span);

  /// No packet and no stream passes between the two groups until `heal`.
  void cut(const std::set<std::string>& group);
  void heal();

  /// Delivers a datagram from anywhere.
  void inject(Station& to, const Endpoint& from, ByteView datagram);
  /// Sends what it has to say, wakes it when it wants, and checks the rules. After every input.
  void drain(Station& station);

  [[nodiscard]] Moment now() const { return at(clock_); }

  /// The host is at 192.0.2.`number` when it starts next.
  void place(Host& host, std::uint8_t number);
  /// The host is at 192.0.2.`number` from now on, and tells.
  void move(Host& host, std::uint8_t number);

  /// The clocks of a host: the wall clock may have been set.
  [[nodiscard]] Moment now(const Station& station) const;

  /// Whether a station of this name runs.
  [[nodiscard]] bool is_up(const std::string& name) const;
  /// Every pair of hosts that is up configures the other.
  [[nodiscard]] bool converged() const;
  /// Whether anything is wrong with the network or a process at present.
  [[nodiscard]] bool disturbed() const;

  /// How long nothing has been wrong.
  [[nodiscard]] Duration quiet() const { return disturbed() ? Duration{} : clock_ - disturbed_; }

  /// False: facts are thrown away and no rule is checked, for very large clusters.
  bool watched = true;
  /// False: facts are kept, but no rule is checked after inputs, for clusters with large tables.
  bool checked = true;
  Weather weather;
  std::set<std::pair<std::string, std::string>>
      one_way;                          ///< nothing passes from the first to the second
  std::function<void(Config&)> adjust;  ///< changes settings of hosts started from now on
  /// Sees every datagram before it is under way.
  std::function<void(Station&, const gossip::Transmit&)> on_datagram;
  /// Sees every fact before it is in the rows.
  std::function<void(Host&, const Fact&)> on_fact;
  /// Sees what an input made a station say.
  std::function<void(Station&, const Output&)> on_output;
  std::uint64_t trace = 0;                          ///< a hash of all that arrived, and when
  std::uint64_t streams = 0;                        ///< opened so far
  std::uint64_t datagrams = 0;                      ///< sent so far
  std::uint64_t bytes = 0;                          ///< in datagrams and frames sent so far
  std::map<Endpoint, std::vector<Duration>> calls;  ///< streams opened, by target

 private:
  [[nodiscard]] Config config_of(const Host& host) const;

  struct Event {
    Duration due;
    std::uint64_t order;  ///< of events of one time, that which was planned first comes first
    Station* station = nullptr;  ///< to wake; else `what`
    std::function<void()> what;

    friend bool operator>(const Event& a, const Event& b) {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };

  struct EndpointHash {
    std::size_t operator()(const Endpoint& endpoint) const {
      std::size_t hash = endpoint.port;
      for (const std::uint8_t byte : endpoint.address.bytes())
        hash = hash * 0x100000001b3U + byte;
      return hash;
    }
  };

  [[nodiscard]] bool passes(const Station& a, const Station& b) const;
  Station* at_endpoint(const Endpoint& endpoint);
  [[nodiscard]] bool happens(std::uint64_t of_1000);
  void note(const Station& to, ByteView arrived);
  void later(Duration delay, std::function<void()> what);
  void push(Event event);
  void wake(Station& station);
  void arm(Station& station);
  void deliver(Station& to, std::uint64_t life, std::function<void()> input);
  void send(Station& sender, gossip::Transmit transmit);
  void take(Host& host, const Fact& fact);
  void store_claim(Host& host, const OwnClaim& claim);
  void store_format(Host& host, MetaFormat format);
  void open(Station& caller, gossip::StreamRequest request);
  void connected(Station& caller, Station& to, const gossip::StreamRequest& request);
  void tell_failed(Station& caller, gossip::StreamId id, Duration after, std::string reason);

  std::map<std::string, std::unique_ptr<Host>> hosts_;
  std::vector<Station*> stations_;
  std::unordered_map<Endpoint, Station*, EndpointHash> places_;
  std::vector<Event> queue_;  ///< a heap, the next one first
  std::uint64_t order_ = 0;
  Duration clock_{};
  Duration disturbed_{};  ///< when something was last wrong
  std::uint64_t seed_;
  Rng chance_;
};

}  // namespace wesher::mesh::test
