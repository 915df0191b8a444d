// The digest of tables in acks: when periodic push/pulls are left out, and when tables are
// exchanged at once because they differ.
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>

#include "tests/gossip/support/rig.h"
#include "wire/node_meta.h"

namespace wesher::gossip::testing {

using namespace std::chrono_literals;

namespace {

/// Answers each probe as a member whose acks carry `payload(probe's number)`.
template <class Payload>
std::size_t push_pulls_answering(Rig& rig, Payload payload) {
  std::size_t found = 0;
  std::size_t probes = 0;
  for (int i = 0; i < 1200; ++i) {
    found += rig.push_pulls_within(500ms).size();
    for (const StreamRequest& one : rig.streams)
      rig.node.handle_stream_done(one.id, rig.now);
    for (const auto& [how, ping] : rig.sent_of<wire::Ping>())
      rig.hear(how.to, {wire::Ack{ping.sequence, payload(probes++), false}});
  }
  return found;
}

Bytes digest_of(Rig& rig) {
  rig.clear();
  rig.hear(peer(1), {wire::Ping{77, own_name, {}}});
  const auto acks = rig.sent_of<wire::Ack>();
  REQUIRE(acks.size() == 1);
  return acks[0].second.payload;
}

using Table = std::set<std::tuple<std::string, Bytes, std::uint16_t, Bytes, std::uint32_t, int>>;

/// What a push/pull would tell now.
Table told_table(Rig& rig) {
  rig.clear();
  rig.node.join(peer(9), rig.now);
  rig.drain();
  REQUIRE(rig.streams.size() == 1);
  rig.node.handle_stream_failed(rig.streams[0].id, "not answered", rig.now);
  Table table;
  const wire::StreamMessage told = rig.open_stream(rig.streams[0].frame);
  for (const wire::PushPullEntry& one : std::get<wire::PushPull>(told).entries)
    table.emplace(one.name, one.address, one.port, one.meta, one.incarnation, one.state);
  return table;
}

/// Something happens to one of three members, or time passes: at times enough to forget them.
void disturb(Rig& rig, Rng& dice) {
  const auto number = [&](std::uint64_t bound) {
    return static_cast<std::uint8_t>(dice.below(bound));
  };
  const auto host = static_cast<std::uint8_t>(1 + number(3));
  const std::uint32_t incarnation = 1U + number(3);
  const std::string from = name_of(static_cast<std::uint8_t>(1 + number(3)));
  switch (number(6)) {
    case 0:
      return rig.advance(number(4) == 0 ? 20min : 1s);
    case 1:
      return rig.hear(peer(host), {wire::Suspect{incarnation, name_of(host), from}});
    case 2:
      return rig.hear(peer(host), {wire::Dead{incarnation, name_of(host), from}});
    default:
      return rig.hear(peer(host), {alive(host, incarnation, Bytes(20, number(2)))});
  }
}

/// Answers each probe with that payload for so long; the push/pulls and the probes of that time.
struct Answering {
  std::size_t push_pulls = 0;
  std::size_t probes = 0;
};

Answering answering(Rig& rig, const Bytes& payload, Duration span) {
  Answering found;
  for (Duration passed{}; passed < span; passed += 100ms) {
    rig.clear();
    rig.advance(100ms);
    for (const auto& [how, ping] : rig.sent_of<wire::Ping>()) {
      ++found.probes;
      rig.hear(how.to, {wire::Ack{ping.sequence, payload, false}});
    }
    for (const StreamRequest& one : rig.streams) {
      found.push_pulls += std::holds_alternative<wire::PushPull>(rig.open_stream(one.frame));
      rig.node.handle_stream_done(one.id, rig.now);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("no periodic push and pull while all who answer hold the same table") {
  Rig rig;
  rig.announced().with_members({1, 2, 3});
  const Bytes same = digest_of(rig);
  REQUIRE(same.size() == 8);
  (void)push_pulls_answering(rig, [&](std::size_t) { return same; });
  // Ten minutes each; a push/pull a minute, measured from the end of the one before.
  CHECK(push_pulls_answering(rig, [&](std::size_t) { return same; }) == 0);
  CHECK(push_pulls_answering(rig, [&](std::size_t) { return Bytes{}; }) >= 9);
  CHECK(push_pulls_answering(rig, [&](std::size_t n) { return n % 8 == 0 ? Bytes(8, 1) : same; }) >=
        9);
  CHECK(push_pulls_answering(rig, [&](std::size_t n) { return n % 8 == 0 ? Bytes{} : same; }) >= 9);
}

TEST_CASE("the digest in our acks changes with whatever a push and pull would tell") {
  Rig rig;
  rig.announced().with_members({1, 2});
  std::set<Bytes> seen{digest_of(rig)};
  const auto changed = [&] {
    rig.advance(1s);
    return seen.insert(digest_of(rig)).second;
  };
  CHECK_FALSE(changed());
  rig.hear(peer(2), {alive(3, 1)});
  CHECK(changed());
  rig.hear(peer(3), {alive(3, 2)});
  CHECK(changed());
  rig.hear(peer(2), {wire::Suspect{2, "n3", "n2"}});
  CHECK(changed());
  rig.hear(peer(2), {wire::Dead{2, "n3", "n2"}});
  CHECK(changed());
  rig.node.update_meta({4, 4}, rig.now);
  CHECK(changed());
}

// Only the shares of changed records are computed again. Few hosts and numbers, so that the same
// tables are met many times, by different ways.
TEST_CASE("two digests are equal just where two push and pulls tell the same") {
  Rng dice = Rng::from_number(1);
  std::map<Table, Bytes> digests;
  std::map<Bytes, Table> tables;
  std::size_t met_again = 0;
  for (int run = 0; run < 40; ++run) {
    Rig rig;
    rig.announced().with_members({1, 2});
    for (int step = 0; step < 30; ++step) {
      disturb(rig, dice);
      const Table table = told_table(rig);
      const Bytes digest = digest_of(rig);
      if (digest.empty()) continue;  // n1, who asks, is no member any more
      const auto [known, is_new] = digests.emplace(table, digest);
      met_again += is_new ? 0 : 1;
      REQUIRE(known->second == digest);
      REQUIRE(tables.emplace(digest, table).first->second == table);
    }
  }
  CHECK(met_again > 300);
  CHECK(digests.size() > 100);
}

TEST_CASE("the digest tells two records of one number apart by their keys") {
  const auto format = GENERATE(MetaFormat::f1, MetaFormat::f2, MetaFormat::f3);
  std::set<Bytes> seen;
  for (std::uint8_t fill = 1; fill <= 3; ++fill) {
    std::array<std::uint8_t, kKeyBytes> key{};
    key.fill(fill);
    Rig rig;
    rig.announced().with_members({1});
    rig.hear(
        peer(2),
        {alive(2, 1,
               wire::encode_node_meta({IpAddress::v4(10, 42, 0, 1), PublicKey(key), format}))});
    seen.insert(digest_of(rig));
  }
  CHECK(seen.size() == 3);
}

TEST_CASE("only members learn our digest") {
  Rig rig;
  rig.announced().with_members({1});
  rig.clear();
  rig.hear(peer(8), {wire::Ping{77, own_name, {}}});
  REQUIRE(rig.sent_of<wire::Ack>().size() == 1);
  CHECK(rig.sent_of<wire::Ack>()[0].second == wire::Ack{77, {}, true});
}

TEST_CASE("after somebody came the next probe looks whether all have heard of it") {
  Rig rig;
  rig.announced().with_members({1, 2});
  CHECK(answering(rig, digest_of(rig), 60s).probes <= 13);
  rig.hear(peer(1), {alive(3, 1)});
  rig.advance(1s);
  const Bytes same = digest_of(rig);
  // The probe of that second, answered late, and from then on the usual pace.
  CHECK(answering(rig, same, 2s).push_pulls == 0);
  CHECK(answering(rig, same, 50s).probes <= 11);
}

TEST_CASE("tables that differ after somebody came are exchanged at once, then ever more seldom") {
  Rig rig;
  rig.announced().with_members({1, 2, 3});
  const Bytes other(8, 1);
  const Answering first = answering(rig, other, 2s);
  CHECK(first.probes >= 1);
  CHECK(first.push_pulls >= 1);
  const Answering minutes = answering(rig, other, 118s);
  // 1, 2, 4, 8, 16, 32 s, and the two of the periods.
  CHECK(minutes.push_pulls >= 5);
  CHECK(minutes.push_pulls <= 8);
  CHECK(answering(rig, other, 300s).push_pulls <= 6);
}

TEST_CASE("members without digests are asked three times and get no table for it") {
  Rig rig;
  rig.announced().with_members({1, 2, 3});
  const Answering first = answering(rig, {}, 10s);
  CHECK(first.probes >= 3);
  CHECK(first.probes <= 5);
  CHECK(first.push_pulls <= 1);
}

}  // namespace wesher::gossip::testing
