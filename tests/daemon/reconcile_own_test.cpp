// The own overlay address while the daemon runs: key file first, then the interface, then the mesh;
// what it costs; and what else of the own node travels through the core.
#include <filesystem>
#include <fstream>

#include "daemon/reconcile_core.h"
#include "tests/daemon/support/core_rig.h"

using namespace wesher;
using namespace wesher::daemon;
using namespace wesher::daemon::test;

namespace {

using Done = std::vector<std::string>;

const IpAddress other = IpAddress::v4(10, 200, 0, 9);

mesh::OwnClaim claim_of(const CoreRig& f, std::optional<IpAddress> overlay) {
  return {overlay, f.now.wall, "conflict with pi1, which keeps it"};
}

std::string object_of(const IpAddress& address) {
  return "address " + Prefix::host(address).text();
}

store::KeyFile keys_of(const CoreRig& f) {
  auto keys = store::load_key_file(f.paths.key_file());
  REQUIRE(keys);
  return std::move(*keys);
}

/// The state directory is out of reach for as long as this lives.
class NoDisk {
 public:
  explicit NoDisk(const std::string& directory) : directory_(directory) {
    std::filesystem::rename(directory_, directory_ + ".away");
    std::ofstream(directory_) << "in the way";
  }

  ~NoDisk() {
    std::filesystem::remove(directory_);
    std::filesystem::rename(directory_ + ".away", directory_);
  }

  NoDisk(const NoDisk&) = delete;
  NoDisk& operator=(const NoDisk&) = delete;
  NoDisk(NoDisk&&) = delete;
  NoDisk& operator=(NoDisk&&) = delete;

 private:
  std::string directory_;
};

}  // namespace

TEST_CASE("another own address is two changes of the interface and nothing else") {
  CoreRig f;
  for (std::uint8_t n = 1; n <= 20; ++n)
    f.join("n" + std::to_string(n), n);
  f.run(seconds(5));
  const IpAddress before = f.core->own().interface.overlay;
  const Observed was = f.world->now();
  f.forget();
  f.hear(claim_of(f, other));
  CHECK(f.done() == Done{object_of(other), object_of(before)});  // the new one is there first
  CHECK(f.world->looks == 0);
  f.run(seconds(5));
  CHECK(f.done().size() == 2);
  const Observed is = f.world->now();
  CHECK(is.addresses == std::vector{Prefix::host(other)});
  CHECK(is.peers == was.peers);
  CHECK(is.routes == was.routes);
  CHECK(is.hosts == was.hosts);
  f.run(seconds(60));
  CHECK(f.done().size() == 2);
  CHECK(f.drift().empty());
}

TEST_CASE("another own address is on disk and told and noted") {
  CoreRig f;
  const IpAddress before = f.core->own().interface.overlay;
  f.hear(claim_of(f, other));
  CHECK(f.claims == std::vector<std::optional<IpAddress>>{other});
  const store::KeyFile keys = keys_of(f);
  CHECK(keys.overlay == other);
  CHECK(keys.overlay_net == Prefix::parse("10.0.0.0/8").value());
  CHECK(keys.claim_time == f.now.wall);
  CHECK(keys.newest_claim == f.now.wall);
  const auto self = f.stored([](auto& r) { return r.self().value().value(); });
  CHECK(self.overlay == other);
  CHECK(self.claimed == f.now.wall);
  CHECK(f.stored([](auto& r) { return (*r.desired())->interface.overlay; }) == other);
  CHECK(f.stored([](auto& r) { return r.applied()->generation == (*r.desired())->generation; }));
  const auto history = f.stored([](auto& r) { return r.history({.newest_max = 10}).value(); });
  const auto entry = std::find_if(history.begin(), history.end(),
                                  [](const auto& e) { return e.object == "overlay address"; });
  REQUIRE(entry != history.end());
  CHECK(entry->what == before.text() + " -> 10.200.0.9");
  CHECK(entry->reason == "conflict with pi1, which keeps it");
  f.start();
  CHECK(f.core->own().interface.overlay == other);
  CHECK(f.done().empty());
}

TEST_CASE("a claim that cannot be saved is neither configured nor told until it can") {
  CoreRig f;
  const IpAddress before = f.core->own().interface.overlay;
  f.forget();
  {
    const NoDisk gone(f.directory.path());
    f.hear(claim_of(f, other));
    f.run(seconds(10));
    CHECK(f.claims.empty());
    CHECK(f.done().empty());
    CHECK(f.core->own().interface.overlay == before);
  }
  CHECK(keys_of(f).overlay == before);
  f.run(seconds(2));
  CHECK(f.claims == std::vector<std::optional<IpAddress>>{other});
  CHECK(keys_of(f).overlay == other);
  CHECK(f.world->now().addresses == std::vector{Prefix::host(other)});
}

TEST_CASE("a new claim time for the same address touches nothing on the host") {
  CoreRig f;
  const IpAddress same = f.core->own().interface.overlay;
  f.forget();
  f.hear(claim_of(f, same));
  f.run(seconds(5));
  CHECK(f.done().empty());
  CHECK(f.world->looks == 0);
  CHECK(f.claims == std::vector<std::optional<IpAddress>>{same});
  CHECK(keys_of(f).claim_time > WallTime{});
  CHECK(f.stored([](auto& r) { return r.self().value()->claimed.has_value(); }));
}

TEST_CASE("without a free address the interface has none until there is one") {
  CoreRig f;
  f.join("web1", 1);
  f.run(seconds(5));
  const auto peers = f.world->now().peers;
  f.hear(claim_of(f, std::nullopt));
  f.run(seconds(5));
  CHECK(f.world->now().addresses.empty());
  CHECK(f.world->now().peers == peers);
  CHECK(f.claims == std::vector<std::optional<IpAddress>>{std::nullopt});
  CHECK_FALSE(keys_of(f).overlay);
  CHECK_FALSE(f.stored([](auto& r) { return r.self().value()->overlay; }));
  f.run(seconds(60));
  CHECK(f.world->now().addresses.empty());
  CHECK(f.drift().empty());
  f.hear(claim_of(f, other));
  f.run(seconds(5));
  CHECK(f.world->now().addresses == std::vector{Prefix::host(other)});
}

TEST_CASE("an address that is refused keeps the old one and is tried again") {
  CoreRig f;
  const IpAddress before = f.core->own().interface.overlay;
  f.world->refuses = object_of(other);
  f.hear(claim_of(f, other));
  CHECK(f.claims.size() == 1);
  f.world->refuses.clear();
  f.run(seconds(40));
  CHECK(f.world->now().addresses == std::vector{Prefix::host(other)});
  CHECK(f.stored([](auto& r) { return r.applied()->failed.empty(); }));
  CHECK(before != other);
}

TEST_CASE("a member whose address becomes ours loses its row and its route at once") {
  CoreRig f;
  f.join("web1", 1);
  f.join("web2", 2);
  f.run(seconds(5));
  const auto kept = f.world->now().peers;
  f.hear(claim_of(f, IpAddress::v4(10, 0, 0, 1)));
  f.run(seconds(1));
  const Observed is = f.world->now();
  REQUIRE(is.peers.size() == 1);
  CHECK(is.peers[0].key == member("web2", 2).meta->key);
  CHECK(is.routes == std::vector{Prefix::host(IpAddress::v4(10, 0, 0, 2))});
  CHECK(kept.size() == 2);
}

TEST_CASE("epochs that cannot be saved are not used until they can") {
  CoreRig f;
  const std::uint64_t end = keys_of(f).epoch_end + 5000;
  {
    const NoDisk gone(f.directory.path());
    f.core->take(mesh::ReserveEpochs{end}, f.now.wall);
    CHECK(f.epochs == 0);
  }
  f.run(seconds(2));
  CHECK(f.epochs == end);
  CHECK(keys_of(f).epoch_end == end);
}

TEST_CASE("the newest claim of a member is kept for claims to come") {
  CoreRig f;
  Member m = member("web1", 1);
  m.signed_claim.emplace();
  m.signed_claim->claimed = f.now.wall + std::chrono::hours(1);
  f.hear(mesh::MemberChanged{m, "joined"});
  f.core->finish(StopKind::keep, 0);
  CHECK(keys_of(f).newest_claim == m.signed_claim->claimed);
}

TEST_CASE("what keeps this host out of the mesh is stored and goes with its end") {
  CoreRig f;
  const auto stored = [&] { return f.stored([](auto& r) { return r.self().value()->kept_out; }); };
  f.core->kept_out("10.9.0.0/29 is full (6 of 6)");
  f.run(seconds(1));
  CHECK(stored() == "10.9.0.0/29 is full (6 of 6)");
  f.core->kept_out("");
  f.run(seconds(1));
  CHECK(stored().empty());
}

TEST_CASE("a request to forget is handed on with its arguments and answered later") {
  CoreRig f;
  const auto id = [&] {
    auto database =
        store::Database::open_for_command(f.paths.database(), store::Database::Access::write);
    REQUIRE(database);
    return store::Repository(*database)
        .add_request("forget", R"({"name_hex":"61"})", 0, f.now.wall)
        .value();
  }();
  f.run(seconds(2));
  REQUIRE(f.forgets.size() == 1);
  CHECK(f.forgets[0].first == id);
  CHECK(f.forgets[0].second == R"({"name_hex":"61"})");
  f.core->answer(id, false, "a is alive");
  const auto request = f.stored([&](auto& r) { return r.request(id).value().value(); });
  CHECK(request.state == "refused");
  CHECK(request.result == "a is alive");
}

TEST_CASE("a leave for good gives the claim back, one by signal does not") {
  for (const auto kind : {StopKind::leave, StopKind::resign}) {
    CoreRig f;
    f.hear(claim_of(f, other));
    f.core->finish(kind, 1);
    CHECK(keys_of(f).overlay.has_value() == (kind == StopKind::leave));
    CHECK((keys_of(f).claim_time > WallTime{}) == (kind == StopKind::leave));
  }
}

TEST_CASE("another metadata format is on disk before it is told and touches nothing on the host") {
  CoreRig f;
  f.forget();
  f.hear(mesh::SpeakFormat{MetaFormat::f3, "2 live members of the Go program can read no other"});
  CHECK(f.formats == std::vector{MetaFormat::f3});
  CHECK(keys_of(f).meta_format == MetaFormat::f3);
  f.run(seconds(5));
  CHECK(f.done().empty());
  CHECK(f.stored([](auto& r) { return r.self().value()->meta_format; }) == MetaFormat::f3);
  const auto history = f.stored([](auto& r) { return r.history({.newest_max = 10}).value(); });
  const auto entry = std::find_if(history.begin(), history.end(),
                                  [](const auto& e) { return e.object == "metadata format"; });
  REQUIRE(entry != history.end());
  CHECK(entry->what == "F2 -> F3");
  CHECK(entry->reason == "2 live members of the Go program can read no other");
}

TEST_CASE("a metadata format that cannot be saved is not told until it can") {
  CoreRig f;
  {
    const NoDisk gone(f.directory.path());
    f.hear(mesh::SpeakFormat{MetaFormat::f1, "1 live member"});
    f.run(seconds(10));
    CHECK(f.formats.empty());
  }
  CHECK(keys_of(f).meta_format == MetaFormat::f2);
  f.run(seconds(2));
  CHECK(f.formats == std::vector{MetaFormat::f1});
  CHECK(keys_of(f).meta_format == MetaFormat::f1);
}
