// The indices of the table: chances, rounds, endpoints, reaping.
#include "gossip/member_table.h"

#include <map>
#include <set>

#include <catch2/catch.hpp>

namespace wesher::gossip {

using namespace std::chrono_literals;

namespace {

const Instant kStart{1h};

Record record(const std::string& name, std::uint8_t host, std::uint16_t port = 7946) {
  Record r;
  r.name = name;
  r.address = {10, 0, 0, host};
  r.port = port;
  r.incarnation = 1;
  r.state = RecordState::alive;
  r.changed = kStart;
  return r;
}

struct Fixture {
  Rng rng = Rng::from_number(1);
  MemberTable table{record("me", 200)};

  Member& add(std::uint8_t host) {
    return table.add(record("n" + std::to_string(host), host), Standing::hearsay, rng);
  }
};

std::set<std::string> names(const std::vector<Member*>& members) {
  std::set<std::string> found;
  for (const Member* member : members)
    found.insert(member->record.name);
  return found;
}

}  // namespace

TEST_CASE("every name is found whatever came and went before") {
  Fixture f;
  std::map<std::string, Member*> here;
  for (int step = 0; step < 4000; ++step) {
    const std::string name = "n" + std::to_string(f.rng.below(300));
    const auto found = here.find(name);
    CHECK(f.table.find(name) == (found == here.end() ? nullptr : found->second));
    if (found == here.end()) {
      here[name] = &f.table.add(record(name, 1), Standing::hearsay, f.rng);
    } else {
      f.table.remove(*found->second);
      here.erase(found);
    }
  }
  REQUIRE(f.table.size() == here.size() + 1);
  std::map<std::string, const Member*> visited;
  f.table.for_each([&](const Member& member) { visited[member.record.name] = &member; });
  CHECK(visited.size() == f.table.size());
  for (const auto& [name, member] : here) {
    CHECK(f.table.find(name) == member);
    CHECK(visited[name] == member);
  }
}

TEST_CASE("a round of probes visits each live member once and never us") {
  Fixture f;
  for (std::uint8_t i = 1; i <= 20; ++i)
    f.add(i);
  (void)f.table.next_turn(f.rng);  // somewhere inside the first round
  while (!f.table.next_turn(f.rng).wrapped) {
  }
  for (int round = 0; round < 3; ++round) {
    std::set<std::string> seen;
    for (int i = 0; i < 19; ++i) {
      const auto turn = f.table.next_turn(f.rng);
      REQUIRE(turn.member != nullptr);
      CHECK_FALSE(turn.wrapped);
      CHECK(seen.insert(turn.member->record.name).second);
    }
    CHECK(seen.count("me") == 0);
    const auto turn = f.table.next_turn(f.rng);
    CHECK(turn.wrapped);
  }
}

TEST_CASE("a round skips the dead and takes the revived up again") {
  Fixture f;
  Member& a = f.add(1);
  Member& b = f.add(2);
  f.table.enter(a, RecordState::dead, kStart, f.rng);
  for (int i = 0; i < 6; ++i)
    CHECK(f.table.next_turn(f.rng).member == &b);
  f.table.enter(b, RecordState::left, kStart, f.rng);
  CHECK(f.table.next_turn(f.rng).member == nullptr);
  CHECK(f.table.live() == 0);
  f.table.enter(a, RecordState::alive, kStart, f.rng);
  CHECK(f.table.next_turn(f.rng).member == &a);
  CHECK(f.table.live() == 1);
}

TEST_CASE("members that flap don't make the round longer") {
  Fixture f;
  Member& a = f.add(1);
  f.add(2);
  for (int i = 0; i < 1000; ++i) {
    f.table.enter(a, RecordState::dead, kStart, f.rng);
    f.table.enter(a, RecordState::alive, kStart, f.rng);
  }
  int empty = 0;
  for (int i = 0; i < 10; ++i)
    empty += f.table.next_turn(f.rng).member == nullptr ? 1 : 0;
  CHECK(empty == 0);
}

TEST_CASE("relays and partners are alive and every one has its chance") {
  Fixture f;
  for (std::uint8_t i = 1; i <= 6; ++i)
    f.add(i);
  f.table.enter(*f.table.find("n1"), RecordState::suspect, kStart, f.rng);
  f.table.enter(*f.table.find("n2"), RecordState::dead, kStart, f.rng);
  f.table.enter(*f.table.find("n3"), RecordState::left, kStart, f.rng);
  std::map<std::string, int> chosen;
  for (int i = 0; i < 600; ++i) {
    const auto members = f.table.choose_alive(f.rng, 1);
    REQUIRE(members.size() == 1);
    ++chosen[members.front()->record.name];
  }
  CHECK(chosen.size() == 3);
  for (const auto& [name, count] : chosen)
    CHECK(count > 120);
  CHECK(names(f.table.choose_alive(f.rng, 9)) == std::set<std::string>{"n4", "n5", "n6"});
  CHECK(names(f.table.choose_alive(f.rng, 9, f.table.find("n5"))) ==
        std::set<std::string>{"n4", "n6"});
}

TEST_CASE("gossip goes to alive and suspect and for a minute to the dead") {
  Fixture f;
  for (std::uint8_t i = 1; i <= 4; ++i)
    f.add(i);
  f.table.enter(*f.table.find("n1"), RecordState::suspect, kStart, f.rng);
  f.table.enter(*f.table.find("n2"), RecordState::dead, kStart, f.rng);
  f.table.enter(*f.table.find("n3"), RecordState::left, kStart, f.rng);
  const auto targets = [&](Duration after) {
    return names(f.table.choose_gossip(f.rng, 10, kStart + after, 60s));
  };
  CHECK(targets(60s) == std::set<std::string>{"n1", "n2", "n4"});
  CHECK(targets(61s) == std::set<std::string>{"n1", "n4"});
  f.table.enter(*f.table.find("n2"), RecordState::alive, kStart + 70s, f.rng);
  CHECK(targets(71s) == std::set<std::string>{"n1", "n2", "n4"});
  CHECK(f.table.choose_gossip(f.rng, 2, kStart, 60s).size() == 2);
  CHECK(f.table.live_endpoints().size() == 3);
}

TEST_CASE("dead and left records are reaped when they are old enough") {
  Fixture f;
  f.add(1);
  f.add(2);
  f.add(3);
  f.table.enter(*f.table.find("n1"), RecordState::dead, kStart, f.rng);
  f.table.enter(*f.table.find("n2"), RecordState::left, kStart + 10s, f.rng);
  CHECK(f.table.reap(kStart + 60s, 60s).empty());
  CHECK(f.table.reap(kStart + 61s, 60s) == std::vector<std::string>{"n1"});
  CHECK(f.table.find("n1") == nullptr);
  CHECK_FALSE(f.table.has_address(IpAddress::v4(10, 0, 0, 1)));
  CHECK(f.table.reap(kStart + 71s, 60s) == std::vector<std::string>{"n2"});
  CHECK(f.table.size() == 2);
  CHECK(f.table.hearsay() == 1);
  CHECK(f.table.choose_gossip(f.rng, 10, kStart, 60s).size() == 1);
}

TEST_CASE("members are found by endpoint and follow their address") {
  Fixture f;
  Member& a = f.add(1);
  const Endpoint old{IpAddress::v4(10, 0, 0, 1), 7946};
  CHECK(f.table.at(old) == &a);
  CHECK(f.table.at({old.address, 7947}) == nullptr);
  CHECK(f.table.has_address(old.address));
  f.table.move(a, {10, 0, 0, 9}, 1);
  CHECK(f.table.at(old) == nullptr);
  CHECK_FALSE(f.table.has_address(old.address));
  CHECK(f.table.at({IpAddress::v4(10, 0, 0, 9), 1}) == &a);
  CHECK(f.table.at({IpAddress::v4(10, 0, 0, 200), 7946}) == nullptr);
}

TEST_CASE("the mapped form of an address leads to the same endpoint") {
  Fixture f;
  Record mapped = record("m", 0);
  mapped.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 77};
  Member& member = f.table.add(mapped, Standing::verified, f.rng);
  CHECK(f.table.at({IpAddress::v4(10, 0, 0, 77), 7946}) == &member);
}

}  // namespace wesher::gossip
