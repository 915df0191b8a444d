// A whole cluster of real nodes in memory: virtual clock, a network with delay, loss and cuts, all
// of it from one seed. The same seed gives the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gossip/node.h"

namespace wesher::gossip::testing {

class Cluster {
 public:
  /// `loss`: the share of datagrams that is lost; streams are reliable.
  explicit Cluster(std::size_t nodes, std::uint64_t seed = 1, double loss = 0);
  ~Cluster();

  [[nodiscard]] std::size_t size() const { return hosts_.size(); }

  [[nodiscard]] Node& node(std::size_t i) { return *hosts_[i].node; }

  [[nodiscard]] std::string name(std::size_t i) const { return "node-" + std::to_string(i); }

  [[nodiscard]] Endpoint endpoint(std::size_t i) const;

  [[nodiscard]] Instant now() const { return now_; }

  /// Announces node `i` and lets it join through node `seed`.
  void start(std::size_t i, std::size_t seed);
  /// All join through node 0; returns when everybody knows everybody, or false after `max`.
  bool converge(Duration max);

  /// A host loses its power. Its datagrams and streams go nowhere.
  void kill(std::size_t i) { hosts_[i].up = false; }

  /// A fresh node in the place of `i`, with the same name and address.
  void restart(std::size_t i);

  /// Nodes of different groups can't reach each other; all are in group 0 at first.
  void group(std::size_t i, int group) { hosts_[i].group = group; }

  /// Datagrams from `a` to `b` are lost.
  void drop_datagrams(std::size_t a, std::size_t b) { mute_.emplace_back(a, b); }

  /// Lets node `i` do something and sends what it has to say about it.
  template <class Action>
  void act(std::size_t i, Action action) {
    action(node(i), now_);
    collect(i);
  }

  void run(Duration duration);
  /// Runs until `done`; how long it took, or a negative duration after `max`.
  Duration run_until(const std::function<bool()>& done, Duration max);

  /// How node `i` holds node `j`; dead if it does not know it.
  [[nodiscard]] RecordState view(std::size_t i, std::size_t j);
  /// Whether all running nodes hold `j` in `state`.
  [[nodiscard]] bool all_hold(std::size_t j, RecordState state);
  [[nodiscard]] bool knows(std::size_t i, std::size_t j);

  [[nodiscard]] const std::vector<Event>& events(std::size_t i) const { return hosts_[i].events; }

  [[nodiscard]] std::uint64_t datagrams() const { return datagrams_; }

 private:
  struct Host {
    std::unique_ptr<Node> node;
    bool up = true;
    int group = 0;
    unsigned lives = 0;
    std::vector<Event> events;
  };

  void create(std::size_t i);
  void step(Instant until);
  void collect(std::size_t i);
  void send(std::size_t from, Transmit transmit);
  void open(std::size_t from, StreamRequest request);
  void serve(std::size_t from, std::size_t to, const StreamRequest& request);
  [[nodiscard]] std::size_t at(const Endpoint& to) const;
  [[nodiscard]] bool connected(std::size_t a, std::size_t b) const;
  void later(Duration delay, std::function<void()> action);

  std::uint64_t seed_;
  double loss_;
  Rng rng_;
  Instant now_{std::chrono::hours{1}};
  std::vector<Host> hosts_;
  std::vector<std::pair<std::size_t, std::size_t>> mute_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> agenda_;
  std::uint64_t next_action_ = 0;
  std::uint64_t datagrams_ = 0;
};

}  // namespace wesher::gossip::testing
