// When members of the Go program are asked to ping us through the overlay, and who is.
#include "mesh/overlay_pings.h"

#include <map>

#include <catch2/catch.hpp>

#include "gossip/claim_check.h"
#include "tests/mesh/support/network.h"
#include "wire/keyring.h"
#include "wire/packet.h"

namespace wesher::mesh {

namespace {

using namespace test;

using Names = std::set<std::string, std::less<>>;

/// Who is asked and how often, until the clock shows `until`, or nobody is asked any more.
std::map<std::string, int> asked(OverlayPings& pings, const Names& names, Duration until = 1h) {
  std::map<std::string, int> times;
  while (pings.poll_timeout() && *pings.poll_timeout() <= at(until).at) {
    for (const std::string& name : pings.take_due(names, *pings.poll_timeout()))
      ++times[name];
  }
  return times;
}

/// Indirect pings that `db` sent, by the host that it sent them to.
struct Questions {
  explicit Questions(Network& net) {
    REQUIRE(keys.add(Bytes(32, 1)));
    net.on_datagram = [this](Station& from, const gossip::Transmit& transmit) {
      if (from.name != "db") return;
      const auto opened = wire::open_packet(keys, transmit.datagram);
      for (const auto& message : opened.messages) {
        const auto* ping = std::get_if<wire::IndirectPing>(&message);
        if (ping == nullptr || ping->target != overlay) continue;
        CHECK_FALSE(gossip::valid_name(ping->node));  // answered by nobody
        CHECK(ping->port == 7946);
        CHECK_FALSE(ping->nack);
        ++to[transmit.to];
      }
    };
  }

  wire::Keyring keys;
  Bytes overlay{10, 42, 0, 3};
  std::map<Endpoint, int> to;
};

}  // namespace

TEST_CASE("Whoever is alone is asked every few milliseconds, then seldom, and no more after 3 s") {
  OverlayPings pings;
  CHECK_FALSE(pings.poll_timeout());
  pings.event(at(0s).at);
  CHECK(pings.poll_timeout() == at(5ms).at);
  CHECK(asked(pings, {"go"}, 60ms) == std::map<std::string, int>{{"go", 12}});
  CHECK(asked(pings, {"go"}, 300ms) == std::map<std::string, int>{{"go", 12}});
  CHECK(asked(pings, {"go"}, 1s) == std::map<std::string, int>{{"go", 14}});
  CHECK(asked(pings, {"go"}) == std::map<std::string, int>{{"go", 8}});
  CHECK_FALSE(pings.poll_timeout());
}

TEST_CASE("Many members are asked in turn, and an event costs no more than with few") {
  OverlayPings pings;
  Names names;
  for (int number = 0; number < 100; ++number)
    names.insert("go" + std::to_string(number));
  pings.event(at(0s).at);
  const auto times = asked(pings, names);
  int sum = 0;
  for (const auto& [name, count] : times) {
    CHECK((count == 3 || count == 4));
    sum += count;
  }
  CHECK(times.size() == 100);
  CHECK(sum == 46 * 8);
}

TEST_CASE("Events that follow each other cost a hundred questions a second") {
  OverlayPings pings;
  Names names;
  for (int number = 0; number < 20; ++number)
    names.insert("go" + std::to_string(number));
  std::size_t sum = 0;
  for (Duration now{}; now < 60s; now += 50ms) {
    pings.event(at(now).at);
    for (const auto& [name, count] : asked(pings, names, now + 50ms))
      sum += static_cast<std::size_t>(count);
  }
  CHECK(sum > 60 * 100);
  CHECK(sum <= 60 * 100 + OverlayPings::kBurst);
}

TEST_CASE("Events are ignored where that is wished") {
  OverlayPings pings(false);
  pings.event(at(0s).at);
  CHECK_FALSE(pings.poll_timeout());
}

TEST_CASE("An event without members of the Go program asks nobody, and ends") {
  OverlayPings pings;
  pings.event(at(0s).at);
  CHECK(pings.take_due({}, at(5ms).at).empty());
  CHECK_FALSE(pings.poll_timeout());
}

TEST_CASE("After an event live members of the Go program are asked, and nobody else") {
  Network net;
  Host& go1 = net.add("go1", 1);
  Host& go2 = net.add("go2", 2);
  Host& db = net.add("db", 3);
  Host& web = net.add("web", 4);
  db.identity = 3;
  web.identity = 4;
  net.start(go1);
  net.start(go2, {"go1"});
  net.start(web, {"go1"});
  net.start(db, {"go1"});
  net.run(1min);
  REQUIRE(net.converged());

  Questions questions(net);
  net.run(2min);
  CHECK(questions.to.empty());

  SECTION("somebody leaves") {
    net.leave(web);
  }
  SECTION("somebody comes back under another key") {
    net.change_key(web, key(77));
  }
  SECTION("we have another key") {
    net.change_key(db, key(78));
  }
  net.run(10s);
  CHECK(questions.to.size() == 2);
  CHECK(questions.to[go1.endpoint] >= 46);
  CHECK(questions.to[go2.endpoint] >= 46);

  questions.to.clear();
  net.leave(go2);
  net.run(10s);
  CHECK(questions.to[go1.endpoint] >= 46);
  CHECK(questions.to[go2.endpoint] < 20);  // until it has confirmed that it leaves
}

}  // namespace wesher::mesh
