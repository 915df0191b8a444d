#include "daemon/identity.h"

#include <fstream>

#include <catch2/catch.hpp>

#include "tests/daemon/temporary_directory.h"

using namespace wesher;
using namespace wesher::daemon;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr WallTime kNow = wall_from_ms(1'800'000'000'000);

struct Fixture {
  TemporaryDirectory directory;
  store::Paths paths{directory.path(), "wgtest"};
  Options options;

  Result<Identity> load(WallTime now = kNow,
                        const std::string& name = "db1",
                        StoredState stored = StoredState::use) {
    return load_identity(paths, options, name, stored, now);
  }

  Identity load_and_save(WallTime now = kNow, const std::string& name = "db1") {
    auto identity = load(now, name);
    REQUIRE(identity);
    REQUIRE(store::save_key_file(paths.key_file(), identity->keys));
    return std::move(*identity);
  }
};

SecretKey key_of(std::uint8_t byte) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(byte);
  return SecretKey(bytes);
}

}  // namespace

TEST_CASE("a first start makes keys and the overlay address that Go computes",
          "[daemon][identity]") {
  Fixture f;
  const auto identity = f.load(kNow, "node1");
  REQUIRE(identity);
  CHECK(identity->first_start);
  CHECK(identity->new_cluster);
  CHECK(identity->keys.ring.size() == 1);
  CHECK(identity->overlay.text() == "10.59.73.60");  // recorded from the Go program
  CHECK(identity->incarnation_first >= 1);
  CHECK(identity->keys.incarnation_end == identity->incarnation_first + kIncarnationBlock);
}

TEST_CASE("a restart keeps keys and address and takes a new block of incarnations",
          "[daemon][identity]") {
  Fixture f;
  const Identity before = f.load_and_save();
  const Identity after = f.load_and_save(kNow + seconds(5));
  CHECK_FALSE(after.first_start);
  CHECK(after.overlay == before.overlay);
  CHECK(after.keys.wireguard_private.same_as(before.keys.wireguard_private));
  CHECK(after.keys.ring.front().key.same_as(before.keys.ring.front().key));
  CHECK(after.incarnation_first == before.keys.incarnation_end);
}

TEST_CASE("a renamed host keeps keys and address", "[daemon][identity]") {
  Fixture f;
  const Identity before = f.load_and_save();
  const Identity after = f.load_and_save(kNow + seconds(5), "renamed");
  CHECK(after.overlay == before.overlay);
  CHECK(after.keys.wireguard_private.same_as(before.keys.wireguard_private));
  CHECK(after.keys.node_name == "renamed");
  REQUIRE(after.lifecycle.size() == 1);
}

TEST_CASE("a changed overlay network drops a claim outside it with one line",
          "[daemon][identity]") {
  Fixture f;
  (void)f.load_and_save();
  f.options.overlay_net = *Prefix::parse("172.20.0.0/16");
  const Identity after = f.load_and_save(kNow + seconds(5));
  CHECK(f.options.overlay_net.contains(after.overlay));
  CHECK(after.lifecycle.size() == 1);
  CHECK(after.keys.claim_time == kNow + seconds(5));
}

TEST_CASE("an unknown key given becomes the sending key and the old one still decrypts",
          "[daemon][identity]") {
  Fixture f;
  f.options.cluster_key = key_of(1);
  (void)f.load_and_save();
  f.options.cluster_key = key_of(2);
  const Identity after = f.load_and_save();
  REQUIRE(after.keys.ring.size() == 2);
  CHECK(after.keys.ring[0].key.same_as(key_of(2)));
  CHECK(after.keys.ring[1].key.same_as(key_of(1)));
  CHECK(after.keys.ring[0].generation > after.keys.ring[1].generation);
}

TEST_CASE("an older key given again is ignored with one warning", "[daemon][identity]") {
  Fixture f;
  f.options.cluster_key = key_of(1);
  (void)f.load_and_save();
  f.options.cluster_key = key_of(2);
  (void)f.load_and_save();
  f.options.cluster_key = key_of(1);
  const Identity after = f.load_and_save();
  CHECK(after.keys.ring[0].key.same_as(key_of(2)));
  CHECK(after.warnings.size() == 1);
}

TEST_CASE("joining without any key is refused unless the state starts afresh",
          "[daemon][identity]") {
  Fixture f;
  f.options.join = {"192.0.2.1"};
  const auto refused = f.load();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::malformed);
  CHECK(f.load(kNow, "db1", StoredState::fresh));
}

TEST_CASE("a database without its key file is refused and --init goes on", "[daemon][identity]") {
  Fixture f;
  std::ofstream(f.paths.database()) << "x";
  const auto refused = f.load();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::state_unusable);
  CAPTURE(refused.error().detail);
  CHECK(refused.error().detail.find("--init") != std::string::npos);
  CHECK(f.load(kNow, "db1", StoredState::fresh));
}

TEST_CASE("a clock that went back makes a new WireGuard key and a small step does not",
          "[daemon][identity]") {
  Fixture f;
  const Identity before = f.load_and_save(kNow);
  const Identity stepped = f.load_and_save(kNow - seconds(10));
  CHECK(stepped.keys.wireguard_private.same_as(before.keys.wireguard_private));
  const Identity back = f.load_and_save(kNow - hours(1));
  CHECK_FALSE(back.keys.wireguard_private.same_as(before.keys.wireguard_private));
  // Nobody has seen a handshake of the new key: the next start keeps it.
  CHECK(back.keys.highest_time == kNow - hours(1));
  const Identity again = f.load_and_save(kNow - hours(1) + seconds(10));
  CHECK(again.keys.wireguard_private.same_as(back.keys.wireguard_private));
}

TEST_CASE("a name must be a hostname that is not localhost", "[daemon][identity]") {
  Options options;
  for (const char* bad :
       {"", "(none)", "localhost", "localhost.localdomain", "under_score", "a b", "-a"}) {
    CAPTURE(bad);
    const auto name = choose_name(options, bad);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == Errc::malformed);
    CHECK(name.error().detail.find("--node-name") != std::string::npos);
  }
  CHECK(choose_name(options, "db1.example.org").value() == "db1.example.org");
  options.node_name = "other";
  CHECK(choose_name(options, "localhost").value() == "other");
}
