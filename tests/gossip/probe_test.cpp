// The probe cycle of one node in virtual time, its peers played by the test. WAN timing: a probe
// every 5 s, 3 s for the direct ping, the rest for the ways around.
#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

/// Moves to the first ping of the next probe and gives it.
std::pair<Rig::SentAs, wire::Ping> next_ping(Rig& rig) {
  rig.clear();
  for (int i = 0; i < 1000; ++i) {
    rig.advance(10ms);
    const auto pings = rig.sent_of<wire::Ping>();
    if (!pings.empty()) return pings.front();
  }
  FAIL("no probe came");
  return {};
}

wire::Ack ack(std::uint32_t sequence) {
  return {sequence, {}, true};
}

RecordState state_of(const Rig& rig, std::uint8_t host) {
  const Record* record = rig.node.find(name_of(host));
  REQUIRE(record != nullptr);
  return record->state;
}

}  // namespace

TEST_CASE("an ack ends the probe and the next one comes an interval after the last") {
  Rig rig;
  rig.announced().with_members({1});
  // The first three come quickly, as somebody came.
  for (int i = 0; i < 3; ++i)
    rig.hear(peer(1), {ack(next_ping(rig).second.sequence)});
  rig.clear();
  const auto [first, ping] = next_ping(rig);
  CHECK(ping.node == "n1");
  CHECK(ping.source == wire::Source{});
  CHECK(first.to == peer(1));
  rig.hear(peer(1), {ack(ping.sequence)});
  const auto acked = rig.events_of<Acked>();
  REQUIRE(acked.size() == 1);
  CHECK(acked[0].name == "n1");
  CHECK_FALSE(acked[0].tcp_only);
  const auto [second, next] = next_ping(rig);
  CHECK(second.at - first.at == 5s);
  CHECK(next.sequence != ping.sequence);
}

TEST_CASE("an ack counts wherever it comes from but only once and only with the number") {
  Rig rig;
  rig.announced().with_members({1});
  const auto [at, ping] = next_ping(rig);
  rig.hear(peer(1), {ack(ping.sequence + 1)});
  CHECK(rig.events_of<Acked>().empty());
  rig.hear(peer(99), {ack(ping.sequence), ack(ping.sequence)});
  CHECK(rig.events_of<Acked>().size() == 1);
}

TEST_CASE("after three seconds three others and a TCP ping are asked") {
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4, 5, 6});
  const auto [direct, ping] = next_ping(rig);
  rig.clear();
  rig.advance(direct.at + 3s - rig.now - 1us);
  CHECK(rig.sent_of<wire::IndirectPing>().empty());
  rig.advance(1us);
  const auto asked = rig.sent_of<wire::IndirectPing>();
  REQUIRE(asked.size() == 3);
  for (const auto& [sent, request] : asked) {
    CHECK(request.sequence == ping.sequence);
    CHECK(request.node == ping.node);
    CHECK(request.nack);
    CHECK(request.port == 7946);
    CHECK(Bytes(direct.to.address.bytes().begin(), direct.to.address.bytes().end()) ==
          request.target);
    CHECK_FALSE(sent.to == direct.to);
  }
  REQUIRE(rig.streams.size() == 1);
  CHECK(rig.streams[0].to == direct.to);
  CHECK(rig.streams[0].deadline == direct.at + 5s);
  const auto tcp = std::get<wire::Ping>(rig.open_stream(rig.streams[0].frame));
  CHECK(tcp.sequence == ping.sequence);
  CHECK(tcp.node == ping.node);
}

TEST_CASE("an ack through a relay keeps the member alive") {
  Rig rig;
  rig.announced().with_members({1, 2});
  const auto [direct, ping] = next_ping(rig);
  rig.advance(4s);
  rig.hear(peer(2), {ack(ping.sequence)});
  CHECK(rig.events_of<Acked>().size() == 1);
  CHECK(rig.events_of<Suspicion>().empty());
  CHECK(rig.node.health() == 0);
}

TEST_CASE("a member that answers only over TCP is alive and marked") {
  Rig rig;
  rig.announced().with_members({1});
  const auto [direct, ping] = next_ping(rig);
  rig.advance(direct.at + 3s - rig.now);
  REQUIRE(rig.streams.size() == 1);
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(ack(ping.sequence)), rig.now);
  rig.drain();
  CHECK(rig.events_of<Acked>().empty());
  rig.advance(direct.at + 5s - rig.now);
  const auto acked = rig.events_of<Acked>();
  REQUIRE(acked.size() == 1);
  CHECK(acked[0].tcp_only);
  CHECK(state_of(rig, 1) == RecordState::alive);
}

TEST_CASE("a TCP ack with another number does not count") {
  Rig rig;
  rig.announced().with_members({1});
  const auto [direct, ping] = next_ping(rig);
  rig.advance(direct.at + 3s - rig.now);
  REQUIRE(rig.streams.size() == 1);
  rig.node.handle_reply(rig.streams[0].id, rig.seal_stream(ack(ping.sequence + 1)), rig.now);
  rig.advance(direct.at + 5s - rig.now);
  CHECK(state_of(rig, 1) == RecordState::suspect);
}

TEST_CASE("silence makes a member suspect at the end of the probe and this is gossiped") {
  Rig rig;
  rig.announced().with_members({1, 2});
  const auto [direct, ping] = next_ping(rig);
  const std::uint8_t host = ping.node == "n1" ? 1 : 2;
  rig.advance(direct.at + 5s - rig.now - 1us);
  CHECK(state_of(rig, host) == RecordState::alive);
  rig.clear();
  rig.advance(1us);
  CHECK(state_of(rig, host) == RecordState::suspect);
  const auto events = rig.events_of<Suspicion>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].record.state == RecordState::suspect);
  rig.advance(500ms);
  const auto told = rig.sent_of<wire::Suspect>();
  REQUIRE_FALSE(told.empty());
  CHECK(told[0].second == wire::Suspect{1, ping.node, own_name});
}

TEST_CASE("every nack that stays out costs one point of health") {
  const unsigned nacks = GENERATE(0U, 1U, 3U, 9U);
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4, 5});
  const auto [direct, ping] = next_ping(rig);
  rig.advance(direct.at + 4s - rig.now);
  for (unsigned i = 0; i < nacks; ++i)
    rig.hear(peer(2), {wire::Nack{ping.sequence}});
  rig.advance(direct.at + 5s - rig.now);
  CHECK(rig.node.health() == (nacks >= 3 ? 0U : 3U - nacks));
}

TEST_CASE("without anybody to ask a failed probe costs one point") {
  Rig rig;
  rig.announced().with_members({1});
  const auto [direct, ping] = next_ping(rig);
  rig.advance(direct.at + 5s - rig.now);
  CHECK(rig.node.health() == 1);
}

TEST_CASE("peers of older protocol versions get no nack flag and no TCP ping") {
  Rig rig;
  rig.announced();
  wire::Alive old_one = alive(1, 1);
  old_one.versions = {1, 2, 2, 0, 0, 0};
  wire::Alive old_two = alive(2, 1);
  old_two.versions = {1, 3, 2, 0, 0, 0};
  rig.hear(peer(1), {old_one, old_two});
  const auto [direct, ping] = next_ping(rig);
  rig.advance(direct.at + 3s - rig.now);
  const auto asked = rig.sent_of<wire::IndirectPing>();
  REQUIRE(asked.size() == 1);
  CHECK_FALSE(asked[0].second.nack);
  CHECK(rig.streams.size() == (ping.node == "n1" ? 0U : 1U));
  rig.advance(direct.at + 5s - rig.now);
  CHECK(rig.node.health() == 1);
}

TEST_CASE("a datagram that can't be sent leads to the ways around at once") {
  Rig rig;
  rig.announced().with_members({1, 2});
  const auto [direct, ping] = next_ping(rig);
  rig.node.handle_send_error(peer(77), rig.now);
  rig.drain();
  CHECK(rig.sent_of<wire::IndirectPing>().empty());
  rig.node.handle_send_error(direct.to, rig.now);
  rig.drain();
  CHECK(rig.sent_of<wire::IndirectPing>().size() == 1);
  CHECK(rig.streams.size() == 1);
  rig.node.handle_send_error(direct.to, rig.now);
  rig.drain();
  CHECK(rig.sent_of<wire::IndirectPing>().size() == 1);
  rig.advance(direct.at + 5s - rig.now);
  CHECK(rig.events_of<Suspicion>().size() == 1);
}

TEST_CASE("a bad health lengthens the probe but not its direct part") {
  Rig rig;
  rig.announced().with_members({1});
  const auto [first, ping] = next_ping(rig);
  rig.advance(first.at + 5s - rig.now);
  REQUIRE(rig.node.health() == 1);
  // The tick that fell on the end of the first probe began the next one.
  const auto pings = rig.sent_of<wire::Ping>();
  REQUIRE(pings.size() == 2);
  const auto second = pings[1].first.at;
  CHECK(second == first.at + 5s);
  rig.clear();
  rig.advance(second + 3s - rig.now);
  REQUIRE(rig.streams.size() == 1);
  CHECK(rig.streams[0].deadline == second + 10s);
  // Ticks during a long probe are not lost: one follows right after it.
  rig.clear();
  rig.advance(second + 10s - rig.now);
  REQUIRE(rig.sent_of<wire::Ping>().size() == 1);
  CHECK(rig.sent_of<wire::Ping>()[0].first.at == second + 10s);
}

TEST_CASE("a tick that fell into a long probe follows at once when an ack ends it") {
  Rig rig;
  rig.announced().with_members({1});
  const auto [first, ping] = next_ping(rig);
  rig.advance(first.at + 5s - rig.now);
  REQUIRE(rig.node.health() == 1);
  const auto pings = rig.sent_of<wire::Ping>();
  REQUIRE(pings.size() == 2);
  const auto [second, long_ping] = pings[1];
  rig.advance(second.at + 7s - rig.now);
  rig.clear();
  rig.hear(peer(1), {ack(long_ping.sequence)});
  REQUIRE(rig.sent_of<wire::Ping>().size() == 1);
  CHECK(rig.sent_of<wire::Ping>()[0].first.at == second.at + 7s);
}

TEST_CASE("a suspect hears of it in the datagram that pings it") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(2), {wire::Suspect{1, "n1", "n9"}});
  rig.clear();
  const auto [at, ping] = next_ping(rig);
  const auto told = rig.sent_of<wire::Suspect>();
  REQUIRE_FALSE(told.empty());
  CHECK(told.back().first.at == at.at);
  CHECK(told.back().first.to == peer(1));
  CHECK(told.back().second == wire::Suspect{1, "n1", own_name});
}

TEST_CASE("a suspicion runs out into a death with our name") {
  Rig rig;
  rig.announced().with_members({1, 2});
  rig.hear(peer(2), {wire::Suspect{1, "n1", "n2"}});
  const Instant start = rig.now;
  rig.clear();
  rig.advance(30s - 1us);
  CHECK(state_of(rig, 1) == RecordState::suspect);
  rig.advance(1us);
  CHECK(state_of(rig, 1) == RecordState::dead);
  const auto failed = rig.events_of<Failed>();
  REQUIRE_FALSE(failed.empty());
  CHECK(failed[0].record.name == "n1");
  CHECK_FALSE(failed[0].maybe_left);
  CHECK(failed[0].record.changed == start + 30s);
  rig.clear();
  rig.advance(500ms);
  const auto told = rig.sent_of<wire::Dead>();
  REQUIRE_FALSE(told.empty());
  CHECK(told[0].second == wire::Dead{1, "n1", own_name});
}

TEST_CASE("confirmations shorten a suspicion and are relayed and repeated ones are not") {
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4, 5, 6, 7});  // n = 8, k = 4
  rig.hear(peer(2), {wire::Suspect{1, "n1", "n2"}});
  const Instant start = rig.now;
  CHECK(rig.node.poll_timeout());
  rig.hear(peer(2), {wire::Suspect{1, "n1", "n2"}});
  for (const char* from : {"n3", "n4", "n5", "n6"})
    rig.hear(peer(3), {wire::Suspect{1, "n1", from}});
  rig.advance(start + 30s - rig.now - 1us);
  CHECK(state_of(rig, 1) == RecordState::suspect);
  rig.advance(1us);
  CHECK(state_of(rig, 1) == RecordState::dead);
}

TEST_CASE("a late confirmation ends an overdue suspicion at once") {
  Rig rig;
  rig.announced().with_members({1, 2, 3, 4, 5, 6, 7});
  rig.hear(peer(2), {wire::Suspect{1, "n1", "n2"}});
  rig.advance(100s);
  REQUIRE(state_of(rig, 1) == RecordState::suspect);
  // Two confirmations mean 77.6 s, and these are over.
  rig.hear(peer(3), {wire::Suspect{1, "n1", "n3"}, wire::Suspect{1, "n1", "n4"}});
  CHECK(state_of(rig, 1) == RecordState::dead);
}

TEST_CASE("a refutation ends the suspicion for good") {
  Rig rig;
  rig.announced().with_members({1, 2});
  rig.hear(peer(2), {wire::Suspect{1, "n1", "n2"}});
  rig.clear();
  rig.hear(peer(1), {alive(1, 2)});
  const auto events = rig.events_of<Suspicion>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].record.state == RecordState::alive);
  CHECK(rig.events_of<Joined>().empty());
  CHECK(state_of(rig, 1) == RecordState::alive);
  // Everybody acks from here on; the old suspicion must not come to anything.
  for (int i = 0; i < 2000; ++i) {
    rig.clear();
    rig.advance(100ms);
    for (const auto& [sent, ping] : rig.sent_of<wire::Ping>())
      rig.hear(sent.to, {ack(ping.sequence)});
    REQUIRE(rig.events_of<Suspicion>().empty());
    REQUIRE(rig.events_of<Failed>().empty());
  }
}

TEST_CASE("a single ping to a failed member carries the accusation and its ack is reported") {
  Rig rig;
  rig.announced().with_members({1});
  rig.hear(peer(2), {wire::Dead{1, "n1", "n2"}});
  rig.clear();
  rig.node.ping("n1", peer(1), rig.now);
  rig.drain();
  const auto pings = rig.sent_of<wire::Ping>();
  REQUIRE(pings.size() == 1);
  REQUIRE(rig.sent_of<wire::Dead>().size() == 1);
  CHECK(rig.datagrams == 1);
  rig.hear(peer(1), {ack(pings[0].second.sequence), alive(1, 2)});
  CHECK(rig.events_of<Acked>().size() == 1);
  CHECK(rig.events_of<Joined>().size() == 1);
}

TEST_CASE("the ack of a single ping counts only until its timeout") {
  Rig rig;
  rig.announced();
  rig.node.ping("x", peer(1), rig.now);
  rig.drain();
  const auto pings = rig.sent_of<wire::Ping>();
  REQUIRE(pings.size() == 1);
  rig.advance(3s);
  rig.hear(peer(1), {ack(pings[0].second.sequence)});
  CHECK(rig.events_of<Acked>().empty());
}

TEST_CASE("dead and left members are reaped a minute later when a round ends") {
  Rig rig;
  rig.announced().with_members({1, 2, 3});
  rig.hear(peer(2), {wire::Dead{1, "n1", "n2"}, wire::Dead{1, "n3", "n3"}});
  rig.clear();
  for (int i = 0; i < 10; ++i) {
    const auto [at, ping] = next_ping(rig);
    CHECK(rig.events_of<Reaped>().empty());
    rig.hear(peer(2), {ack(ping.sequence)});
  }
  std::vector<Reaped> reaped;
  for (int i = 0; i < 6; ++i) {
    const auto [at, ping] = next_ping(rig);
    for (const Reaped& one : rig.events_of<Reaped>())
      reaped.push_back(one);
    rig.hear(peer(2), {ack(ping.sequence)});
  }
  CHECK(reaped.size() == 2);
  CHECK(rig.node.find("n1") == nullptr);
  CHECK(rig.node.size() == 2);
}

TEST_CASE("a node that did not announce itself probes and gossips nothing") {
  Rig rig;
  rig.with_members({1, 2, 3});
  rig.advance(10min);
  CHECK(rig.sent.empty());
  CHECK(rig.streams.empty());
}

}  // namespace wesher::gossip::testing
