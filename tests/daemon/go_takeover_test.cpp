// A first start beside the state of the Go program, and its device.
#include "daemon/go_takeover.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "daemon/identity.h"
#include "store/go_state.h"
#include "tests/daemon/support/fake_data_plane.h"
#include "tests/daemon/temporary_directory.h"

using namespace wesher;
using namespace wesher::daemon;

namespace {

constexpr WallTime kNow = wall_from_ms(1'800'000'000'000);

SecretKey key_of(std::uint8_t byte) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(byte);
  return SecretKey(bytes);
}

struct Fixture {
  TemporaryDirectory directory;
  store::Paths paths{directory.path(), "wgoverlay"};
  std::string file = directory.path() + "/wgoverlay.json";
  Options options;

  void write(const std::string& text) const {
    std::ofstream(file, std::ios::binary) << text;
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
  }

  /// Key 7, and two nodes.
  [[nodiscard]] static std::string state() {
    return store::format_go_state(
        key_of(7), {{"n2", IpAddress::v4(192, 0, 2, 2)}, {"n3", IpAddress::v4(192, 0, 2, 3)}});
  }

  Result<Identity> load(StoredState stored = StoredState::use) {
    return load_identity(paths, options, "n1", stored, kNow);
  }

  Identity good(StoredState stored = StoredState::use) {
    auto identity = load(stored);
    INFO((identity ? "" : identity.error().detail));
    REQUIRE(identity.has_value());
    return std::move(*identity);
  }
};

const std::string kWaysOn =
    ". Nothing was changed. Restore the file, or give the cluster's key with --cluster-key-file "
    "FILE and a member with --join, or start a new cluster with: wesher --init";

}  // namespace

TEST_CASE("a first start takes key and nodes of the Go program's state", "[daemon][takeover]") {
  Fixture f;
  f.write(Fixture::state());
  const Identity identity = f.good();
  CHECK(identity.first_start);
  CHECK_FALSE(identity.new_cluster);
  CHECK(identity.keys.ring.front().key.same_as(key_of(7)));
  REQUIRE(identity.go);
  CHECK(identity.go->nodes ==
        std::vector{IpAddress::v4(192, 0, 2, 2), IpAddress::v4(192, 0, 2, 3)});
  CHECK(identity.keys.meta_format == MetaFormat::f3);
  CHECK(identity.overlay->text() == "10.169.128.32");
  CHECK(identity.lifecycle ==
        std::vector<std::string>{"taken over from the Go program: the cluster key and 2 nodes of " +
                                 f.file + ", which stays as it is"});
  CHECK(identity.warnings.empty());
}

TEST_CASE("with --join the key of the Go program's state is enough", "[daemon][takeover]") {
  Fixture f;
  f.options.join = {"192.0.2.9"};
  CHECK(f.load().error().code == Errc::malformed);
  f.write(Fixture::state());
  CHECK(f.good().go->nodes.size() == 2);
}

TEST_CASE("a key that is given wins over that of the Go program", "[daemon][takeover]") {
  Fixture f;
  f.write(Fixture::state());
  f.options.cluster_key = key_of(8);
  const Identity other = f.good();
  CHECK(other.keys.ring.front().key.same_as(key_of(8)));
  CHECK(other.go->nodes.size() == 2);
  const std::string line =
      "taken over from the Go program: 2 nodes of " + f.file + ", which stays as it is";
  CHECK(other.lifecycle ==
        std::vector<std::string>{line + "; its cluster key gives way to the one given"});
  f.options.cluster_key = key_of(7);
  CHECK(f.good().lifecycle == std::vector<std::string>{line});
}

TEST_CASE("a damaged state of the Go program makes no new cluster by itself",
          "[daemon][takeover]") {
  Fixture f;
  const std::string head = f.file + ", the state of the Go program, ";
  const auto [text, why] = GENERATE(table<std::string, std::string>(
      {{"{\"ClusterKey\":", "is not usable: it is no JSON from byte 15 on"},
       {"{\"Nodes\":[{\"Addr\":\"192.0.2.2\"}]}", "has no cluster key of 32 bytes"}}));
  f.write(text);
  const auto refused = f.load();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::state_unusable);
  CHECK(refused.error().detail == head + why + kWaysOn);

  f.options.cluster_key = key_of(8);
  const Identity given = f.good();
  CHECK(given.keys.ring.front().key.same_as(key_of(8)));
  CHECK(given.warnings.size() + given.lifecycle.size() == 1);
  f.options.cluster_key.reset();
  const Identity anew = f.good(StoredState::fresh);
  CHECK(anew.new_cluster);
  CHECK_FALSE(anew.go);
  CHECK(anew.warnings.empty());
}

TEST_CASE("state of our own hides that of the Go program, and --init too", "[daemon][takeover]") {
  Fixture f;
  REQUIRE(store::save_key_file(f.paths.key_file(), f.good().keys));
  f.write(Fixture::state());
  CHECK_FALSE(f.good().go);
  CHECK_FALSE(f.good().keys.ring.front().key.same_as(key_of(7)));
  const Identity anew = f.good(StoredState::fresh);
  CHECK(anew.new_cluster);
  CHECK_FALSE(anew.go);
}

TEST_CASE("the nodes of the Go program's state stay seeds as long as its key is ours",
          "[daemon][takeover]") {
  Fixture f;
  f.write(Fixture::state());
  const Identity identity = f.good();
  CHECK(go_nodes_of(f.paths, identity.keys) == identity.go->nodes);
  CHECK(go_seeds(identity.go->nodes, 7000).front().text() == "192.0.2.2:7000");
  CHECK(go_nodes_of(f.paths, store::make_key_file(key_of(8), kNow)).empty());
  f.write("{");
  CHECK(go_nodes_of(f.paths, identity.keys).empty());
}

TEST_CASE("the private key of the Go program's device becomes ours", "[daemon][takeover]") {
  const auto world = std::make_shared<daemon::test::FakeDataPlane::World>();
  daemon::test::FakeDataPlane plane(world);
  const SecretKey secret = clamp_x25519(key_of(5));
  world->private_key = secret.bytes();
  world->observed.device_key = x25519_public(secret);
  world->observed.peers.resize(1);
  world->observed.unmarked_routes.resize(2);
  store::KeyFile keys = store::make_key_file(std::nullopt, kNow);
  std::vector<std::string> lines;
  REQUIRE(take_over_go_device(plane, world->observed, keys, lines));
  CHECK(keys.wireguard_private.same_as(secret));
  CHECK(lines == std::vector<std::string>{
                     "taken over from the Go program: its WireGuard interface with key, 1 peer and "
                     "2 routes; nothing of it goes before the mesh has confirmed what is wanted"});

  world->observed.device_key = x25519_public(key_of(6));
  const auto changed = take_over_go_device(plane, world->observed, keys, lines);
  REQUIRE_FALSE(changed);
  CHECK(changed.error().code == Errc::busy);
  CHECK(keys.wireguard_private.same_as(secret));
}

TEST_CASE("the Go program's device is looked for at the address of our name",
          "[daemon][takeover]") {
  Options options;
  options.wireguard_port = 7001;
  const auto device = go_device(options, "n2");
  REQUIRE(device);
  CHECK(device->overlay.text() == "10.169.131.209");
  CHECK(device->listen_port == 7001);
}
