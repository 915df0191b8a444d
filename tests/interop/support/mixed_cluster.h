// A cluster in which each host runs the Go wesher or ours, and now one and now the other.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "interop/support/go_peer.h"

namespace wesher::interop {

enum class Runs { nothing, go, ours };

class MixedCluster {
 public:
  /// Hosts n1, n2, ... of a rig, none of which runs anything yet. `format` is what the metadata of
  /// its Go nodes are, hence which files they have.
  MixedCluster(int hosts, std::string format);

  netns::Rig& rig() { return rig_; }

  netns::Host& host(int number) { return rig_.host(number); }

  [[nodiscard]] Runs runs(int number) const;
  [[nodiscard]] std::vector<int> running() const;
  GoPeer& go(int number);

  /// The first start of a Go node: with the cluster's key, joins those that run.
  void start_go(int number);
  /// As start_go(), in another cluster, which these hosts are to be.
  void start_go_elsewhere(int number, const std::string& key, const std::vector<int>& members);
  /// A start with nothing given: key and seeds come from what is on the host.
  void restart_go(int number);
  /// Starts our daemon with these options only.
  void start_ours(int number,
                  const std::vector<std::string>& arguments = {},
                  const std::vector<std::string>& variables = {});
  /// The first start of ours where nothing of the cluster is known: with its key, joins those that
  /// run.
  void start_ours_with_key(int number);
  /// Ends what runs there as a service manager does.
  void stop(int number);
  /// Ends it without a word.
  void kill(int number);

  /// Nothing comes from one of these hosts to the other any more, in both directions; heal() ends
  /// all of that.
  void split(const std::vector<int>& side, const std::vector<int>& other);
  void heal();

  /// The WireGuard key that a running node has now.
  [[nodiscard]] std::string key(int number);
  /// Whether each of these has the keys of all others as peers.
  [[nodiscard]] bool knows_all(const std::vector<int>& numbers);
  /// Fails the scenario unless all running ones (or these) have each other's keys in time. Sends
  /// nothing over the overlay.
  void require_keys(const std::string& when,
                    std::chrono::milliseconds bound,
                    std::vector<int> numbers = {});
  /// Also unless they reach each other over the overlay in both directions. Gives back how long it
  /// took.
  std::chrono::milliseconds require_reach(const std::string& when,
                                          std::chrono::milliseconds bound,
                                          std::vector<int> numbers = {});
  /// Waits for that time, and fails the scenario unless nobody in any of these groups loses another
  /// one meanwhile: its key, and at the end its pings.
  void require_lasting(std::chrono::seconds time, const std::vector<std::vector<int>>& groups);

 private:
  struct Node {
    Runs runs = Runs::nothing;
    std::unique_ptr<GoPeer> go;
  };

  struct Way {
    int from;
    int to;
  };

  /// Sends one ping each way, all at once, and leaves those that were not answered.
  void ping(std::vector<Way>& ways);
  [[nodiscard]] std::vector<std::string> seeds(int number, const std::vector<int>& members) const;
  void start_go(int number, const std::string& cluster_key, std::vector<std::string> join);

  netns::Rig rig_;
  std::string format_;
  std::vector<Node> nodes_;
  std::set<int> split_;
};

}  // namespace wesher::interop
