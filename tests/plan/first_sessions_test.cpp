// Which new peers are knocked at or begun anew, and when.
#include "plan/first_sessions.h"

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::plan;
using namespace std::chrono_literals;

namespace {

PublicKey key_of(std::uint16_t n) {
  std::array<std::uint8_t, kKeyBytes> key{};
  key[0] = static_cast<std::uint8_t>(n >> 8);
  key[1] = static_cast<std::uint8_t>(n);
  return PublicKey(key);
}

std::vector<ObservedPeer> device(std::size_t peers) {
  std::vector<ObservedPeer> out(peers);
  for (std::size_t i = 0; i < peers; ++i) {
    out[i].key = key_of(static_cast<std::uint16_t>(i));
    out[i].rx_bytes = 148;  // an initiation
  }
  return out;
}

const Instant kStart = Instant{} + 1000s;

}  // namespace

TEST_CASE(
    "the end that begins looks three times and begins anew what was heard without a session") {
  FirstSessions sessions;
  CHECK_FALSE(sessions.next());
  REQUIRE(sessions.added(key_of(0), Beginner::we, kStart));
  const auto peers = device(1);
  for (const auto at : {600ms, 1800ms, 4200ms}) {
    REQUIRE(sessions.next() == kStart + at);
    CHECK(sessions.look(peers, kStart + at - 1ms).renew.empty());
    const auto due = sessions.look(peers, kStart + at);
    REQUIRE(due.renew.size() == 1);
    CHECK(due.renew[0].key == key_of(0));
    CHECK(due.knock.empty());
  }
  CHECK_FALSE(sessions.next());
}

TEST_CASE("a peer of which nothing was heard is not begun anew until something is") {
  FirstSessions sessions;
  REQUIRE(sessions.added(key_of(0), Beginner::we, kStart));
  auto peers = device(1);
  peers[0].rx_bytes = 0;
  CHECK(sessions.look(peers, kStart + 600ms).renew.empty());
  peers[0].rx_bytes = 148;
  CHECK(sessions.look(peers, kStart + 1800ms).renew.size() == 1);
}

TEST_CASE("the end that waits knocks once and begins nothing anew") {
  FirstSessions sessions;
  REQUIRE(sessions.added(key_of(0), Beginner::they, kStart));
  CHECK(sessions.next() == kStart + 200ms);
  const auto due = sessions.look(device(1), kStart + 200ms);
  CHECK(due.knock == std::vector{key_of(0)});
  CHECK(due.renew.empty());
  CHECK_FALSE(sessions.next());
}

TEST_CASE("a Go member is knocked at later and begun anew where its handshake crossed the knock") {
  FirstSessions sessions;
  REQUIRE(sessions.added(key_of(0), Beginner::nobody, kStart));
  auto peers = device(1);
  CHECK(sessions.look(peers, kStart + 200ms).knock.size() == 1);
  peers[0].tx_bytes = 148;
  REQUIRE(sessions.next() == kStart + 800ms);
  CHECK(sessions.look(peers, kStart + 800ms).renew.size() == 1);
  CHECK(sessions.next() == kStart + 2s);
}

TEST_CASE("a peer to which something was sent already is not knocked at") {
  FirstSessions sessions;
  REQUIRE(sessions.added(key_of(0), Beginner::they, kStart));
  auto peers = device(1);
  peers[0].tx_bytes = 148;
  CHECK(sessions.look(peers, kStart + 200ms).knock.empty());
  CHECK(sessions.unanswered(peers).empty());
}

TEST_CASE("who was knocked at is unanswered until there is a session or it is put in again") {
  FirstSessions sessions;
  auto peers = device(3);
  for (std::uint16_t n = 0; n < 3; ++n)
    REQUIRE(sessions.added(key_of(n), Beginner::they, kStart));
  CHECK(sessions.unanswered(peers).empty());
  REQUIRE(sessions.look(peers, kStart + 200ms).knock.size() == 3);
  CHECK(sessions.unanswered(peers).size() == 3);
  peers[0].last_handshake = wall_from_ms(1);
  CHECK(sessions.unanswered(peers) == std::set{key_of(1), key_of(2)});
  peers[0].last_handshake.reset();
  CHECK(sessions.unanswered(peers) == std::set{key_of(1), key_of(2)});
  REQUIRE(sessions.added(key_of(1), Beginner::they, kStart + 1s));
  CHECK(sessions.unanswered(peers) == std::set{key_of(2)});
  peers.pop_back();
  CHECK(sessions.unanswered(peers).empty());
}

TEST_CASE("peers without a session at the start don't answer") {
  FirstSessions sessions;
  auto peers = device(2);
  peers[0].last_handshake = wall_from_ms(1);
  sessions.start(peers);
  CHECK_FALSE(sessions.next());
  CHECK(sessions.unanswered(peers) == std::set{key_of(1)});
}

TEST_CASE("a peer with a session and one that is gone are left alone") {
  FirstSessions sessions;
  for (std::uint16_t n = 0; n < 4; ++n)
    REQUIRE(sessions.added(key_of(n), n % 2 == 0 ? Beginner::we : Beginner::they, kStart));
  auto peers = device(2);
  for (auto& peer : peers)
    peer.last_handshake = wall_from_ms(1);
  const auto due = sessions.look(peers, kStart + 1s);
  CHECK(due.knock.empty());
  CHECK(due.renew.empty());
  CHECK_FALSE(sessions.next());
}

TEST_CASE("so many new peers are waited for and no more") {
  FirstSessions sessions;
  for (std::uint16_t n = 0; n < FirstSessions::kMost; ++n)
    REQUIRE(sessions.added(key_of(n), Beginner::we, kStart));
  CHECK_FALSE(sessions.added(key_of(FirstSessions::kMost), Beginner::we, kStart));
  CHECK(sessions.look(device(FirstSessions::kMost + 1), kStart + 600ms).renew.size() ==
        FirstSessions::kMost);
}
