// How long members are kept that failed or left: configured, then gone, then forgotten.
#include <catch2/catch.hpp>

#include "tests/mesh/support/book.h"

namespace wesher::mesh {

using namespace test;

TEST_CASE("A failed member stays configured for 72 hours and is then gone") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  book.see("db", 2, meta("10.42.0.2", 2));
  book.see("web", 1, meta("10.42.0.1", 1), MemberState::failed, 1h);
  CHECK(book.stands("web") == "configured: silent; stays configured for 72h");
  CHECK(book.roster.next_expiry() == at(73h).at);
  book.roster.expire(at(73h - 1s));
  CHECK(book.roster.take().empty());
  book.roster.expire(at(73h));
  const auto told = changes(book.roster.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].member.state == MemberState::gone);
  CHECK(told[0].why == "failed for 72h");
  CHECK(book.stands("web") == "seed: gone");
  CHECK(book.roster.owner_of(ip("10.42.0.1")).empty());
  CHECK(book.roster.gone_after("") == "web");
  // What is remembered of it goes after a month.
  book.roster.expire(at(73h + std::chrono::days{30}));
  const auto facts = book.roster.take();
  REQUIRE(facts.size() == 1);
  CHECK(std::get<MemberForgotten>(facts[0]).name == "web");
  CHECK(std::get<MemberForgotten>(facts[0]).why == "gone for 30d");
  CHECK_FALSE(book.roster.any_gone());
}

TEST_CASE("A failed member of a static name stays configured for ever") {
  Book book;
  book.roster = Roster({72h, std::chrono::days{30}, 100, {"web"}, false});
  book.see("db1", 1, meta("10.42.0.1", 1));
  book.see("web", 2, meta("10.42.0.2", 2), MemberState::failed);
  CHECK(book.stands("web") == "configured: silent; stays configured (--static)");
  CHECK_FALSE(book.roster.next_expiry());
  book.roster.expire(at(10000h));
  CHECK(book.row("web").standing == Standing::configured);
  const Member old = book.row("web");
  Book restarted;
  restarted.roster = Roster({72h, std::chrono::days{30}, 100, {"web"}, false});
  restarted.roster.restore(old, {old.meta, Standing::configured, {}}, at(20000h));
  restarted.roster.expire(at(30000h));
  CHECK(restarted.row("web").standing == Standing::configured);
  // What left is no member any more, whatever its name.
  book.see("web", 2, meta("10.42.0.2", 2), MemberState::left, 10001h);
  book.roster.expire(at(10001h + std::chrono::days{31}));
  CHECK(book.roster.find("web") == nullptr);
}

TEST_CASE("While nobody is live a failed member becomes a seed instead of being forgotten") {
  Book book;
  book.see("web", 1, meta("10.42.0.1", 1));
  book.see("web", 1, meta("10.42.0.1", 1), MemberState::failed);
  book.roster.expire(at(72h));
  REQUIRE(changes(book.roster.take()).size() == 1);
  CHECK(book.stands("web") == "seed: silent for 72h; kept to call while nobody is alive");
  CHECK(book.roster.owner_of(ip("10.42.0.1")).empty());
  book.roster.expire(at(73h));
  CHECK(book.roster.find("web") != nullptr);
  SECTION("until somebody is live") {
    book.see("db", 2, meta("10.42.0.2", 2), MemberState::alive, 74h);
    book.roster.expire(at(75h));
    CHECK(book.row("web").state == MemberState::gone);
  }
  SECTION("and is configured again when it answers") {
    book.see("web", 1, meta("10.42.0.1", 1), MemberState::alive, 74h);
    CHECK(book.stands("web") == "configured");
    CHECK_FALSE(book.roster.next_expiry());
  }
}

TEST_CASE("A member that left is a seed at once and forgotten after 30 days") {
  Book book;
  book.see("db", 2, meta("10.42.0.2", 2));
  book.see("web", 1, meta("10.42.0.1", 1));
  const auto told = book.see("web", 1, meta("10.42.0.1", 1), MemberState::left, 1h, "left");
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == "left");
  CHECK(book.stands("web") == "seed: left");
  CHECK(book.roster.next_expiry() == at(1h + std::chrono::days{30}).at);
}

TEST_CASE("The retention of a stored failed member counts on across restarts") {
  Book book;
  book.roster.restore(stored("web", 1, meta("10.42.0.1", 1), MemberState::failed, 70h),
                      good(meta("10.42.0.1", 1)), at(0s));
  CHECK(book.roster.take().empty());
  CHECK(book.roster.next_expiry() == at(2h).at);
}

TEST_CASE("A clock set back gives a failed member its retention once and not for ever") {
  Book book;
  book.roster.restore(stored("web", 1, meta("10.42.0.1", 1), MemberState::failed, -1000h),
                      good(meta("10.42.0.1", 1)), at(0s));
  const auto told = changes(book.roster.take());
  REQUIRE(told.size() == 1);
  CHECK(told[0].member.state_since == kWall);
  CHECK(told[0].why.empty());
  CHECK(book.roster.next_expiry() == at(72h).at);
}

TEST_CASE("A stored member past its retention is a seed for ten minutes and not gone at once") {
  Book book;
  book.roster.restore(stored("web", 1, meta("10.42.0.1", 1), MemberState::failed, 900h),
                      good(meta("10.42.0.1", 1)), at(0s));
  CHECK(book.stands("web").starts_with("seed: silent for 72h"));
  CHECK(book.roster.next_expiry() == at(10min).at);
}

TEST_CASE("An absurd stored time neither overflows nor expires at once") {
  for (const auto ms : {std::int64_t{0}, std::numeric_limits<std::int64_t>::min() / 4,
                        std::numeric_limits<std::int64_t>::max() / 4}) {
    Book book;
    Member member = stored("web", 1, meta("10.42.0.1", 1), MemberState::failed, 0s);
    member.state_since = wall_from_ms(ms);
    book.roster.restore(member, good(meta("10.42.0.1", 1)), at(0s));
    CHECK(*book.roster.next_expiry() >= at(10min).at);
    CHECK(*book.roster.next_expiry() <= at(72h).at);
  }
}

TEST_CASE("Where lifetimes count a member is kept ten times as long as it had been there") {
  Book book;
  book.roster = Roster({72h, std::chrono::days{30}, 100, {}, true});
  book.see("db", 9, meta("10.42.0.9", 9));

  struct Case {
    Duration lived;
    Duration kept;
  };

  std::uint8_t n = 1;
  for (const Case& each : {Case{20s, 10min}, Case{1min, 10min}, Case{5min, 50min}, Case{7h, 70h},
                           Case{8h, 72h}, Case{1000h, 72h}}) {
    const std::string name = "web" + std::to_string(n);
    const NodeMeta own = meta("10.42.0." + std::to_string(n), n);
    book.see(name, n, own);
    book.see(name, n, own, MemberState::failed, each.lived);
    CHECK(book.roster.retention_of(book.row(name)) == each.kept);
    CHECK(book.roster.next_expiry() == at(each.lived + each.kept).at);
    book.roster.retire(name, "enough", at(each.lived));
    book.roster.drop(name, "enough");
    ++n;
  }
}

TEST_CASE("A gone member that comes back is as any other") {
  Book book;
  book.see("db", 2, meta("10.42.0.2", 2));
  book.see("web", 1, meta("10.42.0.1", 1));
  book.see("web", 1, meta("10.42.0.1", 1), MemberState::failed);
  book.roster.retire("web", "forgotten by request", at(1h));
  CHECK(changes(book.roster.take()).at(0).why == "forgotten by request");
  CHECK(book.stands("web") == "seed: gone");
  book.see("web", 1, meta("10.42.0.1", 1), MemberState::alive, 2h);
  CHECK(book.stands("web") == "configured");
  CHECK_FALSE(book.roster.any_gone());
}

TEST_CASE("Of many failed members those that were here shortly are gone first the oldest first") {
  Book book;
  book.roster = Roster({72h, std::chrono::days{30}, 1000, {"s1"}, false});
  book.see("db", 250, meta("10.42.9.9", 250));
  const auto fail = [&](const std::string& name, std::size_t i, Duration lived, Duration end) {
    const NodeMeta own = meta("10.42.1." + std::to_string(i), static_cast<std::uint8_t>(i % 200));
    auto seen = sighting(name, static_cast<std::uint8_t>(i), own);
    seen.judgement.meta->key = key(static_cast<std::uint8_t>(i));
    book.roster.see(seen, "joined", at(end - lived));
    seen.state = MemberState::failed;
    book.roster.see(seen, "no answer", at(end));
    (void)book.roster.take();
  };
  for (std::size_t i = 0; i < 40; ++i)
    fail("long" + std::to_string(i), i, 2h, 3h + std::chrono::seconds{i});
  for (std::size_t i = 0; i < 24; ++i)
    fail("s" + std::to_string(i), 40 + i, 5min, 4h + std::chrono::seconds{i});
  const auto gone = [&] {
    std::vector<std::string> names;
    book.roster.each([&](const Member& member) {
      if (member.state == MemberState::gone) names.push_back(member.name);
    });
    return names;
  };
  CHECK(gone().empty());  // 64
  fail("s24", 70, 5min, 5h);
  CHECK(gone() == std::vector<std::string>{"s0"});
  fail("s25", 71, 5min, 5h + 1s);
  CHECK(gone() == std::vector<std::string>{"s0", "s2"});  // s1 is static
  // A node that is cut off keeps those it has known for long, however many.
  for (std::size_t i = 0; i < 60; ++i)
    fail("more" + std::to_string(i), 80 + i, 2h, 8h + std::chrono::seconds{i});
  std::size_t kept = 0;
  book.roster.each([&](const Member& member) {
    const bool old = member.name.starts_with("long") || member.name.starts_with("more");
    kept += old && member.state == MemberState::failed;
  });
  CHECK(kept == 100);
}

}  // namespace wesher::mesh
