// Push/pull in both roles, joining, asking read-only, and what is done with the tables.
#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"
#include "wire/limits.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

using wire::EntryState;

wire::PushPull table(std::vector<wire::PushPullEntry> entries, bool join = false) {
  return {join, std::move(entries), {}};
}

/// Lets the node answer a request and opens the answer.
std::optional<wire::StreamMessage> ask(Rig& rig, const wire::StreamMessage& request) {
  auto reply = rig.node.handle_request(peer(9), rig.seal_stream(request), rig.now);
  rig.drain();
  if (!reply) return std::nullopt;
  return rig.open_stream(*reply);
}

std::vector<std::string> names(const wire::PushPull& content) {
  std::vector<std::string> found;
  for (const auto& one : content.entries)
    found.push_back(one.name);
  return found;
}

ContactResult only_result(const Rig& rig) {
  const auto results = rig.events_of<ContactResult>();
  REQUIRE(results.size() == 1);
  return results[0];
}

}  // namespace

TEST_CASE("the responder tells its own table as it was before the request") {
  Rig rig;
  rig.announced().with_members({1});
  const auto reply = ask(rig, table({entry(5, 1)}, true));
  REQUIRE(reply);
  const auto& ours = std::get<wire::PushPull>(*reply);
  CHECK(ours.join);
  CHECK(names(ours) == std::vector<std::string>{"me", "n1"});
  CHECK(rig.node.find("n5") != nullptr);
  const auto again = ask(rig, table({}));
  CHECK_FALSE(std::get<wire::PushPull>(*again).join);
  CHECK(names(std::get<wire::PushPull>(*again)) == std::vector<std::string>{"me", "n1", "n5"});
}

TEST_CASE("a table tells every record with its state") {
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4});
  rig.hear(peer(9),
           {wire::Suspect{1, "n2", "n9"}, wire::Dead{1, "n3", "n9"}, wire::Dead{1, "n4", "n4"}});
  const auto reply = ask(rig, table({}));
  const auto& ours = std::get<wire::PushPull>(*reply);
  REQUIRE(ours.entries.size() == 5);
  CHECK(ours.entries[0] ==
        wire::PushPullEntry{own_name, {10, 0, 0, 200}, 7946, {9}, false, 1, 0, {1, 5, 2, 0, 0, 0}});
  for (std::uint8_t host = 1; host <= 4; ++host)
    CHECK(ours.entries[host] == entry(host, 1, static_cast<EntryState>(host - 1)));
}

TEST_CASE("a quiet node answers with its table but without itself") {
  Rig rig;
  const auto empty = ask(rig, table({entry(1, 1)}));
  REQUIRE(empty);
  CHECK(std::get<wire::PushPull>(*empty).entries.empty());
  CHECK(names(std::get<wire::PushPull>(*ask(rig, table({})))) == std::vector<std::string>{"n1"});
}

TEST_CASE("entries are taken for what they claim and the dead only for suspected by us") {
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4});
  ask(rig, table({entry(1, 2), entry(2, 1, EntryState::suspect), entry(3, 1, EntryState::dead),
                  entry(4, 1, EntryState::left)}));
  CHECK(rig.node.find("n1")->incarnation == 2);
  CHECK(rig.node.find("n2")->state == RecordState::suspect);
  CHECK(rig.node.find("n3")->state == RecordState::suspect);
  CHECK(rig.node.find("n4")->state == RecordState::left);
  rig.clear();
  rig.advance(500ms);
  const auto suspects = rig.sent_of<wire::Suspect>();
  REQUIRE_FALSE(suspects.empty());
  CHECK(std::all_of(suspects.begin(), suspects.end(),
                    [](const auto& one) { return one.second.from == own_name; }));
}

TEST_CASE("the dead and the suspected of a table are not learnt") {
  Rig rig;
  rig.announced();
  ask(rig, table({entry(2, 1, EntryState::suspect), entry(3, 1, EntryState::dead),
                  entry(4, 1, EntryState::left)}));
  CHECK(rig.node.size() == 1);
}

TEST_CASE("one bad entry costs only itself and is never told on") {
  Rig rig;
  rig.announced();
  auto bad_state = entry(4, 1);
  bad_state.state = 4;
  auto bad_address = entry(5, 1);
  bad_address.address = {255, 255, 255, 255};
  auto bad_name = entry(6, 1);
  bad_name.name = "n\n6";
  auto zero = entry(7, 0);
  ask(rig, table({entry(1, 1), bad_state, bad_address, bad_name, zero, entry(8, 1)}));
  CHECK(rig.node.size() == 3);
  CHECK(rig.node.find("n1") != nullptr);
  CHECK(rig.node.find("n8") != nullptr);
  CHECK(rig.events_of<Refused>().size() == 4);
  CHECK(names(std::get<wire::PushPull>(*ask(rig, table({})))) ==
        std::vector<std::string>{"me", "n1", "n8"});
}

TEST_CASE("an entry with versions that crash Go nodes costs only itself") {
  Rig rig;
  rig.announced();
  // Our encoder leaves such entries out, so the table is written by hand: one entry with five
  // version bytes, one with six zeros, a good one.
  const std::string head = "0683a44a6f696ec2a54e6f64657303ac5573657253746174654c656e00";
  const auto raw_entry = [](const std::string& name_hex, const std::string& versions) {
    return "87a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e616d65a1" + name_hex +
           "a4506f7274cd1f0aa5537461746500a356736e" + versions;
  };
  const auto plain =
      from_hex(head + raw_entry("62", "a50105020000") + raw_entry("63", "a6000000000000") +
               raw_entry("64", "a6010502000000"));
  REQUIRE(plain);
  const Bytes frame = wire::seal_frame(rig.keyring, *plain, rig.rng);
  CHECK(rig.node.handle_request(peer(9), frame, rig.now));
  rig.drain();
  CHECK(rig.node.size() == 2);
  CHECK(rig.node.find("d") != nullptr);
  CHECK(rig.events_of<Refused>().size() == 2);
}

TEST_CASE("what a table tells wrongly about us is refuted") {
  Rig rig;
  rig.announced();
  auto me = entry(200, 5, EntryState::dead);
  me.name = own_name;
  ask(rig, table({me}));
  CHECK(rig.node.self().incarnation == 6);
  CHECK(rig.node.self().state == RecordState::alive);
}

TEST_CASE("a join tells our table and merges the answer") {
  Rig rig;
  rig.announced();
  rig.node.join(peer(1), rig.now);
  rig.drain();
  REQUIRE(rig.streams.size() == 1);
  CHECK(rig.streams[0].to == peer(1));
  CHECK(rig.streams[0].wants_reply);
  CHECK(rig.streams[0].deadline == rig.now + 30s);
  const auto asked = std::get<wire::PushPull>(rig.open_stream(rig.streams[0].frame));
  CHECK(asked.join);
  CHECK(names(asked) == std::vector<std::string>{"me"});
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(table({entry(1, 3), entry(2, 1)}, true)),
                        rig.now);
  rig.drain();
  const auto result = only_result(rig);
  CHECK(result.ok);
  CHECK(result.to == peer(1));
  CHECK(result.members == 2);
  CHECK(rig.events_of<Joined>().size() == 2);
  CHECK(rig.node.live() == 2);
}

TEST_CASE("whoever is learned from the answer to a join hears of us directly") {
  Rig rig;
  rig.announced();
  rig.node.join(peer(1), rig.now);
  rig.drain();
  rig.sent.clear();
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(table({entry(1, 3), entry(2, 1)}, true)),
                        rig.now);
  rig.drain();
  std::vector<Endpoint> told;
  for (const auto& [how, message] : rig.sent_of<wire::Alive>()) {
    CHECK(message.node == own_name);
    told.push_back(how.to);
  }
  CHECK(told == std::vector<Endpoint>{peer(2)});
  // Of whom we are told unasked, others have told whatever there is to tell.
  rig.sent.clear();
  rig.hear(peer(1), {alive(5, 1)});
  CHECK(rig.sent_of<wire::Alive>().empty());
}

TEST_CASE("more than a flood's chunk of strangers hear of us ten milliseconds apart") {
  Rig rig;
  rig.announced();
  rig.node.join(peer(1), rig.now);
  rig.drain();
  std::vector<wire::PushPullEntry> many;
  for (std::uint8_t host = 1; host <= 190; ++host)
    many.push_back(entry(host, 1));
  rig.sent.clear();
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(table(std::move(many), true)), rig.now);
  rig.drain();
  CHECK(rig.sent_of<wire::Alive>().size() == 128);
  rig.advance(10ms);
  std::size_t ours = 0;
  for (const auto& [how, message] : rig.sent_of<wire::Alive>())
    ours += message.node == own_name ? 1U : 0U;
  CHECK(ours == 189);
}

TEST_CASE("a join before the announcement or after the leave is refused") {
  Rig rig;
  rig.node.join(peer(1), rig.now);
  rig.drain();
  CHECK(rig.streams.empty());
  CHECK_FALSE(only_result(rig).ok);
  rig.announced();
  rig.node.leave(rig.now);
  rig.clear();
  rig.node.join(peer(1), rig.now);
  rig.drain();
  CHECK(rig.streams.empty());
  CHECK_FALSE(only_result(rig).ok);
}

TEST_CASE("asking read-only tells nothing and learns everything") {
  Rig rig;
  rig.with_members({7});
  rig.node.probe_seed(peer(1), rig.now);
  rig.drain();
  REQUIRE(rig.streams.size() == 1);
  CHECK(std::get<wire::PushPull>(rig.open_stream(rig.streams[0].frame)) == table({}));
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(table({entry(1, 3)})), rig.now);
  rig.drain();
  CHECK(only_result(rig).ok);
  CHECK(rig.events_of<Joined>().size() == 1);
  rig.advance(10min);
  CHECK(rig.sent.empty());
}

TEST_CASE("whatever goes wrong with a contact is its result") {
  Rig rig;
  rig.announced();
  rig.node.join(peer(1), rig.now);
  rig.drain();
  REQUIRE(rig.streams.size() == 1);
  const StreamId id = rig.streams[0].id;
  SECTION("no connection") {
    rig.node.handle_stream_failed(id, "connection refused", rig.now);
    rig.drain();
    CHECK(only_result(rig).reason == "connection refused");
  }
  SECTION("an error reply") {
    rig.node.handle_reply(id, rig.seal_stream(wire::ErrorReply{"bo\nom"}), rig.now);
    rig.drain();
    CHECK(only_result(rig).reason == "it answered with an error: bo\\x0aom");
  }
  SECTION("another kind of message") {
    rig.node.handle_reply(id, rig.seal_stream(wire::Ack{1, {}, true}), rig.now);
    rig.drain();
    CHECK(only_result(rig).reason == "the answer is not a table of members");
  }
  SECTION("another key") {
    const wire::Keyring stranger = test_keyring(8);
    const Bytes plain = wire::encode_stream(table({}));
    rig.node.handle_reply(id, wire::seal_frame(stranger, plain, rig.rng), rig.now);
    rig.drain();
    CHECK(only_result(rig).reason == "the answer is not encrypted with our cluster key");
  }
  SECTION("nothing until the deadline") {
    rig.advance(30s);
    CHECK(only_result(rig).reason == "no answer in time");
  }
  CHECK_FALSE(only_result(rig).ok);
  // What comes later for this stream changes nothing.
  rig.node.handle_reply(id, rig.seal_stream(table({entry(1, 1)})), rig.now);
  rig.node.handle_stream_failed(id, "late", rig.now);
  rig.drain();
  CHECK(rig.events_of<ContactResult>().size() == 1);
  CHECK(rig.node.size() == 1);
}

TEST_CASE("a TCP ping is acked under its number and one for another name gets silence") {
  Rig rig;
  rig.announced();
  const auto reply = ask(rig, wire::Ping{31, own_name, {}});
  REQUIRE(reply);
  CHECK(std::get<wire::Ack>(*reply) == wire::Ack{31, {}, true});
  CHECK(ask(rig, wire::Ping{31, "", {}}));
  CHECK_FALSE(ask(rig, wire::Ping{31, "other", {}}));
  CHECK_FALSE(ask(rig, wire::User{{1, 2, 3}}));
  CHECK_FALSE(ask(rig, wire::ErrorReply{"x"}));
  CHECK_FALSE(ask(rig, wire::Ack{1, {}, true}));
}

TEST_CASE("a periodic push and pull goes to one alive member after a minute at most") {
  Rig rig;
  rig.announced().with_members({1, 2});
  const auto push_pulls = [&] {
    std::vector<StreamRequest> found;
    for (const StreamRequest& one : rig.streams) {
      if (std::holds_alternative<wire::PushPull>(rig.open_stream(one.frame))) found.push_back(one);
    }
    return found;
  };
  Instant asked_at;
  for (int i = 0; i < 6000 && push_pulls().empty(); ++i) {
    rig.advance(10ms);
    asked_at = rig.now;
  }
  REQUIRE(push_pulls().size() == 1);
  const StreamRequest request = push_pulls().front();
  const auto content = std::get<wire::PushPull>(rig.open_stream(request.frame));
  CHECK_FALSE(content.join);
  CHECK(content.entries.size() == 3);
  rig.advance(2s);
  rig.node.handle_reply(request.id, rig.seal_stream(table({entry(1, 9)})), rig.now);
  CHECK(rig.node.find("n1")->incarnation == 9);
  rig.drain();
  CHECK(rig.events_of<ContactResult>().empty());
  // The next one is measured from the end of this one.
  rig.clear();
  rig.advance(60s - 1us);
  CHECK(push_pulls().empty());
}

// Of thirty that start at once and of which half are Go nodes, one of these missed another one for
// minutes where ours did not: each relays some eight times, and all that is learned is relayed.
TEST_CASE("who announces itself among Go nodes gossips whom it learned of before") {
  const bool relay = GENERATE(false, true);
  Rig rig;
  rig.node.probe_seed(peer(1), rig.now);
  rig.drain();
  REQUIRE(rig.streams.size() == 1);
  rig.node.handle_reply(
      rig.streams[0].id,
      rig.seal_stream(table({entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)})), rig.now);
  rig.node.announce(rig.now, relay);
  rig.advance(5s);
  std::set<std::string> told;
  for (const auto& [how, alive] : rig.sent_of<wire::Alive>())
    told.insert(alive.node);
  const std::set<std::string> everybody{"me", "n1", "n2", "n3", "n4"};
  CHECK(told == (relay ? everybody : std::set<std::string>{"me"}));
}

TEST_CASE("periodic tables are compressed both ways, and those of a join are not") {
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4, 5, 6, 7, 8});
  const auto sealed_bytes = [&](const Bytes& frame) {
    return std::pair{frame.size(), rig.seal_stream(rig.open_stream(frame)).size()};
  };
  const auto asked = rig.push_pulls_within(61s);
  REQUIRE(asked.size() == 1);
  const auto [periodic, periodic_plain] = sealed_bytes(asked[0].frame);
  CHECK(periodic < periodic_plain * 2 / 3);
  const auto answer =
      rig.node.handle_request(peer(1), rig.seal_stream(table({entry(1, 1)})), rig.now);
  const auto [answered, answered_plain] = sealed_bytes(*answer);
  CHECK(answered < answered_plain * 2 / 3);
  const auto to_join = rig.node.handle_request(peer(1), rig.seal_stream(table({}, true)), rig.now);
  const auto [joined, joined_plain] = sealed_bytes(*to_join);
  CHECK(joined == joined_plain);
}

TEST_CASE("a stranger's table brings so many new names at once and members are still updated") {
  Rig rig;
  rig.announced();
  std::vector<wire::PushPullEntry> many;
  for (std::size_t i = 0; i < limits::kNewNamesAtOnce + 100; ++i) {
    auto one = entry(1, 1);
    one.name = "m" + std::to_string(100000 + i);
    one.address = {10, 2, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
    if (one.address[3] == 255) one.address[3] = 1;
    many.push_back(one);
  }
  ask(rig, table(many));
  CHECK(rig.node.size() == limits::kNewNamesAtOnce + 1);
  CHECK(rig.events_of<Refused>().size() == 16);
  rig.clear();
  many[0].incarnation = 2;
  ask(rig, table({many[0], many.back()}));
  CHECK(rig.node.find(many[0].name)->incarnation == 2);
  CHECK(rig.node.find(many.back().name) == nullptr);
}

}  // namespace wesher::gossip::testing
