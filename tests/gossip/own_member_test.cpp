// What a node says about itself: announcing, refuting, updating, moving, leaving; and the
// incarnation numbers that all of it takes.
#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

std::vector<wire::Alive> about_me(const Rig& rig) {
  std::vector<wire::Alive> found;
  for (const auto& [at, told] : rig.sent_of<wire::Alive>()) {
    if (told.node == own_name) found.push_back(told);
  }
  return found;
}

Config with_block(std::uint32_t first, std::uint32_t end) {
  Config config = own_config();
  config.incarnation_first = first;
  config.incarnation_end = end;
  return config;
}

}  // namespace

TEST_CASE("the first alive bears the configured incarnation and everything at once") {
  Rig rig(with_block(17, 1000));
  rig.with_members({1, 2});
  rig.node.announce(rig.now);
  rig.drain();
  const auto told = about_me(rig);
  REQUIRE(told.size() == 2);  // to each member directly
  CHECK(told[0] ==
        wire::Alive{17, own_name, {10, 0, 0, 200}, 7946, {9}, false, {1, 5, 2, 0, 0, 0}});
  rig.clear();
  rig.node.announce(rig.now);
  rig.drain();
  CHECK(rig.sent.empty());
}

TEST_CASE("an accusation is answered with the next incarnation to the accuser at once") {
  Rig rig;
  rig.announced();
  rig.hear(peer(3), {wire::Suspect{1, own_name, "n3"}});
  REQUIRE(about_me(rig).size() == 1);
  CHECK(about_me(rig)[0].incarnation == 2);
  CHECK(rig.sent_of<wire::Alive>()[0].first.to == peer(3));
  REQUIRE(rig.events_of<Refuted>().size() == 1);
  CHECK(rig.events_of<Refuted>()[0].incarnation == 2);
  CHECK(rig.node.health() == 1);
  CHECK(rig.node.self().state == RecordState::alive);
}

TEST_CASE("the ack to a ping that accuses us carries the refutation") {
  Rig rig;
  rig.announced();
  rig.hear(peer(3), {wire::Ping{5, own_name, {}}, wire::Suspect{1, own_name, "n3"}});
  CHECK(rig.datagrams == 1);
  REQUIRE(about_me(rig).size() == 1);
  CHECK(about_me(rig)[0].incarnation == 2);
}

TEST_CASE("an accusation far ahead is jumped over") {
  Rig rig(with_block(1, 1000000));
  rig.announced();
  rig.hear(peer(3), {wire::Dead{5000, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 5001);
  rig.hear(peer(3), {wire::Dead{4000, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 5001);
  CHECK(rig.events_of<Refuted>().size() == 1);
}

TEST_CASE("an accusation at the maximum is refused and one below it not believed at once") {
  Rig rig(with_block(1, 0xffffffff));
  rig.announced();
  rig.hear(peer(3),
           {wire::Suspect{0xffffffff, own_name, "n3"}, wire::Suspect{0xfffffffe, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 1);
  CHECK(rig.events_of<Refused>().size() == 2);
  rig.hear(peer(3), {wire::Suspect{0xfffffffd, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 1);
}

TEST_CASE("an alive with our name and other content is refuted and one like ours is not") {
  Rig rig;
  rig.announced();
  wire::Alive same{1, own_name, {10, 0, 0, 200}, 7946, {9}, false, {1, 5, 2, 0, 0, 0}};
  rig.hear(peer(3), {same});
  CHECK(rig.node.self().incarnation == 1);
  same.meta = {8};
  rig.hear(peer(3), {same});
  CHECK(rig.node.self().incarnation == 2);
  CHECK(rig.node.self().meta == Bytes{9});
}

TEST_CASE("another node with our name is a conflict and not refuted") {
  Rig rig;
  rig.announced();
  const wire::Alive other{9, own_name, {10, 0, 0, 3}, 7946, {1}, false, {1, 5, 2, 0, 0, 0}};
  rig.hear(peer(3), {other});
  rig.hear(peer(3), {other});
  CHECK(rig.node.self().incarnation == 1);
  const auto conflicts = rig.events_of<NameConflict>();
  REQUIRE(conflicts.size() == 1);
  CHECK(conflicts[0].name == own_name);
  CHECK(conflicts[0].known_address == Bytes{10, 0, 0, 200});
  CHECK(conflicts[0].other_address == Bytes{10, 0, 0, 3});
  rig.now += 10s;
  rig.hear(peer(3), {other});
  CHECK(rig.events_of<NameConflict>().size() == 2);
}

TEST_CASE("a quiet node raises its number over an old life's without a word") {
  Rig rig;
  rig.hear(peer(3), {wire::Dead{7, own_name, "n3"}});
  CHECK(rig.sent.empty());
  CHECK(rig.events_of<Refuted>().empty());
  CHECK(rig.node.self().incarnation == 8);
  CHECK(rig.node.health() == 0);
  rig.with_members({1});
  rig.node.announce(rig.now);
  rig.drain();
  REQUIRE(about_me(rig).size() == 1);
  CHECK(about_me(rig)[0].incarnation == 8);
}

TEST_CASE("a refutation beyond the reserved block waits for the reservation") {
  Rig rig(with_block(1, 11));
  rig.announced();
  rig.hear(peer(3), {wire::Suspect{500, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 1);
  CHECK(about_me(rig).empty());
  CHECK(rig.events_of<Refuted>().empty());
  const auto needs = rig.events_of<NeedIncarnations>();
  REQUIRE(needs.size() == 1);
  CHECK(needs[0].end > 501);
  rig.hear(peer(3), {wire::Suspect{200, own_name, "n4"}});
  CHECK(rig.events_of<NeedIncarnations>().size() == 1);
  rig.node.extend_incarnations(needs[0].end, rig.now);
  rig.advance(500ms);
  CHECK(rig.node.self().incarnation == 501);
  REQUIRE(rig.events_of<Refuted>().size() == 1);
}

TEST_CASE("the next block is asked for while half of the old one is left") {
  Rig rig(with_block(1, 11));
  rig.announced();
  for (std::uint32_t i = 1; i <= 5; ++i)
    rig.hear(peer(3), {wire::Suspect{i, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 6);
  REQUIRE(rig.events_of<NeedIncarnations>().size() == 1);
  CHECK(rig.events_of<NeedIncarnations>()[0].end == 21);
  for (std::uint32_t i = 6; i <= 20; ++i)
    rig.hear(peer(3), {wire::Suspect{i, own_name, "n3"}});
  CHECK(rig.node.self().incarnation == 10);
  rig.node.extend_incarnations(21, rig.now);
  // The highest accusation heard, 20, needs 21: one more than was reserved.
  CHECK(rig.node.self().incarnation == 10);
  rig.drain();
  REQUIRE(rig.events_of<NeedIncarnations>().size() == 2);
  rig.node.extend_incarnations(rig.events_of<NeedIncarnations>()[1].end, rig.now);
  CHECK(rig.node.self().incarnation == 21);
}

TEST_CASE("new metadata goes out with the next incarnation to everybody") {
  Rig rig;
  rig.announced().with_members({1, 2});
  rig.node.update_meta({4, 5}, rig.now);
  rig.drain();
  const auto told = about_me(rig);
  REQUIRE(told.size() == 2);
  CHECK(told[0].incarnation == 2);
  CHECK(told[0].meta == Bytes{4, 5});
  rig.node.update_meta(Bytes(513, 1), rig.now);
  CHECK(rig.node.self().meta == Bytes{4, 5});
}

TEST_CASE("a large cluster hears of us in chunks ten milliseconds apart") {
  Rig rig;
  rig.announced();
  for (std::uint32_t i = 0; i < 300; ++i) {
    wire::Alive one = alive(1, 1);
    one.node = "m" + std::to_string(i);
    one.address = {10, 4, static_cast<std::uint8_t>(i / 200),
                   static_cast<std::uint8_t>(1 + i % 200)};
    rig.hear(peer(1), {one});
  }
  rig.clear();
  rig.node.update_meta({4, 5}, rig.now);
  const Instant start = rig.now;
  rig.drain();
  CHECK(about_me(rig).size() == 128);
  rig.advance(100ms);
  std::map<Instant, std::size_t> chunks;
  std::set<Endpoint> told;
  for (const auto& [sent, message] : rig.sent_of<wire::Alive>()) {
    if (message.node != own_name) continue;
    ++chunks[sent.at];
    told.insert(sent.to);
  }
  CHECK(told.size() == 300);
  CHECK(chunks[start + 10ms] >= 128);
  CHECK(chunks[start + 20ms] >= 44);
}

TEST_CASE("new metadata without a number to bear it waits") {
  Rig rig(with_block(1, 2));
  rig.announced().with_members({1});
  rig.node.update_meta({4}, rig.now);
  rig.drain();
  CHECK(about_me(rig).empty());
  CHECK(rig.node.self().meta == Bytes{9});
  REQUIRE(rig.events_of<NeedIncarnations>().size() == 1);
  rig.node.extend_incarnations(rig.events_of<NeedIncarnations>()[0].end, rig.now);
  rig.drain();
  REQUIRE(about_me(rig).size() == 1);
  CHECK(about_me(rig)[0].meta == Bytes{4});
  CHECK(about_me(rig)[0].incarnation == 2);
}

TEST_CASE("a leave goes to every member at once and is done when gossip said it often enough") {
  Rig rig;
  rig.announced().with_members({1, 2, 3});
  rig.node.leave(rig.now);
  rig.drain();
  const auto told = rig.sent_of<wire::Dead>();
  REQUIRE(told.size() == 3);
  CHECK(told[0].second == wire::Dead{1, own_name, own_name});
  CHECK(rig.node.self().state == RecordState::left);
  CHECK(rig.events_of<LeaveSpread>().empty());
  rig.advance(2s);
  REQUIRE(rig.events_of<LeaveSpread>().size() == 1);
  CHECK(rig.events_of<LeaveSpread>()[0].told == 3);
  CHECK(rig.sent_of<wire::Dead>().size() == 3 + 4);  // transmit limit of four members
}

TEST_CASE("a leave with nobody there is done at once") {
  Rig rig;
  rig.announced();
  rig.node.leave(rig.now);
  rig.drain();
  REQUIRE(rig.events_of<LeaveSpread>().size() == 1);
  CHECK(rig.events_of<LeaveSpread>()[0].told == 0);
  rig.node.leave(rig.now);
  rig.drain();
  CHECK(rig.events_of<LeaveSpread>().size() == 1);
}

TEST_CASE("a quiet node leaves without a word and does not come back") {
  Rig rig;
  rig.with_members({1});
  rig.node.leave(rig.now);
  rig.drain();
  CHECK(rig.sent.empty());
  CHECK(rig.events_of<LeaveSpread>().size() == 1);
  rig.node.announce(rig.now);
  rig.advance(1min);
  CHECK(rig.sent.empty());
}

TEST_CASE("after its leave a node answers but probes nobody and refutes nothing") {
  Rig rig;
  rig.announced().with_members({1});
  rig.node.leave(rig.now);
  rig.advance(5s);
  rig.clear();
  rig.hear(peer(1), {wire::Suspect{9, own_name, "n1"}, wire::Dead{9, own_name, "n1"}});
  rig.hear(peer(1), {wire::Ping{3, own_name, {}}});
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
  REQUIRE(rig.sent_of<wire::Dead>().size() == 1);  // whoever asks hears that it is true
  CHECK(rig.sent_of<wire::Dead>()[0].second.from == own_name);
  CHECK(rig.sent.size() == 2);
  rig.advance(10min);
  CHECK(rig.sent.size() == 2);
  CHECK(rig.streams.empty());
  CHECK(rig.node.self().state == RecordState::left);
}

TEST_CASE("a move tells left for the old address and then alive for the new one") {
  Rig rig;
  rig.announced().with_members({1, 2});
  rig.node.move_to({{10, 0, 0, 201}, 7000, {}, true}, rig.now);
  rig.drain();
  REQUIRE(rig.sent_of<wire::Dead>().size() == 2);
  CHECK(rig.sent_of<wire::Dead>()[0].second == wire::Dead{1, own_name, own_name});
  CHECK(about_me(rig).empty());
  rig.hear(peer(1), {wire::Suspect{1, own_name, "n1"}});
  CHECK(rig.events_of<Refuted>().empty());
  rig.advance(3s);
  REQUIRE_FALSE(about_me(rig).empty());
  const wire::Alive told = about_me(rig).front();
  CHECK(told.incarnation == 2);
  CHECK(told.address == Bytes{10, 0, 0, 201});
  CHECK(told.port == 7000);
  CHECK(rig.node.self().state == RecordState::alive);
  // Never the goodbye after the new address: it would take us out again.
  const auto mine = [](const Sent& one) {
    const auto* told_alive = std::get_if<wire::Alive>(&one.message);
    return told_alive != nullptr && told_alive->node == own_name;
  };
  const auto first_alive = std::find_if(rig.sent.begin(), rig.sent.end(), mine);
  CHECK(std::none_of(first_alive, rig.sent.end(), [](const Sent& one) {
    return std::holds_alternative<wire::Dead>(one.message);
  }));
}

TEST_CASE("a move with nobody there happens at once") {
  Rig rig;
  rig.announced();
  rig.node.move_to({{10, 0, 0, 201}, 7000, {}, true}, rig.now);
  rig.drain();
  CHECK(rig.node.self().address == Bytes{10, 0, 0, 201});
  CHECK(rig.node.self().state == RecordState::alive);
  CHECK(rig.node.self().incarnation == 2);
}

}  // namespace wesher::gossip::testing
