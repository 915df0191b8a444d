// The hosts of one scenario on one bridge, and what most scenarios ask of them. When a scenario
// fails, it tells all about every host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "netns/support/host.h"
#include "netns/support/settings.h"

namespace wesher::netns {

class Rig {
 public:
  /// Hosts n1, n2, ... on one bridge. Skips where a tool or WireGuard is missing.
  explicit Rig(int hosts, Underlay underlay = Underlay::ipv4);
  /// Hosts of these names.
  explicit Rig(const std::vector<std::string>& names, Underlay underlay = Underlay::ipv4);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// Counts from 1, as the names do.
  [[nodiscard]] Host& host(int number) { return *hosts_.at(static_cast<std::size_t>(number - 1)); }

  [[nodiscard]] const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }

  /// A cluster key drawn for this scenario.
  [[nodiscard]] const std::string& key() const { return key_; }

  /// Where a host joins: n1's underlay address, or that of the given one.
  [[nodiscard]] std::string seed(int number = 1) { return host(number).underlay_address(); }

  /// Starts n1, then the others with --join to it, all with key().
  void start_all(const std::vector<std::string>& arguments = {});
  /// Starts one with key(), with --join to n1 unless it is n1.
  void start(int number, const std::vector<std::string>& arguments = {});
  /// Fails the scenario unless all these hosts know each other: names, peers, pings both ways.
  void require_mesh(const std::vector<int>& numbers, std::chrono::milliseconds bound = 60s);
  void require_mesh(std::chrono::milliseconds bound = 60s);

  /// Fails the scenario unless each of these hosts has all the others alive in time.
  void require_alive(const std::vector<int>& numbers, std::chrono::milliseconds bound);

  /// Fails the scenario unless each of these hosts has exactly the others as peers, routes and
  /// hosts lines, and no more than that, in time.
  void require_exactly(const std::vector<int>& numbers, std::chrono::milliseconds bound = 30s);

  /// Fails the scenario with `what` unless the condition comes true in time (times the patience of
  /// the settings).
  template <class Condition>
  void require_soon(const std::string& what,
                    std::chrono::milliseconds bound,
                    Condition&& condition) {
    bound *= settings().patience;
    if (!wait_for(condition, bound)) fail("not within " + bound_text(bound) + ": " + what);
  }

  /// As require_soon, and records how long it took, to the 50 ms of a look.
  template <class Condition>
  void require_repair(const std::string& what,
                      std::chrono::milliseconds bound,
                      Condition&& condition) {
    const auto began = std::chrono::steady_clock::now();
    require_soon(what, bound, condition);
    record(what, std::chrono::steady_clock::now() - began);
  }

 private:
  static void fail(const std::string& what);
  [[nodiscard]] static std::string bound_text(std::chrono::milliseconds bound);
  static void record(const std::string& what, std::chrono::nanoseconds took);

  std::vector<std::unique_ptr<Host>> hosts_;
  std::string key_;
  int exceptions_at_start_;
};

/// 32 random bytes as base64.
[[nodiscard]] std::string random_key();

}  // namespace wesher::netns
