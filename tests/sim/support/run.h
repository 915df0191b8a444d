// One run of a plan: first a time of faults, in which no rule may ever be broken, then a calm in
// which everybody must find everybody. Then somebody with the key repeats what is out of date:
// nothing may change by that, and a host that dies must be found dead.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/mesh/support/network.h"
#include "tests/sim/support/plan.h"
#include "tests/sim/support/stock_host.h"
#include "tests/sim/support/watch.h"

namespace wesher::sim {

struct Outcome {
  std::uint64_t trace = 0;
  Duration whole{};       ///< from the last fault until everybody knew everybody
  unsigned stranded = 0;  ///< stock nodes that nobody knew any more, started again by hand
  Peaks peaks;
  std::string broken;  ///< the first rule that did not hold, by name; empty: all did
};

/// A rule more, asked after every step; for tests of the simulation itself.
using Rule = std::function<std::optional<std::string>(const mesh::test::Network&)>;

[[nodiscard]] Outcome run(const Plan& plan, const Rule& rule = nullptr);

class Run {
 public:
  explicit Run(const Plan& plan);

  /// The run itself; throws RuleBroken.
  void go(const Rule& rule, Outcome& outcome);

  [[nodiscard]] const mesh::test::Network& network() const { return net_; }

  [[nodiscard]] const Peaks& peaks() const { return watch_.peaks(); }

 private:
  using Host = mesh::test::Host;
  using Station = mesh::test::Station;

  // The cluster and its judgement: run.cpp.
  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return rng_.u64() % below; }

  [[nodiscard]] Station& any() { return *all_[pick(all_.size())]; }

  [[nodiscard]] bool slow() const {
    return plan_.kinds.contains(Kind::flood) || plan_.kinds.contains(Kind::settings);
  }

  void start(Station& station, bool wiped = false);
  void add_host(std::uint8_t number);
  [[nodiscard]] MetaFormat stock_format() const;
  static IpAddress stock_overlay(unsigned i);
  void wipe(Host& host);
  void kill(Station& station);
  void leave(Station& station);
  void calm();
  [[nodiscard]] unsigned rescue_stranded();
  [[nodiscard]] bool lost(const StockHost& stock) const;
  [[nodiscard]] std::string not_whole() const;
  [[nodiscard]] std::map<std::pair<std::string, std::string>, Member> view() const;
  void old_news(const Station& of);
  [[nodiscard]] std::uint64_t idle_limit(const Host& host, Duration span) const;
  void check_quiet();
  void check_old_news();
  Duration wait_until_whole();
  void check_goodbye();
  void check_burial();

  // Faults: faults.cpp.
  void step(const Step& step);
  void odd_settings();
  void split(unsigned groups);
  void swizzle();
  void restart(Station& station);
  void replay();
  void lie();
  void poison();
  void flood();
  void tell(Station& to, const std::vector<Bytes>& claims);
  [[nodiscard]] wire::Alive ghost(std::uint64_t number);

  Plan plan_;
  mesh::test::Network net_;
  Rng rng_;  ///< of the step at hand
  wire::Keyring ring_;
  Watch watch_;
  std::vector<Host*> hosts_;
  std::vector<std::unique_ptr<StockHost>> stock_;
  std::vector<Station*> all_;
  std::vector<gossip::Transmit> captured_;
  Duration reservation_takes_{};
  Duration reconnect_ = mesh::Config{}.reconnect_interval;
  unsigned keys_ = 0;
  std::map<std::string, IpAddress> first_overlay_;  ///< what a host without state wants
};

/// A datagram part: an alive without versions, which src/wire refuses to encode.
[[nodiscard]] Bytes without_versions(const wire::Alive& alive);

}  // namespace wesher::sim
