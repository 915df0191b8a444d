// Which sessions with Go members are begun anew after an event, and when.
#include "plan/revival.h"

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::plan;
using namespace std::chrono_literals;

namespace {

PublicKey key_of(std::uint8_t n) {
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(n);
  return PublicKey(key);
}

/// Peers 1 and 2 are Go members, 3 is not; each has a session.
struct Fixture {
  Fixture() {
    for (std::uint8_t n = 1; n <= 3; ++n) {
      ObservedPeer peer;
      peer.key = key_of(n);
      peer.last_handshake = now.wall - 30s;
      peer.rx_bytes = 1000;
      peer.tx_bytes = 1000;
      peers.push_back(peer);
    }
  }

  void pass(Duration span) {
    now.at += span;
    now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(span);
  }

  /// Looks whenever it is due within `span`; `traffic` says what the counters did since.
  template <class Traffic>
  std::map<int, int> run(Duration span, Traffic traffic) {
    std::map<int, int> renewed;
    const Instant end = now.at + span;
    while (revival.next() && *revival.next() <= end) {
      const Duration passed = std::max(*revival.next() - now.at, Duration{});
      pass(passed);
      if (passed > Duration{}) traffic(*this);
      for (const ObservedPeer& peer : revival.look(peers, legacy, now)) {
        for (std::size_t i = 0; i < peers.size(); ++i) {
          if (peers[i].key != peer.key) continue;
          ++renewed[static_cast<int>(i) + 1];
          peers[i].rx_bytes = peers[i].tx_bytes = 0;
          peers[i].last_handshake.reset();
          if (answers) {
            peers[i].rx_bytes = 92;
            peers[i].tx_bytes = 148;
            peers[i].last_handshake = now.wall;
          }
        }
      }
    }
    pass(end - now.at);
    return renewed;
  }

  Revival revival;
  Moment now{Instant{} + 1000s, wall_from_ms(1'790'000'000'000)};
  std::vector<ObservedPeer> peers;
  std::set<PublicKey> legacy{key_of(1), key_of(2)};
  bool answers = true;  ///< a renewed peer's handshake succeeds
};

const auto silence = [](Fixture&) {};

}  // namespace

TEST_CASE("without an event nobody looks at counters") {
  Fixture f;
  CHECK_FALSE(f.revival.next());
}

TEST_CASE("who sends and hears nothing gets a new session milliseconds after the event") {
  Fixture f;
  f.revival.event(f.now.at);
  CHECK(f.revival.next() == f.now.at);
  const auto renewed = f.run(30ms, [](Fixture& g) {
    g.peers[0].tx_bytes += 200;
    g.peers[1].tx_bytes += 200;
    g.peers[1].rx_bytes += 200;  // hears
    g.peers[2].tx_bytes += 200;  // no Go member
  });
  CHECK(renewed == std::map<int, int>{{1, 1}});
}

TEST_CASE("who heard something late enough after the event is left alone") {
  Fixture f;
  f.revival.event(f.now.at);
  const auto renewed = f.run(20s, [](Fixture& g) {
    for (auto& peer : g.peers) {
      peer.tx_bytes += 100;
      peer.rx_bytes += 100;
    }
  });
  CHECK(renewed.empty());
  CHECK_FALSE(f.revival.next());
}

TEST_CASE("an idle session is renewed once at the end since its next packet would be lost") {
  Fixture f;
  f.revival.event(f.now.at);
  CHECK(f.run(6s, silence).empty());
  CHECK(f.run(2s, silence) == std::map<int, int>{{1, 1}, {2, 1}});
  CHECK_FALSE(f.revival.next());
}

TEST_CASE("what was heard just after the event proves nothing about what followed") {
  Fixture f;
  f.revival.event(f.now.at);
  CHECK(f.run(300ms, [](Fixture& g) { g.peers[0].rx_bytes += 50; }).empty());
  CHECK(f.run(10s, silence) == std::map<int, int>{{1, 1}, {2, 1}});
}

TEST_CASE("a handshake that came from the other end counts as heard") {
  Fixture f;
  f.revival.event(f.now.at);
  const auto renewed = f.run(20s, [](Fixture& g) {
    g.peers[0].last_handshake = g.now.wall;
    g.peers[1].last_handshake = g.now.wall;
  });
  CHECK(renewed.empty());
}

TEST_CASE("a session too old to be used needs no renewal") {
  Fixture f;
  f.peers[0].last_handshake = f.now.wall - 181s;
  f.peers[1].last_handshake.reset();  // never one, as nothing was to be sent
  f.peers[1].rx_bytes = f.peers[1].tx_bytes = 0;
  f.revival.event(f.now.at);
  CHECK(f.run(20s, silence).empty());
}

TEST_CASE("a peer that answers nothing is renewed a few times only") {
  Fixture f;
  f.answers = false;
  f.revival.event(f.now.at);
  auto renewed = f.run(20s, [](Fixture& g) { g.peers[0].tx_bytes += 148; });
  CHECK(renewed[1] >= 3);
  CHECK(renewed[1] <= 8);
}

TEST_CASE("a first handshake that nobody answered is begun again at the next look") {
  Fixture f;
  f.peers[0].last_handshake.reset();
  f.peers[0].rx_bytes = 0;
  f.peers[0].tx_bytes = 148;  // sent before anybody looked
  f.revival.event(f.now.at);
  CHECK(f.run(300ms, silence) == std::map<int, int>{{1, 1}});
  CHECK(f.run(1s, silence).empty());
}

// Each end has answered the other one's, and both would begin again in step, every 5 s.
TEST_CASE("handshakes that crossed are begun again although something came in") {
  Fixture f;
  f.answers = false;
  f.revival.event(f.now.at);
  const auto crossing = [](Fixture& at) {
    at.peers[0].tx_bytes += 148;
    if (!at.peers[0].last_handshake) at.peers[0].rx_bytes = 240;
  };
  const auto renewed = f.run(1s, crossing);
  REQUIRE(renewed.contains(1));
  CHECK(renewed.at(1) >= 2);
  CHECK(renewed.at(1) <= 4);  // each is waited for
}

TEST_CASE("an event during the looks begins them anew and keeps what was noted") {
  Fixture f;
  f.revival.event(f.now.at);
  CHECK(f.run(600ms, silence).empty());
  f.revival.event(f.now.at);
  CHECK(*f.revival.next() - f.now.at <= 20ms);
  const auto renewed = f.run(30ms, [](Fixture& g) { g.peers[0].tx_bytes += 100; });
  CHECK(renewed == std::map<int, int>{{1, 1}});
  CHECK(f.run(6s, silence).empty());
  CHECK(f.run(2s, silence)[2] == 1);
}

TEST_CASE("a handshake under way is not begun again and a healthy one-way flow only now and then") {
  Fixture f;
  f.answers = false;
  f.revival.event(f.now.at);
  const auto sends = [](Fixture& g) { g.peers[0].tx_bytes += 100; };
  CHECK(f.run(30ms, sends) == std::map<int, int>{{1, 1}});
  CHECK(f.run(200ms, sends).empty());
  CHECK(f.run(200ms, sends) == std::map<int, int>{{1, 1}});
  f.answers = true;
  CHECK(f.run(20s, sends)[1] <= 6);
}

// Go members hear of an event up to seconds after us, and a flow in one direction used to have
// spent its renewals by then.
TEST_CASE("a one-way flow that is well for seconds and dies then is renewed all the same") {
  Fixture f;
  f.revival.event(f.now.at);
  const auto sends = [](Fixture& g) { g.peers[0].tx_bytes += 100; };
  f.run(1500ms, sends);
  CHECK(f.run(600ms, sends)[1] == 1);   // 2 s
  CHECK(f.run(1900ms, sends)[1] == 1);  // 2.75 s
  CHECK(f.run(1s, sends)[1] == 1);      // 4.5 s
  CHECK(f.run(2500ms, sends)[1] == 1);  // 7 s
}

TEST_CASE("a second event soon after the first finds a peer that answered nothing so far") {
  Fixture f;
  f.answers = false;
  f.revival.event(f.now.at);
  const auto sends = [](Fixture& g) { g.peers[0].tx_bytes += 148; };
  REQUIRE(f.run(6900ms, sends)[1] == 8);
  f.answers = true;  // restarted
  f.revival.event(f.now.at);
  CHECK(f.run(30ms, sends)[1] == 1);
}
