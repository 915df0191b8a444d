// The key file on disk: what is refused with which sentence, and what survives a failure.
#include "store/key_file.h"

#include <csignal>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/key_file_format.h"
#include "tests/store/support/place.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

namespace {

const WallTime kNow = wall_from_ms(1780000000000);

std::string refusal(const std::string& path, Errc code = Errc::state_unusable) {
  const auto loaded = load_key_file(path);
  if (loaded) return "loaded";
  CHECK(loaded.error().code == code);
  return loaded.error().detail;
}

std::string text_of(const KeyFile& keys) {
  return format_key_file(keys).value();
}

}  // namespace

TEST_CASE("a saved key file is read back as it was and is closed to others") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  KeyFile keys = make_key_file(std::nullopt, kNow);
  keys.node_name = "db1";
  keys.overlay = IpAddress::v4(10, 42, 1, 2);
  REQUIRE(save_key_file(path, keys));
  CHECK(mode_of(path) == 0600);
  const auto loaded = load_key_file(path);
  REQUIRE(loaded);
  CHECK(text_of(*loaded) == text_of(keys));
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.keys"});
}

TEST_CASE("two new key files share no id and no key") {
  const KeyFile a = make_key_file(std::nullopt, kNow);
  const KeyFile b = make_key_file(std::nullopt, kNow);
  CHECK(a.id != b.id);
  CHECK_FALSE(a.ring.at(0).key.same_as(b.ring.at(0).key));
  CHECK_FALSE(a.wireguard_private.same_as(b.wireguard_private));
  CHECK_FALSE(a.identity_seed.same_as(b.identity_seed));
  CHECK(a.highest_time == kNow);
  CHECK(clamp_x25519(a.wireguard_private).same_as(a.wireguard_private));
}

TEST_CASE("a given cluster key is the one key of the ring") {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(7);
  const KeyFile keys = make_key_file(SecretKey(bytes), kNow);
  REQUIRE(keys.ring.size() == 1);
  CHECK(keys.ring[0].generation == 1);
  CHECK(keys.ring[0].key.same_as(SecretKey(bytes)));
}

TEST_CASE("saving makes the directory with mode 0700") {
  const Place place;
  const std::string path = place("a/b/wgoverlay.keys");
  const ::mode_t before = ::umask(0);
  const auto saved = save_key_file(path, make_key_file(std::nullopt, kNow));
  ::umask(before);
  REQUIRE(saved);
  CHECK(mode_of(place("a/b")) == 0700);
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("an absent key file is not found") {
  const Place place;
  CHECK(refusal(place("wgoverlay.keys"), Errc::not_found) ==
        "there is no " + place("wgoverlay.keys"));
}

TEST_CASE("an absent key file beside a database is refused and not replaced by a new one") {
  const Place place;
  spill(place("wgoverlay.db"), "x");
  CHECK(refusal(place("wgoverlay.keys")) ==
        place("wgoverlay.keys") + " is missing, but " + place("wgoverlay.db") +
            " is there; restore it from a backup, or start over with: wesher --init (a new "
            "identity; the cluster key must be given again)");
}

TEST_CASE("a damaged or truncated key file is refused with the way to go on") {
  const Place place;
  const std::string path = place("wg5.keys");
  REQUIRE(save_key_file(path, make_key_file(std::nullopt, kNow)));
  const std::string good = slurp(path);
  const std::string remedy =
      "; restore it from a backup, or start over with: wesher --interface wg5 --init (a new "
      "identity; the cluster key must be given again)";

  std::string damaged = good;
  damaged[60] = damaged[60] == 'A' ? 'B' : 'A';
  spill(path, damaged);
  CHECK(refusal(path) == path + " is damaged (its checksum does not match)" + remedy);

  spill(path, good.substr(0, good.size() - 30));
  CHECK(refusal(path) == path + " is damaged (its end is missing)" + remedy);

  spill(path, "");
  CHECK(refusal(path) == path + " is damaged (it does not begin as a key file)" + remedy);

  spill(path, std::string(kKeyFileBytesMax + 1, 'x'));
  CHECK(refusal(path) == path + " is damaged (it is too large)" + remedy);
}

TEST_CASE("a key file of a newer version is refused with both versions") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  const std::string body = "wesher keys 3\nwhatever it has\n";
  spill(path, body + checksum_line(body));
  ::chmod(path.c_str(), 0600);
  CHECK(refusal(path) ==
        path +
            " is of another version of wesher (format 3, this one knows 2); install that "
            "version again, or start over with: wesher --init (a new identity; the cluster key "
            "must be given again)");
}

TEST_CASE("the mark of a machine is the same for file and machine and differs between them") {
  const std::string file = "00112233445566778899aabbccddeeff";
  const std::string mark = machine_mark("5f7c9e3a1b2c4d5e8f90a1b2c3d4e5f6", file);
  CHECK(mark == "ec33a3d8fe72c6a71c143be22e705027");
  CHECK(mark != machine_mark("5f7c9e3a1b2c4d5e8f90a1b2c3d4e5f7", file));
  CHECK(mark != machine_mark("5f7c9e3a1b2c4d5e8f90a1b2c3d4e5f6", "1" + file.substr(1)));
  const Place place;
  const std::string path = place("wgoverlay.keys");
  KeyFile keys = make_key_file(std::nullopt, kNow);
  CHECK(keys.machine.empty());
  keys.machine = mark;
  REQUIRE(save_key_file(path, keys));
  CHECK(load_key_file(path)->machine == mark);
}

TEST_CASE("a key file that others may read is refused with the command that repairs it") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  REQUIRE(save_key_file(path, make_key_file(std::nullopt, kNow)));
  ::chmod(path.c_str(), 0640);
  CHECK(refusal(path) ==
        path + " is open to other users (mode 0640); repair it with: chmod 600 " + path);
}

TEST_CASE("a key file that is a link or no file at all is refused") {
  const Place place;
  REQUIRE(save_key_file(place("real.keys"), make_key_file(std::nullopt, kNow)));
  REQUIRE(::symlink("real.keys", place("wgoverlay.keys").c_str()) == 0);
  CHECK(refusal(place("wgoverlay.keys")) ==
        place("wgoverlay.keys") +
            " is a symbolic link, and wesher follows none there; put the file itself in its place");
  REQUIRE(::mkfifo(place("fifo.keys").c_str(), 0600) == 0);
  CHECK_THAT(refusal(place("fifo.keys")), Catch::Contains("is not a regular file"));
}

TEST_CASE("a key file of another user is refused with the command that takes it back") {
  if (::geteuid() != 0) return;  // only root can give files away
  const Place place;
  const std::string path = place("wgoverlay.keys");
  REQUIRE(save_key_file(path, make_key_file(std::nullopt, kNow)));
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  CHECK(refusal(path) == path +
                             " belongs to uid 65534, not to uid 0 that runs wesher; if it is "
                             "yours, take it back with: chown 0 " +
                             path);
}

TEST_CASE("an ordinary user is told to use sudo") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  REQUIRE(save_key_file(path, make_key_file(std::nullopt, kNow)));
  const std::string said = as_stranger([&] {
    const auto loaded = load_key_file(path);
    if (loaded) return std::string("loaded");
    return (loaded.error().code == Errc::not_permitted ? "" : "wrong code: ") +
           loaded.error().detail;
  });
  if (::geteuid() == 0) {
    CHECK(said == "can't read " + path + ": Permission denied; run it with sudo");
  }
}

TEST_CASE("a save that fails half way leaves the old file and nothing else") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  REQUIRE(save_key_file(path, make_key_file(std::nullopt, kNow)));
  const std::string before = slurp(path);
  const std::string said = in_child([&]() -> std::string {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};  // the write stops after 100 bytes
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto saved = save_key_file(path, make_key_file(std::nullopt, kNow));
    return saved ? "saved" : saved.error().detail;
  });
  CHECK(said == "can't write " + path + ": File too large");
  CHECK(slurp(path) == before);
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.keys"});
}

TEST_CASE("a save in a directory that can't be written names path and reason") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  const std::string said = as_ordinary_user(place, [&]() -> std::string {
    ::chmod(place.directory().c_str(), 0500);
    const auto saved = save_key_file(path, make_key_file(std::nullopt, kNow));
    return saved ? "saved" : saved.error().detail;
  });
  CHECK(said == "can't write " + path + ": Permission denied; run it with sudo");
}

TEST_CASE("a temporary file that a crash left is removed by the next save and never read") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  const KeyFile keys = make_key_file(std::nullopt, kNow);
  REQUIRE(save_key_file(path, keys));
  spill(path + ".tmp-a1B2c3", "wesher keys 2\nid half of it");
  REQUIRE(load_key_file(path));
  CHECK(load_key_file(path)->id == keys.id);
  REQUIRE(save_key_file(path, keys));
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.keys"});
}

TEST_CASE("keys that could not be read back are not written over good ones") {
  const Place place;
  const std::string path = place("wgoverlay.keys");
  KeyFile keys = make_key_file(std::nullopt, kNow);
  REQUIRE(save_key_file(path, keys));
  const std::string before = slurp(path);
  keys.ring.clear();
  const auto saved = save_key_file(path, keys);
  REQUIRE_FALSE(saved);
  CHECK(saved.error().detail == "keys that can't be saved in " + path + ": it has no cluster_key");
  CHECK(slurp(path) == before);
}

TEST_CASE("a state directory that others can write in is refused") {
  const Place place;
  ::chmod(place.directory().c_str(), 0777);
  const auto saved = save_key_file(place("wgoverlay.keys"), make_key_file(std::nullopt, kNow));
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code == Errc::state_unusable);
  CHECK(saved.error().detail == "others can write in " + place.directory() +
                                    " (mode 0777); repair it with: chmod 700 " + place.directory());
}
