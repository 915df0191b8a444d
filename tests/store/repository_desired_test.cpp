// Desired state, generations, and the report of what was applied.
#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include "tests/store/support/rows.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

TEST_CASE("desired state comes back with its generation after a restart") {
  Store store;
  CHECK(store->desired().value() == std::nullopt);
  Desired desired = desired_of({peer_of("a", 1), peer_of("b", 2)});
  desired.interface.mtu = 1280;
  desired.hosts = false;
  desired.peers[1].overlay = IpAddress::parse("fd00::2").value();
  desired.peers[1].endpoint = {IpAddress::parse("2001:db8::2").value(), 65535};
  CHECK(store->put_desired(desired).value() == 1);
  desired.generation = 1;
  CHECK(store->desired().value() == desired);
  store.restart();
  CHECK(store->desired().value() == desired);
}

TEST_CASE("the generation rises by one with each change and only then") {
  Store store;
  Desired desired = desired_of({peer_of("a", 1), peer_of("b", 2), peer_of("c", 3)});
  std::uint64_t generation = store->put_desired(desired).value();
  CHECK(store->put_desired(desired).value() == generation);
  desired.generation = 77;  // is not what decides
  CHECK(store->put_desired(desired).value() == generation);

  const auto changed = [&] {
    const std::uint64_t next = store->put_desired(desired).value();
    const bool right = next == generation + 1 && store->put_desired(desired).value() == next;
    generation = next;
    Desired stored = store->desired().value().value();
    stored.generation = desired.generation;
    return right && stored == desired;
  };
  desired.peers[1].endpoint.port = 1;
  CHECK(changed());
  desired.peers[1].reason = "another";
  CHECK(changed());
  desired.peers.erase(desired.peers.begin());
  CHECK(changed());
  desired.peers.insert(desired.peers.begin(), peer_of("a0", 9));
  CHECK(changed());
  desired.peers.push_back(peer_of("z", 10));
  CHECK(changed());
  desired.interface.mtu = 1400;
  CHECK(changed());
  desired.interface.mtu.reset();
  CHECK(changed());
  desired.hosts = false;
  CHECK(changed());
  desired.own_name = "db2";
  CHECK(changed());
  desired.interface.listen_port = 1;
  CHECK(changed());
  desired.peers.clear();
  CHECK(changed());
}

TEST_CASE("peers in another order are the same desired state") {
  Store store;
  CHECK(store->put_desired(desired_of({peer_of("a", 1), peer_of("b", 2)})).value() == 1);
  CHECK(store->put_desired(desired_of({peer_of("b", 2), peer_of("a", 1)})).value() == 1);
}

TEST_CASE("only rows that differ are written") {
  Store store;
  Desired desired = desired_of({peer_of("a", 1), peer_of("b", 2), peer_of("c", 3)});
  REQUIRE(store->put_desired(desired));
  const int before = store.sqlite().getTotalChanges();
  desired.peers[1].endpoint.port = 1;
  REQUIRE(store->put_desired(desired));
  CHECK(store.sqlite().getTotalChanges() - before == 3);  // one out and one in and the generation
}

TEST_CASE("two peers may exchange address and key") {
  Store store;
  Desired desired = desired_of({peer_of("a", 1), peer_of("b", 2)});
  REQUIRE(store->put_desired(desired));
  std::swap(desired.peers[0].overlay, desired.peers[1].overlay);
  std::swap(desired.peers[0].key, desired.peers[1].key);
  CHECK(store->put_desired(desired).value() == 2);
  desired.generation = 2;
  CHECK(store->desired().value() == desired);
}

TEST_CASE("facts and the desired state that follows from them are one transaction") {
  Store store;
  REQUIRE(store->put_desired(desired_of({peer_of("a", 1), peer_of("b", 2)})));
  auto other = store.connect();
  const std::int64_t before = other.data_version();
  Desired wanted = desired_of({peer_of("a", 2), peer_of("c", 1)});  // a has the address that b had
  Batch batch;
  batch.members = {member_of("c", 1)};
  batch.forgotten = {"b"};
  batch.desired = DesiredChange{
      2,    wanted.interface, wanted.hosts, wanted.own_name, {wanted.peers[0], wanted.peers[1]},
      {"b"}};
  REQUIRE(store->write(batch));
  CHECK(other.data_version() == before + 1);
  wanted.generation = 2;
  CHECK(store->desired().value() == wanted);
  CHECK(store->members().value().size() == 1);

  // One refused row, and nothing of the batch is there.
  batch.forgotten = {"c"};
  batch.desired->generation = 3;
  batch.desired->put = {peer_of("d", 1)};
  batch.desired->gone.clear();
  batch.members.clear();
  CHECK(store->write(batch).error().code == Errc::malformed);
  CHECK(store->desired().value() == wanted);
  CHECK(store->members().value().size() == 1);
}

TEST_CASE("one address for two peers is refused and the state before stays") {
  Store store;
  const Desired good = desired_of({peer_of("a", 1), peer_of("b", 2)});
  REQUIRE(store->put_desired(good));
  Desired bad = good;
  bad.peers[1].overlay = bad.peers[0].overlay;
  CHECK(store->put_desired(bad).error().code == Errc::malformed);
  bad = good;
  bad.peers[1].key = bad.peers[0].key;
  CHECK(store->put_desired(bad).error().code == Errc::malformed);
  CHECK(store->desired().value()->peers == good.peers);
  CHECK(store->desired().value()->generation == 1);
}

TEST_CASE("failures are kept and counted until a success clears them") {
  Store store;
  CHECK(store->applied().value().generation == 0);
  const AppliedObject ok{.object = "peer a", .at = wall_from_ms(1)};
  AppliedObject failed{.object = "peer b", .ok = false, .detail = "EPERM", .at = wall_from_ms(2)};
  REQUIRE(put_applied(store, 4, {ok, failed}, wall_from_ms(3)));
  AppliedReport report = store->applied().value();
  CHECK(report.generation == 4);
  CHECK(report.at == wall_from_ms(3));
  REQUIRE(report.failed.size() == 1);
  CHECK(report.failed[0].object == "peer b");
  CHECK_FALSE(report.failed[0].ok);
  CHECK(report.failed[0].detail == "EPERM");
  CHECK(report.failed[0].at == wall_from_ms(2));
  CHECK(report.failed[0].attempts == 1);

  failed.detail = "EBUSY";
  failed.at = wall_from_ms(4);
  REQUIRE(put_applied(store, 4, {failed}, wall_from_ms(5)));
  report = store->applied().value();
  CHECK(report.at == wall_from_ms(3));
  CHECK(report.failed.at(0).attempts == 2);
  CHECK(report.failed.at(0).detail == "EBUSY");
  failed.attempts = 9;
  REQUIRE(put_applied(store, 4, {failed}, wall_from_ms(5)));
  CHECK(store->applied().value().failed.at(0).attempts == 9);

  failed.ok = true;
  REQUIRE(put_applied(store, 5, {failed}, wall_from_ms(6)));
  report = store->applied().value();
  CHECK(report.generation == 5);
  CHECK(report.at == wall_from_ms(6));
  CHECK(report.failed.empty());
}

TEST_CASE("failed objects are given in order") {
  Store store;
  REQUIRE(put_applied(store, 1,
                      {{.object = "peer z", .ok = false}, {.object = "link", .ok = false}},
                      wall_from_ms(1)));
  const auto failed = store->applied().value().failed;
  REQUIRE(failed.size() == 2);
  CHECK(failed[0].object == "link");
  CHECK(failed[1].object == "peer z");
}

TEST_CASE("the tables refuse rows that can't be") {
  Store store;
  SQLite::Database& db = store.sqlite();
  const std::string key = "zeroblob(32)";
  const auto refused = [&](const std::string& sql) {
    try {
      db.exec(sql);
    } catch (const SQLite::Exception& e) {
      return e.getErrorCode() == 19;  // SQLITE_CONSTRAINT
    }
    return false;
  };
  const auto member = [](const std::string& name, const std::string& underlay,
                         const std::string& port, const std::string& state, const std::string& meta,
                         const std::string& claim = "NULL,NULL,NULL,NULL,NULL") {
    return "INSERT INTO member VALUES (" + name + "," + underlay + "," + port + ",1," + state +
           ",1,1," + meta + ",'seed',''," + claim + ")";
  };
  const std::string none = "NULL,NULL,NULL";
  CHECK_FALSE(refused(member("x'61'", "x'01020304'", "1", "'alive'", none)));
  CHECK(refused(member("x'61'", "x'01020304'", "1", "'alive'", none)));  // twice
  CHECK(refused(member("x''", "x'01020304'", "1", "'alive'", none)));
  CHECK(refused(member("zeroblob(254)", "x'01020304'", "1", "'alive'", none)));
  CHECK(refused(member("'b'", "x'01020304'", "1", "'alive'", none)));  // text is no blob
  CHECK(refused(member("x'62'", "x'0102030405'", "1", "'alive'", none)));
  CHECK(refused(member("x'62'", "x'01020304'", "65536", "'alive'", none)));
  CHECK(refused(member("x'62'", "x'01020304'", "-1", "'alive'", none)));
  CHECK(refused(member("x'62'", "x'01020304'", "1", "'dead'", none)));
  CHECK(refused(member("x'62'", "x'01020304'", "1", "'alive'", "x'01020304',NULL,NULL")));
  CHECK(refused(member("x'62'", "x'01020304'", "1", "'alive'", "x'01020304',zeroblob(31),'F2'")));
  CHECK(refused(member("x'62'", "x'01020304'", "1", "'alive'", "x'01020304',zeroblob(32),'F4'")));
  CHECK_FALSE(
      refused(member("x'62'", "x'01020304'", "1", "'alive'", "x'01020304',zeroblob(32),'F2'")));
  const std::string eight = "zeroblob(8)";
  CHECK(refused(member("x'63'", "x'01020304'", "1", "'alive'", none,
                       key + ",zeroblob(7),1," + eight + ",0")));
  CHECK(refused(member("x'63'", "x'01020304'", "1", "'alive'", none,
                       key + "," + eight + ",1," + eight + ",2")));
  CHECK(refused(member("x'63'", "x'01020304'", "1", "'alive'", none,
                       key + "," + eight + ",NULL," + eight + ",0")));
  CHECK_FALSE(refused(member("x'63'", "x'01020304'", "1", "'alive'", none,
                             key + "," + eight + ",1," + eight + ",0")));
  CHECK(refused("INSERT INTO desired VALUES (1,1,'wg0'," + key +
                ",1,x'0a000001',NULL,1,x'61',65536)"));

  CHECK(refused("INSERT INTO meta VALUES (2, '" + kId + "', 1)"));
  CHECK(refused("UPDATE meta SET key_file_id = upper(key_file_id) || 'A'"));
  CHECK(refused("UPDATE meta SET adopting = 2"));
  CHECK(refused("INSERT INTO desired_peer VALUES (x'61'," + key +
                ",x'0a00000001',x'c0000001',1,'')"));
  CHECK(
      refused("INSERT INTO desired_peer VALUES (x'61',zeroblob(33),x'0a000001',x'c0000001',1,'')"));
  CHECK(refused("INSERT INTO desired VALUES (1,0,'wg0'," + key +
                ",1,x'0a000001',NULL,1,x'61',NULL)"));
  CHECK(refused("INSERT INTO desired VALUES (2,1,'wg0'," + key +
                ",1,x'0a000001',NULL,1,x'61',NULL)"));
  CHECK(refused("INSERT INTO health VALUES ('other','s',1,'',0,0)"));
  CHECK(refused("INSERT INTO health VALUES ('seed','s',1,'',-1,0)"));
  CHECK(refused("INSERT INTO applied VALUES (1,-1,0)"));
  CHECK(refused("INSERT INTO applied_failure VALUES ('o','',0,0)"));
  const auto request = [](const std::string& kind, const std::string& expires) {
    return "INSERT INTO request VALUES (NULL,'" + kind + "','{}',0,1000," + expires +
           ",'waiting','')";
  };
  CHECK_FALSE(refused(request("key rotate", "61000")));
  CHECK(refused(request("key rotate", "61001")));
  CHECK(refused(request("key rotate", "999")));
  CHECK(refused(request("Leave", "2000")));
  CHECK(refused(request("", "2000")));
}
