// The rules that are watched over a whole run, beside those of tests/mesh/support/invariants.h,
// which look at one host at one moment. Each has a name, by which tests/README.md lists it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tests/mesh/support/network.h"
#include "wire/keyring.h"

namespace wesher::sim {

/// The most of anything so far: what the caps are held against.
struct Peaks {
  std::uint64_t datagrams_at_once = 0;  ///< by one input
  std::uint64_t facts_at_once = 0;
  std::uint64_t datagrams = 0;  ///< of one host in ten seconds
  std::uint64_t streams = 0;
  std::uint64_t facts = 0;
};

class Watch {
 public:
  /// Takes the hooks `on_fact` and `on_output` of the network. Both outlive it.
  Watch(mesh::test::Network& net, const wire::Keyring& ring);

  /// A name that may turn up: of a station, or invented by a liar.
  void expect(const std::string& name) { names_.insert(name); }

  /// The station says goodbye now.
  void goodbye(const std::string& name) { goodbyes_[name] = now(); }

  /// The host starts (again) now; `wiped`: its disk is empty.
  void start(const std::string& name, bool wiped);
  /// A datagram is under way.
  void sent(const mesh::test::Station& sender, const gossip::Transmit& transmit);

  /// Datagrams that a station has sent so far.
  [[nodiscard]] std::uint64_t sent_by(const std::string& name) const;

  [[nodiscard]] const Peaks& peaks() const { return peaks_; }

 private:
  struct Numbers {
    std::uint64_t life = 0;
    std::uint32_t last = 0;   ///< said so far in this life
    std::uint32_t below = 0;  ///< said in earlier ones, of the same disk
  };

  struct Traffic {
    Duration since{};
    mesh::test::Output in_window;
    std::uint64_t all = 0;
    std::uint64_t looked_at = 0;
  };

  [[nodiscard]] Duration now() const { return net_.now().at - mesh::test::at({}).at; }

  void fact(const mesh::test::Host& host, const mesh::Fact& fact);
  void output(const mesh::test::Station& station, const mesh::test::Output& output);
  void told_left(const mesh::test::Host& host, const Member& member) const;
  void own_incarnation(const mesh::test::Station& sender, std::uint32_t incarnation);

  mesh::test::Network& net_;
  const wire::Keyring& ring_;
  std::set<std::string> names_;
  std::map<std::string, Duration> goodbyes_;
  std::map<std::string, Duration> starts_;
  std::map<std::string, Numbers> numbers_;
  std::map<std::string, Traffic> traffic_;
  Peaks peaks_;
};

}  // namespace wesher::sim
