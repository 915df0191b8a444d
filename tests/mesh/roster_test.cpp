#include "mesh/roster.h"

#include <catch2/catch.hpp>

#include "tests/mesh/support/book.h"

namespace wesher::mesh {

namespace {

using namespace test;

}  // namespace

TEST_CASE("A sound new member is configured and told once") {
  Book book;
  const auto told = book.see("web", 1, meta("10.42.0.1", 1));
  REQUIRE(told.size() == 1);
  CHECK(told[0].member.standing == Standing::configured);
  CHECK(told[0].why == "why");
  CHECK(told[0].member.state_since == kWall);
  CHECK(told[0].member.first_seen == kWall);
  CHECK(book.roster.live() == 1);
}

TEST_CASE("Another incarnation alone is no change") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  Sighting again = sighting("web", 1, meta("10.42.0.1", 1));
  again.incarnation = 9;
  book.roster.see(again, "", at(5s));
  CHECK(book.roster.take().empty());
  CHECK(book.row("web").incarnation == 9);
}

TEST_CASE("A changed address and key and endpoint are one change that names all three") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  const auto told = book.see("web", 2, meta("10.42.0.2", 2), MemberState::alive, 9s, "");
  REQUIRE(told.size() == 1);
  CHECK(told[0].why.find("overlay address 10.42.0.1 -> 10.42.0.2") != std::string::npos);
  CHECK(told[0].why.find("key AQEB… -> AgIC…") != std::string::npos);
  CHECK(told[0].why.find("endpoint 192.0.2.1:7946 -> 192.0.2.2:7946") != std::string::npos);
  CHECK(told[0].member.state_since == kWall);
  CHECK(book.roster.owner_of(ip("10.42.0.1")).empty());
}

TEST_CASE("A live owner keeps its address and the other claimant is refused by name") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  const auto told = book.see("app", 2, meta("10.42.0.1", 2));
  REQUIRE(told.size() == 1);
  CHECK(book.stands("app") == "refused: 10.42.0.1 is held by web");
  CHECK(book.stands("web") == "configured");
}

TEST_CASE("A suspected owner keeps its address") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  book.see("app", 2, meta("10.42.0.1", 2));
  book.see("web", 1, meta("10.42.0.1", 1), MemberState::suspect);
  CHECK(book.roster.owner_of(ip("10.42.0.1")) == "web");
}

TEST_CASE("The loser is promoted when the owner leaves or fails or moves away") {
  for (const int how : {0, 1, 2}) {
    Book book;
    book.see("web", 1, meta("10.42.0.1", 1));
    book.see("app", 2, meta("10.42.0.1", 2));
    if (how == 0) book.see("web", 1, meta("10.42.0.1", 1), MemberState::left);
    if (how == 1) book.see("web", 1, meta("10.42.0.1", 1), MemberState::failed);
    if (how == 2) book.see("web", 1, meta("10.42.0.9", 1));
    CAPTURE(how);
    CHECK(book.stands("app") == "configured");
    CHECK(book.roster.owner_of(ip("10.42.0.1")) == "app");
    if (how == 1) CHECK(book.stands("web") == "refused: 10.42.0.1 is held by app");
    if (how == 2) CHECK(book.stands("web") == "configured");
  }
}

TEST_CASE("The loser is promoted when the owner is forgotten") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  book.see("app", 2, meta("10.42.0.1", 2));
  book.see("db", 3, meta("10.42.0.3", 3));
  book.see("app", 2, meta("10.42.0.1", 2), MemberState::failed, 10h);
  book.see("web", 1, meta("10.42.0.1", 1), MemberState::failed, 1h);
  REQUIRE(book.stands("app").starts_with("refused"));
  book.roster.expire(at(73h));
  CHECK(book.row("web").state == MemberState::gone);
  CHECK(book.stands("app").starts_with("configured"));
}

TEST_CASE("An owner that comes back after it was replaced does not take the address back") {
  Book book;
  book.see("app", 1, meta("10.42.0.1", 1));
  book.see("web", 2, meta("10.42.0.1", 2));
  book.see("app", 1, meta("10.42.0.1", 1), MemberState::failed);
  const auto told = book.see("app", 1, meta("10.42.0.1", 1), MemberState::alive);
  CHECK(told.size() == 1);
  CHECK(book.stands("web") == "configured");
  CHECK(book.stands("app") == "refused: 10.42.0.1 is held by web");
}

TEST_CASE("A key of a live member is refused to another name") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  book.see("thief", 2, meta("10.42.0.2", 1));
  CHECK(book.stands("thief") == "refused: its key is that of web");
  CHECK(book.stands("web") == "configured");
  CHECK(book.roster.owner_of(ip("10.42.0.2")).empty());
}

TEST_CASE("A renamed host replaces its older name at once when nothing but the name is new") {
  Book book;
  book.see("old", 1, meta("10.42.0.1", 1));
  const auto told = book.see("new", 1, meta("10.42.0.1", 1));
  CHECK(told.size() == 2);
  CHECK(book.stands("new") == "configured");
  CHECK(book.stands("old") == "seed: its key is now announced by new");
  CHECK(book.roster.is_replaced("old"));
  SECTION("and the older name's late gossip does not take it back") {
    CHECK(book.see("old", 1, meta("10.42.0.1", 1), MemberState::suspect).size() == 1);
    CHECK(book.stands("new") == "configured");
    book.see("old", 1, meta("10.42.0.1", 1), MemberState::failed);
    CHECK(book.stands("old") == "seed: its key is now announced by new");
    CHECK(book.stands("new") == "configured");
  }
}

TEST_CASE("A renamed host at another address replaces its older name when that is not live") {
  Book book;
  book.see("old", 1, meta("10.42.0.1", 1));
  book.see("new", 2, meta("10.42.0.7", 1));
  REQUIRE(book.stands("new") == "refused: its key is that of old");
  book.see("old", 1, meta("10.42.0.1", 1), MemberState::failed);
  CHECK(book.stands("new") == "configured");
  CHECK(book.stands("old") == "seed: its key is now announced by new");
  CHECK(book.roster.owner_of(ip("10.42.0.1")).empty());
}

TEST_CASE("Whoever loses its key loses its address to those who wait for it") {
  Book book;
  book.see("old", 1, meta("10.42.0.1", 1));
  book.see("waits", 3, meta("10.42.0.1", 3));
  book.see("old", 1, meta("10.42.0.1", 1), MemberState::left);
  book.see("new", 2, meta("10.42.0.7", 1));
  CHECK(book.stands("waits") == "configured");
  CHECK(book.stands("new") == "configured");
}

TEST_CASE("A refused or silent announcement takes nothing from anybody") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  Sighting bad = sighting("bad", 2, meta("10.42.0.1", 1));
  bad.judgement = {meta("10.42.0.1", 1), Standing::refused, "some reason"};
  book.roster.see(bad, "joined", at(1s));
  const auto told = changes(book.roster.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == "joined; refused: some reason");
  Sighting mute = sighting("mute", 3, meta("10.42.0.1", 1));
  mute.judgement = {std::nullopt, Standing::seed, "announced nothing yet"};
  book.roster.see(mute, "joined", at(1s));
  CHECK(book.stands("mute") == "seed: announced nothing yet");
  CHECK(book.stands("web") == "configured");
}

TEST_CASE("A stored alive member stays as it is but does not count as live until it is seen") {
  Book book;
  const Member before = stored("web", 1, meta("10.42.0.1", 1), MemberState::alive, 90h);
  book.roster.restore(before, good(meta("10.42.0.1", 1)), at(0s));
  CHECK(book.roster.take().empty());
  CHECK(book.row("web") == before);
  CHECK(book.roster.live() == 0);
  CHECK(book.roster.is_unconfirmed("web"));
  SECTION("seeing it changes nothing but that") {
    CHECK(book.see("web", 1, meta("10.42.0.1", 1)).empty());
    CHECK(book.roster.live() == 1);
    CHECK_FALSE(book.roster.is_unconfirmed("web"));
    book.roster.fail_unconfirmed("no answer since we started", at(30s));
    CHECK(book.roster.take().empty());
  }
  SECTION("without a sign of it it has failed and stays configured") {
    book.roster.fail_unconfirmed("no answer since we started", at(30s));
    const auto told = changes(book.roster.take());
    REQUIRE(told.size() == 1);
    CHECK(told[0].why == "no answer since we started");
    CHECK(told[0].member.state == MemberState::failed);
    CHECK(told[0].member.state_since == at(30s).wall);
    CHECK(told[0].member.standing == Standing::configured);
  }
  SECTION("a claimant that is heard of first does not take its address") {
    book.see("app", 2, meta("10.42.0.1", 2));
    CHECK(book.stands("web") == "configured");
  }
}

TEST_CASE("A stored row that today's rules refuse is refused") {
  Book book;
  book.roster.restore(stored("web", 1, meta("10.9.0.1", 1), MemberState::alive, 1h),
                      {meta("10.9.0.1", 1), Standing::refused, "announces 10.9.0.1"}, at(0s));
  const auto told = changes(book.roster.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == "refused: announces 10.9.0.1");
}

TEST_CASE("A full table makes room by forgetting those that left before those that failed") {
  Book book;
  book.roster = Roster({72h, std::chrono::days{30}, 3});
  book.see("failed", 1, meta("10.42.0.1", 1));
  book.see("left", 2, meta("10.42.0.2", 2));
  book.see("alive", 3, meta("10.42.0.3", 3));
  CHECK(book.see("none", 4, meta("10.42.0.4", 4)).empty());
  book.see("failed", 1, meta("10.42.0.1", 1), MemberState::failed, 1s);
  book.see("left", 2, meta("10.42.0.2", 2), MemberState::left, 2s);
  book.see("a", 5, meta("10.42.0.5", 5));
  CHECK(book.roster.find("left") == nullptr);
  book.see("b", 6, meta("10.42.0.6", 6));
  CHECK(book.roster.find("failed") == nullptr);
  CHECK(book.roster.find("alive") != nullptr);
  CHECK(book.roster.size() == 3);
  CHECK(book.see("c", 7, meta("10.42.0.7", 7)).empty());
}

TEST_CASE("A member that answers over TCP only says so and stays configured") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  book.roster.set_tcp_only("web", true);
  REQUIRE(changes(book.roster.take()).size() == 1);
  CHECK(book.stands("web") == "configured: answers over TCP only: is its UDP port open?");
  book.roster.set_tcp_only("web", true);
  CHECK(book.roster.take().empty());
  book.roster.set_tcp_only("web", false);
  CHECK(book.stands("web") == "configured");
}

TEST_CASE("Live members are found by their endpoint and absent ones in turn") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  for (const char* name : {"a", "b", "c"}) {
    const auto n = static_cast<std::uint8_t>(name[0]);
    book.see(name, n, meta("10.42.1." + std::to_string(n), n), MemberState::left);
  }
  CHECK(book.roster.live_at(endpoint("192.0.2.1:7946")) == "web");
  CHECK(book.roster.live_at(endpoint("192.0.2.97:7946")).empty());
  CHECK(book.roster.has_underlay(ip("192.0.2.97")));
  CHECK_FALSE(book.roster.has_underlay(ip("192.0.2.200")));
  CHECK(book.roster.absent_after("", 2) == std::vector<std::string>{"a", "b"});
  CHECK(book.roster.absent_after("b", 5) == std::vector<std::string>{"c", "a", "b"});
}

}  // namespace wesher::mesh
