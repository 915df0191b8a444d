// Many members of a cluster, played by one process on one host of the rig: each has an underlay
// address, a name, a key and an overlay address of its own, answers pings from its address and
// hands out the whole table by push/pull. None of them is ever suspected, and none says anything
// but what the scenario tells it to.
#pragma once

#include <chrono>
#include <string>

#include <sys/types.h>

#include "netns/support/host.h"

namespace wesher::netns {

class Crowd {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// What it saw so far.
  struct Seen {
    int pings = 0;        ///< for its members, answered
    int push_pulls = 0;   ///< answered
    int accusations = 0;  ///< suspect and dead messages about its members
  };

  /// Members 1 to `size`, on `home`, in the cluster with this key (base64).
  Crowd(Host& home, const std::string& cluster_key, int size);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  [[nodiscard]] int size() const { return size_; }

  [[nodiscard]] static std::string name(int member);      ///< "m0001"
  [[nodiscard]] static std::string underlay(int member);  ///< of 172.30.0.0/16
  [[nodiscard]] static std::string overlay(int member);   ///< the Go program's, of 10.0.0.0/8
  [[nodiscard]] static std::string key(int member);       ///< base64

  /// Gives `host` the route to the members on `home`, by one next hop: a neighbour entry for each
  /// would be more than the kernel's table holds.
  static void make_reachable_from(const Host& host, const Host& home);

  /// One more member joins: it announces itself to `to` with one datagram. Gives back when.
  Time join(const Host& to);
  /// As many more join at once: `to` gets one push/pull that holds them all. Gives back when its
  /// last byte was written.
  Time join_at_once(const Host& to, int count);

  [[nodiscard]] Seen seen();

 private:
  int size_;
  int control_ = -1;
  pid_t process_ = -1;
};

}  // namespace wesher::netns
