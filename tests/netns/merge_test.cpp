// Two halves that never knew each other, each grown under the same key on the same network, and
// then one mesh. Addresses that both have given out are settled, and nobody else notices.
#include <iostream>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "netns/support/halves.h"
#include "netns/support/names.h"
#include "netns/support/pair_flows.h"

namespace wesher::netns {

namespace {

constexpr const char* kNet = "10.42.7.0/24";

using Clock = std::chrono::steady_clock;

/// Names for two halves of `each`. The last `conflicts` of the second half want what the last of
/// the first half want; all others, and the first ones above all, want addresses of their own.
std::vector<std::string> names_for(int each, int conflicts) {
  std::vector<std::string> names;
  // Not the network's own address, nor broadcast: nobody gets these.
  std::set<std::string> wanted{"10.42.7.0", "10.42.7.255"};
  const auto add_others = [&](int until) {
    for (int number = 1; static_cast<int>(names.size()) < until; ++number) {
      const std::string name = "host" + std::to_string(number);
      if (wanted.insert(wanted_address(name, kNet)).second) names.push_back(name);
    }
  };
  add_others(2 * each - conflicts);
  for (int i = 0; i < conflicts; ++i) {
    const std::string& first = names[static_cast<std::size_t>(each - conflicts + i)];
    names.push_back(names_wanting(wanted_address(first, kNet), kNet, "web", 1).front());
  }
  return names;
}

class Grown {
 public:
  Grown(int each, int conflicts, const std::vector<std::string>& arguments)
      : each_(each), rig_(names_for(each, conflicts)), halves_(rig_, numbers(each + 1, 2 * each)) {
    halves_.part();
    for (int number = 1; number <= 2 * each; ++number)
      start(number, arguments);
    for (const int first : {1, each + 1}) {
      rig_.require_alive(numbers(first, first + each - 1), 60s);
      rig_.require_mesh(numbers(first, first + each - 1), 60s);
    }
    for (int number = 1; number <= 2 * each; ++number)
      before_.push_back(address(number));
  }

  Rig& rig() { return rig_; }

  Halves& halves() { return halves_; }

  [[nodiscard]] std::vector<int> all() const { return numbers(1, 2 * each_); }

  /// The one overlay address of a host; empty while it has none, or two.
  [[nodiscard]] std::string address(int number) {
    const auto found = rig_.host(number).addresses();
    return found.size() == 1 ? found.front() : "";
  }

  /// Addresses that hosts of both halves had.
  [[nodiscard]] std::set<std::string> contested() const {
    std::map<std::string, int> count;
    for (const std::string& each : before_)
      ++count[each];
    std::set<std::string> found;
    for (const auto& [address, hosts] : count)
      if (hosts > 1) found.insert(address);
    return found;
  }

  /// Whether the first host of either half knows that of the other.
  [[nodiscard]] bool have_heard() {
    return !host(1).address_in_hosts(host(each_ + 1).name()).empty() ||
           !host(each_ + 1).address_in_hosts(host(1).name()).empty();
  }

  /// Whether all have addresses of their own.
  [[nodiscard]] bool settled() {
    std::set<std::string> found;
    for (const int here : all()) {
      const std::string own = address(here);
      if (own.empty() || !found.insert(own).second) return false;
    }
    return true;
  }

  /// Whether everybody has everybody where it is.
  [[nodiscard]] bool known() {
    for (const int here : all())
      for (const int other : all())
        if (other != here && host(other).address_in_hosts(host(here).name()) != address(here))
          return false;
    return true;
  }

  /// Of two that had one address one has it still; all others have what they had.
  void require_only_losers_moved() {
    const std::set<std::string> contested = this->contested();
    std::size_t moved = 0;
    for (const int number : all()) {
      const std::string& before = before_[static_cast<std::size_t>(number - 1)];
      if (address(number) == before) continue;
      INFO(host(number).name() << " moved from " << before << " to " << address(number));
      REQUIRE(contested.contains(before));
      ++moved;
    }
    REQUIRE(moved == contested.size());
  }

 private:
  static std::vector<int> numbers(int first, int last) {
    std::vector<int> found;
    for (int number = first; number <= last; ++number)
      found.push_back(number);
    return found;
  }

  Host& host(int number) { return rig_.host(number); }

  // The first of the second half looks for the first half from its start on, and founds a mesh
  // meanwhile, as all that have the same configuration do.
  void start(int number, const std::vector<std::string>& arguments) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--overlay-net", kNet});
    if (number != 1)
      all.insert(all.end(), {"--join", rig_.seed(number > each_ + 1 ? each_ + 1 : 1)});
    rig_.host(number).start_daemon(all, {"WESHER_CLUSTER_KEY=" + rig_.key()});
  }

  int each_;
  Rig rig_;
  Halves halves_;
  std::vector<std::string> before_;
};

/// `heard_within`: of the heal, by the timers that are used; every conflict is settled 10 s later.
void two_grown_halves(int each,
                      int conflicts,
                      const std::vector<std::string>& arguments,
                      std::chrono::seconds heard_within) {
  Grown grown(each, conflicts, arguments);
  Rig& rig = grown.rig();
  const std::size_t contested = grown.contested().size();
  REQUIRE(contested >= static_cast<std::size_t>(conflicts));
  PairFlows flows(rig, {{1, 2}, {each + 1, each + 2}});
  grown.halves().heal();
  const auto healed = Clock::now();
  rig.require_repair("one half has heard of the other", heard_within,
                     [&] { return grown.have_heard(); });
  const auto heard = Clock::now();
  rig.require_repair(std::to_string(contested) + " contested addresses of " +
                         std::to_string(2 * each) + " hosts are settled",
                     10s, [&] { return grown.settled(); });
  // Looked for longer than is allowed, so that it is known how long it took.
  rig.require_soon("everybody has everybody where it is", 60s, [&] { return grown.known(); });
  const auto known = Clock::now();
  const auto ms = [](auto span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  };
  std::cout << ms(known - heard) << " ms after that was heard, " << ms(known - healed)
            << " ms after the heal, everybody has everybody where it is" << std::endl;
  REQUIRE(known - heard <= 10s * settings().patience);
  grown.require_only_losers_moved();
  rig.require_mesh(grown.all());
  rig.require_exactly(grown.all());
  grown.require_only_losers_moved();
  flows.require_none_lost();
}

}  // namespace

TEST_CASE(
    "two halves that grew apart are one mesh and only those who have to give their address up",
    "[input]") {
  two_grown_halves(3, 1, {"--test-timers", "10"}, 15s);
}

TEST_CASE("two halves of ten that grew apart settle every address within 10 s of hearing it",
          "[.by-hand]") {
  // A seed that does not answer is tried every 60 s at last.
  two_grown_halves(10, 6, {}, 90s);
}

}  // namespace wesher::netns
