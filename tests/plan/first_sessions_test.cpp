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
  REQUIRE(sessions.added(key_of(0), true, kStart));
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
  REQUIRE(sessions.added(key_of(0), true, kStart));
  auto peers = device(1);
  peers[0].rx_bytes = 0;
  CHECK(sessions.look(peers, kStart + 600ms).renew.empty());
  peers[0].rx_bytes = 148;
  CHECK(sessions.look(peers, kStart + 1800ms).renew.size() == 1);
}

TEST_CASE("the end that waits knocks once and begins nothing anew") {
  FirstSessions sessions;
  REQUIRE(sessions.added(key_of(0), false, kStart));
  CHECK(sessions.next() == kStart + 200ms);
  const auto due = sessions.look(device(1), kStart + 200ms);
  CHECK(due.knock == std::vector{key_of(0)});
  CHECK(due.renew.empty());
  CHECK_FALSE(sessions.next());
}

TEST_CASE("a peer with a session and one that is gone are left alone") {
  FirstSessions sessions;
  for (std::uint16_t n = 0; n < 4; ++n)
    REQUIRE(sessions.added(key_of(n), n % 2 == 0, kStart));
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
    REQUIRE(sessions.added(key_of(n), true, kStart));
  CHECK_FALSE(sessions.added(key_of(FirstSessions::kMost), true, kStart));
  CHECK(sessions.look(device(FirstSessions::kMost + 1), kStart + 600ms).renew.size() ==
        FirstSessions::kMost);
}
