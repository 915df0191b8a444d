// Facts, history, health, options: what is written comes back, also in another connection.
#include "store/repository.h"

#include <chrono>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include "store/key_file.h"
#include "tests/store/support/rows.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

TEST_CASE("a node of its own comes back as it was written") {
  Store store;
  CHECK(store->self().value() == std::nullopt);
  SelfRow row = self_row();
  REQUIRE(store->write({.self = row}));
  CHECK(store->self().value() == row);
  row.stopped = wall_from_ms(99);
  row.stop_kind = "keep";
  row.overlay = IpAddress::parse("fd00::1").value();
  row.overlay_net = Prefix::parse("fd00::/64").value();
  row.claimed.reset();
  REQUIRE(store->write({.self = row}));
  CHECK(store->self().value() == row);
}

TEST_CASE("a node without an overlay address comes back with what keeps it out") {
  Store store;
  SelfRow row = self_row();
  row.overlay.reset();
  row.claimed.reset();
  row.kept_out = "10.9.0.0/29 is full (6 of 6)";
  REQUIRE(store->write({.self = row}));
  CHECK(store->self().value() == row);
}

TEST_CASE("the signed claim of a member comes back and goes with its signature") {
  Store store;
  Member member = member_of("a", 1);
  member.signed_claim = claim_of(9);
  REQUIRE(store->write({.members = {member}}));
  CHECK(store->members().value() == std::vector{member});
  member.signed_claim->for_good = true;
  member.signed_claim->epoch = 1;
  REQUIRE(store->write({.members = {member}}));
  CHECK(store->members().value() == std::vector{member});
  member.signed_claim.reset();
  REQUIRE(store->write({.members = {member}}));
  CHECK(store->members().value() == std::vector{member});
  // Half a claim is none.
  CHECK_THROWS(store.sqlite().exec("UPDATE member SET epoch = x'0000000000000001'"));
}

TEST_CASE("members of every state come back sorted by name") {
  Store store;
  std::vector<Member> members;
  for (int i = 0; i < 4; ++i) {
    Member member = member_of("n" + std::to_string(i), static_cast<unsigned>(i));
    member.state = static_cast<MemberState>(i);
    member.standing = static_cast<Standing>(i % 3);
    if (i < 3) member.meta->format = static_cast<MetaFormat>(i);
    if (i == 3) member.meta.reset();
    members.push_back(member);
  }
  members[1].underlay_bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  members[1].underlay = IpAddress::v4(192, 0, 2, 1);
  members[2].underlay = IpAddress::parse("2001:db8::1").value();
  members[2].underlay_bytes.assign(members[2].underlay.bytes().begin(),
                                   members[2].underlay.bytes().end());
  members[2].meta->overlay = IpAddress::parse("fd00::2").value();
  members[2].incarnation = 4294967295U;
  members[2].gossip_port = 65535;
  REQUIRE(store->write({.members = {members[3], members[1], members[0], members[2]}}));
  CHECK(store->members().value() == members);

  members[0].state = MemberState::failed;
  members[0].meta.reset();
  members.erase(members.begin() + 1);
  REQUIRE(store->write({.members = {members[0]}, .forgotten = {"n1", "not there"}}));
  CHECK(store->members().value() == members);
}

TEST_CASE("a member may have any bytes as its name") {
  Store store;
  std::vector<Member> members = {member_of(std::string("\0\xff'\n", 4), 1),
                                 member_of(std::string(253, 'x'), 2), member_of("\xf0\x9f", 3)};
  REQUIRE(store->write({.members = members}));
  CHECK(store->members().value() == members);
  REQUIRE(store->write({.forgotten = {members[0].name, members[2].name}}));
  CHECK(store->members().value() == std::vector<Member>{members[1]});
}

TEST_CASE("a member forgotten and announced in one batch is there afterwards") {
  Store store;
  REQUIRE(store->write({.members = {member_of("a", 1)}}));
  REQUIRE(store->write({.members = {member_of("a", 2)}, .forgotten = {"a"}}));
  CHECK(store->members().value() == std::vector<Member>{member_of("a", 2)});
}

TEST_CASE("a batch with one bad row writes nothing of it") {
  Store store;
  Member bad = member_of("", 2);
  const auto written = store->write(
      {.members = {member_of("a", 1), bad}, .history = {{0, wall_from_ms(1), "o", "w", "r"}}});
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Errc::malformed);
  CHECK_THAT(written.error().detail, Catch::Contains("CHECK constraint failed"));
  CHECK(store->members().value().empty());
  CHECK(store->history({}).value().empty());
  REQUIRE(store->write({.members = {member_of("a", 1)}}));
}

TEST_CASE("history is given newest first and keeps its newest rows") {
  Store store;
  Batch batch;
  for (int i = 0; i < 3; ++i) {
    batch.history.push_back(
        {0, wall_from_ms(i), "member a", "what", "reason " + std::to_string(i)});
  }
  REQUIRE(store->write(batch));
  const auto two = store->history({.newest_max = 2}).value();
  REQUIRE(two.size() == 2);
  CHECK(two[0].reason == "reason 2");
  CHECK(two[0].at == wall_from_ms(2));
  CHECK(two[0].object == "member a");
  CHECK(two[0].what == "what");
  CHECK(two[1].reason == "reason 1");
  CHECK(two[0].id > two[1].id);

  batch.history.assign(kHistoryRowsMax - 1, {0, wall_from_ms(7), "peer b", "added", "later"});
  REQUIRE(store->write(batch));
  const auto all = store->history({.newest_max = kHistoryRowsMax * 2}).value();
  CHECK(all.size() == kHistoryRowsMax);
  CHECK(all.back().reason == "reason 2");
  CHECK(store.sqlite().execAndGet("SELECT count(*) FROM history").getInt64() ==
        static_cast<std::int64_t>(kHistoryRowsMax));
}

TEST_CASE("text that is too long is cut between characters") {
  Store store;
  std::string reason(1023, 'x');
  reason += "é and more";
  REQUIRE(store->write({.history = {{0, wall_from_ms(1), "o", "w", reason}}}));
  CHECK(store->history({.newest_max = 1}).value().at(0).reason == std::string(1023, 'x'));
}

TEST_CASE("a run starts without the health rows of the last one") {
  Store store;
  const HealthRow old{HealthKind::seed, "192.0.2.1:7946", false, "refused", 3, wall_from_ms(1)};
  const HealthRow fresh{HealthKind::seed, "192.0.2.2:7946", true, "", 0, wall_from_ms(2)};
  REQUIRE(store->write({.health = {old}}));
  REQUIRE(store->write({.health = {fresh}, .forget_health = true}));
  const auto rows = store->health();
  REQUIRE(rows);
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().subject == fresh.subject);
}

TEST_CASE("health rows are replaced by kind and subject and go with their member") {
  Store store;
  const HealthRow seed{HealthKind::seed, "192.0.2.1:7946", false, "refused", 14, wall_from_ms(5)};
  const HealthRow member{HealthKind::member, "db1", false, "no tunnel", 1, wall_from_ms(6)};
  const HealthRow same_name{HealthKind::foreign_packets, "db1", true, "", 0, wall_from_ms(7)};
  REQUIRE(store->write({.health = {seed, member, same_name}}));
  HealthRow better = seed;
  better.ok = true;
  better.count = 18446744073709551615ULL;
  REQUIRE(store->write({.health = {better}}));
  auto rows = store->health().value();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].kind == HealthKind::foreign_packets);
  CHECK(rows[1].subject == "db1");
  CHECK(rows[1].detail == "no tunnel");
  CHECK_FALSE(rows[1].ok);
  CHECK(rows[1].since == wall_from_ms(6));
  CHECK(rows[2].ok);
  CHECK(rows[2].count == 9223372036854775807ULL);
  REQUIRE(store->write({.forgotten = {"db1"}}));
  rows = store->health().value();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].kind == HealthKind::foreign_packets);
}

TEST_CASE("sources of foreign packets don't fill the database") {
  Store store;
  Batch batch;
  for (std::size_t i = 0; i < kHealthRowsMax + 100; ++i) {
    batch.health.push_back({HealthKind::foreign_packets, "source " + std::to_string(i), false, "",
                            1, wall_from_ms(static_cast<std::int64_t>(i))});
  }
  batch.health.push_back({HealthKind::member, "db1", false, "", 1, wall_from_ms(0)});
  REQUIRE(store->write(batch));
  const auto rows = store->health().value();
  CHECK(rows.size() == kHealthRowsMax + 1);
  for (const HealthRow& row : rows)
    CHECK(row.subject != "source 99");
}

TEST_CASE("options are replaced as a whole") {
  Store store;
  const std::map<std::string, std::string> first = {{"interface", "wg0"}, {"join", ""}};
  REQUIRE(store->put_options(first));
  CHECK(store->options().value() == first);
  const std::map<std::string, std::string> second = {{"interface", "wg1"}};
  REQUIRE(store->put_options(second));
  CHECK(store->options().value() == second);
}

TEST_CASE("what is written already is not written again") {
  Store store;
  REQUIRE(store->put_options({{"a", "b"}}));
  REQUIRE(store->set_adopting(false));
  REQUIRE(put_applied(store, 1, {}, wall_from_ms(1)));
  auto other = store.connect();
  const std::int64_t before = other.data_version();
  REQUIRE(store->put_options({{"a", "b"}}));
  REQUIRE(store->set_adopting(false));
  REQUIRE(put_applied(store, 1, {{.object = "peer a"}}, wall_from_ms(2)));
  REQUIRE(store->take_requests(wall_from_ms(3)));
  REQUIRE(store->write({}));
  CHECK(other.data_version() == before);
  REQUIRE(store->set_adopting(true));
  CHECK(other.data_version() != before);
}

TEST_CASE("no secret of the key file gets into the database") {
  Store store;
  const KeyFile keys = make_key_file(std::nullopt, wall_from_ms(1));
  SelfRow self = self_row();
  self.key = x25519_public(keys.wireguard_private);
  self.cluster = cluster_fingerprint(keys.ring[0].key);
  REQUIRE(store->write({.self = self, .members = {member_of("a", 1)}}));
  REQUIRE(store->put_desired(desired_of({peer_of("a", 1)})));
  std::string bytes;
  for (const char* file : {"wgoverlay.db", "wgoverlay.db-wal"})
    bytes += slurp(store.place()(file));
  // The search would find what is there:
  CHECK(bytes.find(as_text(self.key.bytes())) != std::string::npos);
  for (const SecretKey* secret :
       {&keys.ring[0].key, &keys.wireguard_private, &keys.identity_seed}) {
    CHECK(bytes.find(as_text(secret->bytes())) == std::string::npos);
    CHECK(bytes.find(secret->reveal_base64().substr(0, 43)) == std::string::npos);
    CHECK(bytes.find(to_hex(secret->bytes())) == std::string::npos);
  }
}

TEST_CASE("a thousand members are written in far less than a tenth of a second") {
  Store store;
  Batch batch;
  for (unsigned i = 0; i < 1000; ++i)
    batch.members.push_back(member_of("n" + std::to_string(i), i));
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(store->write(batch));
  const auto took = std::chrono::steady_clock::now() - start;
  const auto again = std::chrono::steady_clock::now();
  std::vector<DesiredPeer> peers;
  for (unsigned i = 0; i < 1000; ++i)
    peers.push_back(peer_of("n" + std::to_string(i), i));
  REQUIRE(store->put_desired(desired_of(peers)));
  const auto desired = std::chrono::steady_clock::now() - again;
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  INFO("members " << duration_cast<microseconds>(took).count() << " us, desired "
                  << duration_cast<microseconds>(desired).count() << " us");
  CHECK(store->members().value().size() == 1000);
  // Ten times what it takes on a slow board's disk; catches a transaction a row.
  CHECK(took < std::chrono::milliseconds(500));
  CHECK(desired < std::chrono::milliseconds(500));
}
