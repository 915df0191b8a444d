// Reconciling in virtual time: what a fact costs, how soon it arrives, what a clock that is set
// back and a disk that can't be written do.
#include "daemon/reconcile_core.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/daemon/support/core_rig.h"

using namespace wesher;
using namespace wesher::daemon;
using namespace wesher::daemon::test;

namespace {

using Done = std::vector<std::string>;

/// Transactions in the write-ahead log so far: frames that bear the size of the database (SQLite's
/// file format, section 4.1). Exact as long as the log was not begun anew.
int transactions(const std::string& database) {
  std::ifstream file(database + "-wal", std::ios::binary);
  const std::string wal{std::istreambuf_iterator<char>(file), {}};
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
      value = value << 8 | static_cast<std::uint8_t>(wal.at(at + i));
    return value;
  };
  const std::size_t page = word(8);
  int commits = 0;
  for (std::size_t frame = 32; frame + 24 + page <= wal.size(); frame += 24 + page) {
    const bool of_this_log = word(frame + 8) == word(16) && word(frame + 12) == word(20);
    if (of_this_log && word(frame + 4) != 0) ++commits;
  }
  return commits;
}

}  // namespace

TEST_CASE("a join is one peer one route one line and a transaction on either side at once") {
  CoreRig f;
  for (std::uint8_t n = 1; n <= 50; ++n)
    f.core->take(mesh::MemberChanged{member("n" + std::to_string(n), n), "joined"}, f.now.wall);
  f.run(seconds(5));
  f.forget();
  const int before = transactions(f.paths.database());
  f.join("web1", 100);
  CHECK(f.done() == Done{"peer web1", "route 10.0.0.100/32", "hosts"});
  CHECK(transactions(f.paths.database()) == before + 2);
  CHECK(f.world->looks == 0);
  f.run(seconds(5));
  CHECK(f.done().size() == 3);
  CHECK(f.world->looks == 0);
  CHECK(transactions(f.paths.database()) == before + 2);
}

TEST_CASE("a session is begun with a live member when it becomes a peer and with no other") {
  CoreRig f;
  const auto known = [&](std::uint8_t number, std::uint8_t key) {
    Member m = member("web" + std::to_string(number), number);
    m.meta->key = member("x", key).meta->key;
    m.signed_claim = SignedClaim{};
    return m;
  };
  f.hear(mesh::MemberChanged{known(1, 0xff), "joined"});  // ours is the smaller key
  const std::vector first{IpAddress::v4(10, 0, 0, 1)};
  CHECK(f.world->knocked == first);
  f.world->observed.peers.at(0).last_handshake = f.now.wall;
  f.run(seconds(5));
  CHECK(f.world->knocked == first);

  Member failed = known(2, 0xfe);
  failed.state = MemberState::failed;
  f.hear(mesh::MemberChanged{failed, "learned"});
  f.run(seconds(5));
  CHECK(f.world->now().peers.size() == 2);
  CHECK(f.world->knocked == first);

  Member smaller = known(3, 0);
  smaller.meta->key = PublicKey({0, 1});
  f.hear(mesh::MemberChanged{smaller, "joined"});
  f.run(milliseconds(150));
  CHECK(f.world->knocked == first);
  f.run(milliseconds(100));
  CHECK(f.world->knocked.size() == 2);

  Member begun = known(4, 0);
  begun.meta->key = PublicKey({0, 2});
  f.hear(mesh::MemberChanged{begun, "joined"});
  for (ObservedPeer& peer : f.world->observed.peers)
    peer.last_handshake = f.now.wall;
  f.run(milliseconds(300));
  CHECK(f.world->knocked.size() == 2);

  f.hear(mesh::MemberChanged{member("go1", 5), "joined"});  // a member of the Go program
  CHECK(f.world->knocked.size() == 2);
  f.run(milliseconds(300));
  CHECK(f.world->knocked.size() == 3);
}

TEST_CASE("a session that both ends began is begun anew by the end with the smaller key") {
  CoreRig f;
  Member m = member("web1", 1);
  m.meta->key = member("x", 0xff).meta->key;
  m.signed_claim = SignedClaim{};
  f.hear(mesh::MemberChanged{m, "joined"});
  f.world->performed.clear();
  f.world->observed.peers.at(0).endpoint = Endpoint{IpAddress::v4(192, 0, 2, 77), 4000};
  f.run(milliseconds(700));
  CHECK(f.world->performed.empty());
  f.world->observed.peers.at(0).rx_bytes = 148;
  f.run(seconds(2));
  CHECK(f.world->performed == std::vector<std::string>{"peer web1", "peer web1"});
  CHECK(f.world->observed.peers.at(0).endpoint == Endpoint{IpAddress::v4(192, 0, 2, 77), 4000});
  CHECK(f.world->knocked.size() == 2);
}

TEST_CASE("a departure removes one peer one route one line within the bound") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.forget();
  Member left = member("web1", 1, Standing::seed);
  f.hear(mesh::MemberChanged{left, "left"});
  CHECK(f.done().empty());  // waits for others
  f.run(milliseconds(250));
  CHECK(f.done() == Done{"hosts", "peer web1", "route 10.0.0.1/32"});
  CHECK(f.world->looks == 0);
  CHECK(f.stored([](auto& r) { return r.applied()->generation == (*r.desired())->generation; }));
}

TEST_CASE("a new key moves the address in one message before the old peer goes") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.forget();
  Member renewed = member("web1", 1);
  renewed.meta->key = member("x", 77).meta->key;
  f.hear(mesh::MemberChanged{renewed, "restarted"});
  CHECK(f.done() == Done{"peer web1"});
  CHECK(f.world->now().peers.size() == 2);
  f.run(milliseconds(250));
  CHECK(f.done() == Done{"peer web1", "peer web1"});
  REQUIRE(f.world->now().peers.size() == 1);
  CHECK(f.world->now().peers[0].key == renewed.meta->key);
  CHECK(f.world->now().peers[0].allowed_ips == std::vector{Prefix::host(renewed.meta->overlay)});
}

TEST_CASE("a moved address is one message and one route more before the old route goes") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.forget();
  Member moved = member("web1", 1);
  moved.meta->overlay = IpAddress::v4(10, 0, 0, 9);
  f.hear(mesh::MemberChanged{moved, "moved"});
  CHECK(f.done() == Done{"peer web1", "route 10.0.0.9/32", "hosts"});
  f.run(milliseconds(250));
  CHECK(f.done() == Done{"peer web1", "route 10.0.0.9/32", "hosts", "route 10.0.0.1/32"});
  CHECK(f.world->looks == 0);
}

TEST_CASE("a state that changes nothing of what is wanted reaches the database alone") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  f.forget();
  Member suspect = member("web1", 1);
  suspect.state = MemberState::suspect;
  f.hear(mesh::MemberChanged{suspect, "no answer"});
  f.run(seconds(5));
  CHECK(f.done().empty());
  CHECK(f.world->looks == 0);
  CHECK(f.stored([](auto& r) { return r.members()->at(0).state == MemberState::suspect; }));
}

TEST_CASE("of a thousand members at once the last is there within the bound") {
  CoreRig f;
  const Instant start = f.now.at;
  f.core->take(mesh::MemberChanged{member("first", 1), "joined"}, f.now.wall);
  f.core->advance();
  CHECK(f.done().front() == "peer first");  // the first of a burst at once
  for (int i = 0; i < 1000; ++i) {
    Member m = member("n" + std::to_string(i), 1);
    m.meta->overlay = IpAddress::v4(10, 1, static_cast<std::uint8_t>(i / 250),
                                    static_cast<std::uint8_t>(1 + i % 250));
    std::array<std::uint8_t, kKeyBytes> key{};
    key[0] = static_cast<std::uint8_t>(i);
    key[1] = static_cast<std::uint8_t>(1 + i / 256);
    m.meta->key = PublicKey(key);
    f.core->take(mesh::MemberChanged{m, "joined"}, f.now.wall);
    f.core->advance();
    if (i % 10 == 0) f.pass_time(milliseconds(1));
  }
  const Instant last_heard = f.now.at;
  while (f.world->now().peers.size() < 1001 && f.now.at < start + seconds(10))
    f.run(milliseconds(1));
  CHECK(f.now.at - last_heard <= milliseconds(250));
  CHECK(f.world->now().hosts.managed.size() == 1001);
  CHECK(f.world->looks <= 3);  // one comparison a window, not one a member
}

TEST_CASE("an endpoint that was announced anew is compared with what WireGuard knows") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  {
    auto& peer = f.world->observed.peers.at(0);
    peer.endpoint = Endpoint{IpAddress::v4(198, 51, 100, 9), 1};
    peer.last_handshake = f.now.wall;
  }
  f.forget();
  Member roamed = member("web1", 1);
  roamed.underlay = IpAddress::v4(192, 0, 2, 200);
  f.hear(mesh::MemberChanged{roamed, "moved"});
  f.run(seconds(1));
  CHECK(f.world->looks == 1);
  CHECK(f.done().empty());
}

TEST_CASE("a peer whose announced place changes is looked for there with a young handshake too") {
  const auto at = [](std::uint8_t n) { return Endpoint{IpAddress::v4(192, 0, 2, n), 51820}; };
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  REQUIRE(f.world->observed.peers.at(0).endpoint == at(1));
  f.world->observed.peers.at(0).last_handshake = f.now.wall;
  SECTION("because the member moved") {
    Member moved = member("web1", 1);
    moved.underlay = IpAddress::v4(192, 0, 2, 200);
    f.hear(mesh::MemberChanged{moved, "moved"});
    f.run(seconds(1));
    CHECK(f.world->now().peers.at(0).endpoint == at(200));
  }
  SECTION("because its key is another member's now") {
    Member renewed = member("web1", 1);
    renewed.meta->key = member("x", 7).meta->key;
    renewed.meta->overlay = IpAddress::v4(10, 0, 0, 7);
    Member heir = member("web2", 200);
    heir.meta = member("web1", 1).meta;
    f.core->take(mesh::MemberChanged{renewed, "new key"}, f.now.wall);
    f.hear(mesh::MemberChanged{heir, "its key"});
    f.run(seconds(1));
    const Observed after = f.world->now();
    REQUIRE(after.peers.size() == 2);
    CHECK(after.peers[0].key == heir.meta->key);
    CHECK(after.peers[0].endpoint == at(200));
  }
}

TEST_CASE("a clock that is set back makes a new key that is announced and stays after a restart") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  const PublicKey before = f.core->own().interface.key;
  f.now.wall -= seconds(20);  // a step that sessions survive
  f.run(seconds(5));
  CHECK(f.core->own().interface.key == before);
  f.now.wall -= std::chrono::hours(1);
  f.run(seconds(5));
  const PublicKey after = f.core->own().interface.key;
  CHECK(after != before);
  CHECK(f.world->now().device_key == after);
  CHECK(f.announced == after);
  CHECK(f.stored([](auto& r) { return r.self()->value().key; }) == after);
  CHECK(f.drift().empty());
  f.start();
  CHECK(f.core->own().interface.key == after);
  CHECK(f.world->now().peers.size() == 1);
}

TEST_CASE("a database that cannot be written stops nothing and is brought up to date later") {
  CoreRig f;
  {
    auto database =
        store::Database::open_for_command(f.paths.database(), store::Database::Access::write);
    REQUIRE(database);
    database->sqlite().exec(
        "CREATE TRIGGER full BEFORE INSERT ON member BEGIN SELECT raise(ABORT, 'disk full'); END");
  }
  f.join("web1", 1);
  f.run(seconds(5));
  f.join("web2", 2);
  f.run(seconds(5));
  CHECK(f.world->now().peers.size() == 2);
  CHECK(f.stored([](auto& r) { return r.members()->empty(); }));
  {
    auto database =
        store::Database::open_for_command(f.paths.database(), store::Database::Access::write);
    REQUIRE(database);
    database->sqlite().exec("DROP TRIGGER full");
  }
  f.run(seconds(35));
  CHECK(f.stored([](auto& r) { return r.members()->size(); }) == 2);
  CHECK(f.stored([](auto& r) { return (*r.desired())->peers.size(); }) == 2);
  CHECK(f.stored([](auto& r) { return r.applied()->generation == (*r.desired())->generation; }));
}

TEST_CASE("incarnations that cannot be saved are not used until they can") {
  CoreRig f;
  const std::string away = f.directory.path() + ".away";
  std::filesystem::rename(f.directory.path(), away);
  std::ofstream(f.directory.path()) << "in the way";
  f.core->take(mesh::ReserveIncarnations{5000}, f.now.wall);
  CHECK(f.reserved == 0);
  std::filesystem::remove(f.directory.path());
  std::filesystem::rename(away, f.directory.path());
  f.run(seconds(2));
  CHECK(f.reserved == 5000);
  CHECK(store::load_key_file(f.paths.key_file())->incarnation_end == 5000);
}

TEST_CASE("of two requests to leave the second is refused and an expired one is never run") {
  CoreRig f;
  const auto ask = [&](WallTime at) {
    auto database =
        store::Database::open_for_command(f.paths.database(), store::Database::Access::write);
    REQUIRE(database);
    return store::Repository(*database).add_request("leave", "{}", 0, at).value();
  };
  const auto state = [&](std::int64_t id) {
    return f.stored([&](auto& r) { return r.request(id).value()->state; });
  };
  const auto old = ask(f.now.wall - seconds(120));
  f.run(seconds(2));
  CHECK(f.leaves == 0);
  CHECK(state(old) == "expired");
  const auto first = ask(f.now.wall);
  const auto second = ask(f.now.wall);
  f.run(seconds(2));
  CHECK(f.leaves == 1);
  CHECK(state(first) == "running");
  CHECK(state(second) == "refused");
  f.core->finish(StopKind::resign, 3);
  CHECK(state(first) == "done");
}
