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
  IdentityHost host{};

  Result<Identity> load(WallTime now = kNow,
                        const std::string& name = "db1",
                        StoredState stored = StoredState::use) {
    return load_identity(paths, options, name, stored, now, host);
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
  CHECK(identity->overlay->text() == "10.59.73.60");  // recorded from the Go program
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

TEST_CASE("a renamed host does not keep the address of the network itself", "[daemon][identity]") {
  Fixture f;
  f.options.overlay_net = Prefix::parse("10.42.7.0/24").value();
  // The Go program gives n83 the address of the network.
  const Identity before = f.load_and_save(kNow, "n83");
  REQUIRE(before.overlay->text() == "10.42.7.0");
  CHECK(f.load_and_save(kNow, "n83").overlay == before.overlay);
  const Identity after = f.load_and_save(kNow, "db1");
  CHECK(after.overlay != before.overlay);
  CHECK(after.claim_is_new);
  CHECK(std::any_of(after.lifecycle.begin(), after.lifecycle.end(), [](const std::string& line) {
    return line.find("10.42.7.0 is the address of the network") == 0;
  }));
  CHECK(after.keys.wireguard_private.same_as(before.keys.wireguard_private));
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
  CHECK(f.options.overlay_net.contains(*after.overlay));
  CHECK(after.lifecycle.size() == 1);
  CHECK(after.claim_is_new);
  CHECK(after.claimed == kNow + seconds(5));
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

TEST_CASE("a claim is new until it was stored with a time", "[daemon][identity]") {
  Fixture f;
  Identity first = f.load_and_save();
  CHECK(first.claim_is_new);
  CHECK(first.claimed == kNow);
  CHECK(f.load_and_save(kNow + seconds(1)).claim_is_new);  // it was never announced
  first.keys.claim_time = kNow - hours(1);
  REQUIRE(store::save_key_file(f.paths.key_file(), first.keys));
  const Identity later = f.load_and_save(kNow + seconds(2));
  CHECK_FALSE(later.claim_is_new);
  CHECK(later.claimed == kNow - hours(1));
}

TEST_CASE("after a time in which it was forgotten a claim keeps its address and is new",
          "[daemon][identity]") {
  Fixture f;
  Identity first = f.load_and_save();
  first.keys.claim_time = kNow;
  REQUIRE(store::save_key_file(f.paths.key_file(), first.keys));
  CHECK_FALSE(f.load(kNow + hours(72))->claim_is_new);
  const auto late = f.load(kNow + hours(73));
  REQUIRE(late);
  CHECK(late->claim_is_new);
  CHECK(late->overlay == first.overlay);
  CHECK(late->claimed == kNow + hours(73));
  f.options.failed_retention = hours(100);
  CHECK_FALSE(f.load(kNow + hours(73))->claim_is_new);
}

TEST_CASE("a claim by a clock of 1970 is behind every honest one", "[daemon][identity]") {
  Fixture f;
  const auto identity = f.load(wall_from_ms(1000));
  REQUIRE(identity);
  CHECK(identity->claimed > kNow + std::chrono::days{15 * 365});
  CHECK(identity->epoch_first >= 1);
}

TEST_CASE("epochs go on behind those reserved and instances are others each time",
          "[daemon][identity]") {
  Fixture f;
  const Identity first = f.load_and_save();
  CHECK(first.epoch_first == static_cast<std::uint64_t>(to_ms(kNow)));
  const Identity second = f.load_and_save(kNow + seconds(1));
  CHECK(second.epoch_first == first.keys.epoch_end);
  CHECK(second.keys.epoch_end > second.epoch_first);
  CHECK(second.instance != first.instance);
}

TEST_CASE("a state from another machine is kept and said and renewed only when that is asked for",
          "[daemon][identity]") {
  Fixture f;
  f.host.machine_id = "0123456789abcdef0123456789abcdef";
  const Identity original = f.load_and_save();
  CHECK_FALSE(original.keys.machine.empty());
  const Identity again = f.load_and_save(kNow + seconds(1));
  CHECK(again.keys.identity_seed.same_as(original.keys.identity_seed));
  CHECK(again.lifecycle.empty());

  f.host.machine_id = "fedcba9876543210fedcba9876543210";
  const Identity moved = f.load_and_save(kNow + seconds(2));
  CHECK(moved.keys.identity_seed.same_as(original.keys.identity_seed));
  CHECK(moved.keys.wireguard_private.same_as(original.keys.wireguard_private));
  CHECK(moved.overlay == original.overlay);
  CHECK(moved.lifecycle.size() == 1);
  CHECK(f.load_and_save(kNow + seconds(3)).lifecycle.empty());

  f.options.renew_identity = true;
  const Identity copy = f.load_and_save(kNow + seconds(4), "db2");
  f.options.renew_identity = false;
  CHECK_FALSE(copy.keys.identity_seed.same_as(original.keys.identity_seed));
  CHECK_FALSE(copy.keys.wireguard_private.same_as(original.keys.wireguard_private));
  CHECK(copy.keys.ring.front().key.same_as(original.keys.ring.front().key));
  CHECK(copy.claim_is_new);
  CHECK(copy.overlay != original.overlay);  // of its own name
  const Identity settled = f.load_and_save(kNow + seconds(5), "db2");
  CHECK(settled.keys.identity_seed.same_as(copy.keys.identity_seed));
}

TEST_CASE("an address of this host is not chosen, and kept with a warning once it is ours",
          "[daemon][identity]") {
  Fixture f;
  const auto usual = f.load()->overlay;
  REQUIRE(usual);
  f.host.addresses = {*usual};
  CHECK_FALSE(f.load()->overlay);
  f.options.allow_overlap = true;
  CHECK(f.load()->overlay == usual);
  f.options.allow_overlap = false;
  f.host.addresses.clear();
  f.load_and_save();
  f.host.addresses = {*usual};
  const auto kept = f.load();
  CHECK(kept->overlay == usual);
  REQUIRE(kept->warnings.size() == 1);
  CHECK_THAT(kept->warnings[0], Catch::StartsWith("our overlay address " + usual->text()));
}

TEST_CASE("with a fixed address a first start has none before the mesh gives it",
          "[daemon][identity]") {
  Fixture f;
  f.options.overlay_ip = IpAddress::v4(10, 1, 2, 3);
  CHECK_FALSE(f.load()->overlay);
  CHECK(f.load()->claim_is_new);
}

TEST_CASE("the metadata format is F2 at first and that of --meta-format is kept",
          "[daemon][identity]") {
  Fixture f;
  CHECK(f.load_and_save().keys.meta_format == MetaFormat::f2);
  f.options.meta_format = MetaFormat::f3;
  CHECK(f.load_and_save().keys.meta_format == MetaFormat::f3);
  f.options.meta_format.reset();
  CHECK(f.load()->keys.meta_format == MetaFormat::f3);
}
