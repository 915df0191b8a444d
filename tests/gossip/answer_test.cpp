// What a node answers: pings, indirect pings, and silence where there is nothing to say.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"
#include "wire/limits.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

wire::IndirectPing indirect(std::uint8_t target, bool nack = true) {
  wire::IndirectPing request;
  request.sequence = 42;
  request.target = {10, 0, 0, target};
  request.port = 7946;
  request.node = name_of(target);
  request.nack = nack;
  return request;
}

}  // namespace

TEST_CASE("a ping is acked to where it came from whatever source it names") {
  Rig rig;
  rig.announced();
  wire::Ping ping{77, own_name, {}};
  ping.source = {{192, 0, 2, 1}, 1, "elsewhere"};
  rig.hear(peer(5, 4000), {ping});
  const auto acks = rig.sent_of<wire::Ack>();
  REQUIRE(acks.size() == 1);
  CHECK(acks[0].first.to == peer(5, 4000));
  CHECK(acks[0].second == wire::Ack{77, {}, true});
}

TEST_CASE("a ping for whoever gets it is acked and one for another name is not") {
  Rig rig;
  rig.hear(peer(5), {wire::Ping{1, "", {}}});
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
  rig.hear(peer(5), {wire::Ping{2, "other", {}}});
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
}

TEST_CASE("an ack takes waiting broadcasts along") {
  Rig rig;
  rig.announced();
  rig.hear(peer(1), {alive(1, 1)});
  rig.hear(peer(5), {wire::Ping{1, own_name, {}}});
  CHECK(rig.datagrams == 1);
  CHECK(rig.sent_of<wire::Alive>().size() == 2);
}

TEST_CASE("a datagram filled to the last byte is not longer than 1400") {
  Rig rig;
  rig.announced();
  for (std::uint32_t i = 0; i < 120; ++i) {
    wire::Alive one = alive(static_cast<std::uint8_t>(i + 1), 1, Bytes(i % 100, 7));
    rig.hear(peer(1), {one});
  }
  std::size_t longest = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    rig.node.handle_packet(peer(5), rig.seal({wire::Ping{i, own_name, {}}}), rig.now);
    while (const auto transmit = rig.node.poll_transmit())
      longest = std::max(longest, transmit->datagram.size());
  }
  CHECK(longest == 1400);
}

TEST_CASE("a member that we hold dead or suspect learns it with the ack to its ping") {
  Rig rig;
  rig.announced().with_members({1, 2});
  rig.hear(peer(9), {wire::Suspect{1, "n1", "n9"}, wire::Dead{1, "n2", "n9"}});
  rig.clear();
  rig.hear(peer(1), {wire::Ping{1, own_name, {}}});
  REQUIRE(rig.sent_of<wire::Suspect>().size() == 1);
  CHECK(rig.sent_of<wire::Suspect>()[0].second == wire::Suspect{1, "n1", own_name});
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
  CHECK(rig.datagrams == 1);
  rig.clear();
  rig.hear(peer(2), {wire::Ping{2, own_name, {}}});
  REQUIRE(rig.sent_of<wire::Dead>().size() == 1);
  CHECK(rig.sent_of<wire::Dead>()[0].second == wire::Dead{1, "n2", own_name});
}

TEST_CASE(
    "an alive that a record overrules brings its member the accusation at most once a second") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(9), {wire::Dead{5, "n1", "n9"}});
  rig.clear();
  rig.hear(peer(9), {alive(1, 3)});
  rig.hear(peer(9), {alive(1, 4)});
  REQUIRE(rig.sent_of<wire::Dead>().size() == 1);
  CHECK(rig.sent_of<wire::Dead>()[0].first.to == peer(1));
  CHECK(rig.sent_of<wire::Dead>()[0].second == wire::Dead{5, "n1", own_name});
  rig.now += 1s;
  rig.hear(peer(9), {alive(1, 4)});
  CHECK(rig.sent_of<wire::Dead>().size() == 2);
}

// A member of the Go program that starts anew counts from the beginning.
TEST_CASE("a member of which there are two records of one number is asked for a newer one") {
  for (const auto state : {wire::EntryState::alive, wire::EntryState::left}) {
    Rig rig;
    rig.announced().with_members({1});
    const bool left = state == wire::EntryState::left;
    if (left) rig.hear(peer(9), {wire::Dead{1, "n1", "n1"}});
    rig.clear();
    rig.hear(peer(9), {alive(1, 1)});
    CHECK(rig.sent_of<wire::Suspect>().empty());
    rig.now += 1s;
    rig.hear(peer(9), {alive(1, 1, {7, 7})});
    rig.hear(peer(9), {alive(1, 1, {7, 8})});
    REQUIRE(rig.sent_of<wire::Suspect>().size() == 1);
    CHECK(rig.sent_of<wire::Suspect>()[0].first.to == peer(1));
    CHECK(rig.sent_of<wire::Suspect>()[0].second == wire::Suspect{1, "n1", own_name});
    CHECK(rig.node.find("n1")->meta == Bytes{1, 2});
    rig.hear(peer(1), {alive(1, 2, {7, 7})});
    CHECK(rig.node.find("n1")->meta == Bytes{7, 7});
    CHECK(rig.node.find("n1")->state == RecordState::alive);
  }
}

TEST_CASE("whoever takes us for gone by an old number hears our record") {
  Rig rig;
  rig.announced().with_members({1});
  rig.node.update_meta({4, 4}, rig.now);
  const std::uint32_t mine = rig.node.self().incarnation;
  REQUIRE(mine > 1);
  rig.advance(1min);  // told everybody
  rig.clear();
  const bool dead = GENERATE(false, true);
  const auto accuse = [&](const Endpoint& from) {
    if (dead) return rig.hear(from, {wire::Dead{mine - 1, own_name, "n1"}});
    rig.hear(from, {wire::Suspect{mine - 1, own_name, "n1"}, wire::Ping{1, own_name, {}}});
  };
  accuse(peer(1));
  REQUIRE(rig.sent_of<wire::Alive>().size() == 1);
  CHECK(rig.sent_of<wire::Alive>()[0].first.to == peer(1));
  CHECK(rig.sent_of<wire::Alive>()[0].second.incarnation == mine);
  CHECK(rig.events_of<Refuted>().empty());
  for (int i = 0; i < 100; ++i)
    accuse(peer(66));
  CHECK(rig.sent_of<wire::Alive>().size() == limits::kRefutations);
  rig.node.leave(rig.now);
  rig.now += 10s;
  rig.clear();
  accuse(peer(1));
  CHECK(rig.sent_of<wire::Alive>().empty());
}

TEST_CASE("a relayed ping brings the ack back under the number of the requester") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(8, 4000), {indirect(1)});
  const auto pings = rig.sent_of<wire::Ping>();
  REQUIRE(pings.size() == 1);
  CHECK(pings[0].first.to == peer(1));
  CHECK(pings[0].second.node == "n1");
  CHECK(pings[0].second.sequence != 42);
  rig.hear(peer(1), {wire::Ack{pings[0].second.sequence, {}, true}});
  const auto acks = rig.sent_of<wire::Ack>();
  REQUIRE(acks.size() == 1);
  CHECK(acks[0].first.to == peer(8, 4000));
  CHECK(acks[0].second.sequence == 42);
  rig.advance(10s);
  CHECK(rig.sent_of<wire::Nack>().empty());
  CHECK(rig.events_of<Acked>().empty());
}

TEST_CASE("a relay sends its nack early and a later ack all the same") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(8), {indirect(1)});
  const Instant start = rig.now;
  const std::uint32_t sequence = rig.sent_of<wire::Ping>().at(0).second.sequence;
  rig.clear();
  rig.advance(2s);
  const auto nacks = rig.sent_of<wire::Nack>();
  REQUIRE(nacks.size() == 1);
  CHECK(nacks[0].first.at == start + 1500ms);
  CHECK(nacks[0].first.to == peer(8));
  CHECK(nacks[0].second.sequence == 42);
  rig.hear(peer(1), {wire::Ack{sequence, {}, true}});
  REQUIRE(rig.sent_of<wire::Ack>().size() == 1);
  CHECK(rig.sent_of<wire::Nack>().size() == 1);
}

TEST_CASE("a relay without the nack flag stays silent and forgets after the probe timeout") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(8), {indirect(1, false)});
  const std::uint32_t sequence = rig.sent_of<wire::Ping>().at(0).second.sequence;
  rig.clear();
  rig.advance(3s);
  CHECK(rig.sent_of<wire::Nack>().empty());
  rig.hear(peer(1), {wire::Ack{sequence, {}, true}});
  CHECK(rig.sent_of<wire::Ack>().empty());
}

TEST_CASE("nobody makes us ping an address that is no member's") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(8), {indirect(2)});
  wire::IndirectPing other_port = indirect(1);
  other_port.port = 53;
  rig.hear(peer(8), {other_port});
  wire::IndirectPing no_address = indirect(1);
  no_address.target = {1, 2, 3};
  rig.hear(peer(8), {no_address});
  CHECK(rig.sent_of<wire::Ping>().empty());
  CHECK(rig.sent_of<wire::Nack>().size() == 2);
}

TEST_CASE("port 0 of an indirect ping means our own port") {
  Rig rig;
  rig.announced().with_members({1});
  wire::IndirectPing request = indirect(1);
  request.port = 0;
  rig.hear(peer(8), {request});
  CHECK(rig.sent_of<wire::Ping>().size() == 1);
}

TEST_CASE("pings for others are bounded in their rate") {
  Rig rig;
  rig.announced().with_members({1});
  for (int i = 0; i < 2000; ++i)
    rig.hear(peer(8), {indirect(1)});
  CHECK(rig.sent_of<wire::Ping>().size() == limits::kRelays);
  rig.advance(3s);
  rig.clear();
  rig.hear(peer(8), {indirect(1)});
  CHECK(rig.sent_of<wire::Ping>().size() == 1);
}

TEST_CASE("one datagram gets at most four answers") {
  Rig rig;
  rig.announced();
  std::vector<wire::PacketMessage> pings;
  for (std::uint32_t i = 0; i < 50; ++i)
    pings.emplace_back(wire::Ping{i, own_name, {}});
  rig.hear(peer(8), pings);
  CHECK(rig.sent_of<wire::Ack>().size() == 4);
}

TEST_CASE("junk gets no answer and no change") {
  Rig rig;
  rig.announced();
  Rng junk = Rng::from_number(99);
  for (std::size_t size = 0; size < 1500; ++size) {
    Bytes bytes(size);
    junk.fill(bytes);
    rig.node.handle_packet(peer(1), bytes, rig.now);
    CHECK_FALSE(rig.node.handle_request(peer(1), bytes, rig.now).has_value());
  }
  rig.drain();
  CHECK(rig.sent.empty());
  CHECK(rig.streams.empty());
  CHECK(rig.node.size() == 1);
  CHECK(rig.events_of<Undecryptable>().size() == 1500);
  CHECK(rig.events.size() == 1500);
}

TEST_CASE("a datagram under another key is reported and otherwise ignored") {
  Rig rig;
  rig.announced();
  const wire::Keyring stranger = test_keyring(8);
  const Bytes ping = wire::encode(wire::Ping{1, own_name, {}});
  rig.node.handle_packet(peer(3), wire::seal_packet(stranger, ping, rig.rng), rig.now);
  rig.drain();
  CHECK(rig.sent.empty());
  REQUIRE(rig.events_of<Undecryptable>().size() == 1);
  CHECK(rig.events_of<Undecryptable>()[0].from == peer(3));
}

TEST_CASE("a request under another key is reported and gets no answer") {
  Rig rig;
  rig.announced();
  const wire::Keyring stranger = test_keyring(8);
  const Bytes ping = wire::encode_stream(wire::Ping{1, own_name, {}});
  CHECK_FALSE(rig.node.handle_request(peer(3), wire::seal_frame(stranger, ping, rig.rng), rig.now));
  rig.drain();
  REQUIRE(rig.events_of<Undecryptable>().size() == 1);
  CHECK(rig.events_of<Undecryptable>()[0].from == peer(3));
}

TEST_CASE("a datagram that was here before is ignored") {
  Rig rig;
  rig.announced();
  const Bytes datagram = rig.seal({wire::Ping{1, own_name, {}}});
  rig.node.handle_packet(peer(3), datagram, rig.now);
  rig.node.handle_packet(peer(4), datagram, rig.now);
  rig.drain();
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
  CHECK(rig.events_of<Undecryptable>().empty());
}

TEST_CASE("a forged datagram does not spoil the nonce of the true one") {
  Rig rig;
  rig.announced();
  const Bytes datagram = rig.seal({wire::Ping{1, own_name, {}}});
  Bytes forged = datagram;
  forged.back() ^= 1U;
  rig.node.handle_packet(peer(3), forged, rig.now);
  rig.node.handle_packet(peer(3), datagram, rig.now);
  rig.drain();
  CHECK(rig.sent_of<wire::Ack>().size() == 1);
}

}  // namespace wesher::gossip::testing
