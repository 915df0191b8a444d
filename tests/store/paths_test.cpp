// Where state lies, which interfaces have some, and how one is started over.
#include "store/paths.h"

#include <cstdlib>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "store/database.h"
#include "store/key_file.h"
#include "store/reset.h"
#include "tests/store/support/place.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

TEST_CASE("the state directory is the first absolute entry of STATE_DIRECTORY") {
  const auto with = [](const char* value) {
    return in_child([value] {
      if (value == nullptr) {
        ::unsetenv("STATE_DIRECTORY");
      } else {
        ::setenv("STATE_DIRECTORY", value, 1);
      }
      return state_directory();
    });
  };
  CHECK(with(nullptr) == "/var/lib/wesher");
  CHECK(with("") == "/var/lib/wesher");
  CHECK(with("relative/one") == "/var/lib/wesher");
  CHECK(with("/srv/a:/srv/b") == "/srv/a");
  CHECK(with("/srv/a//") == "/srv/a");
}

TEST_CASE("interfaces are known by their databases and nothing else") {
  const Place place;
  for (const char* name : {"wgoverlay.db", "wg0.db", "wg1.db-wal", "wg2.keys", "wg3.db.aside-1",
                           "a-name-too-long-.db", ".db", "a b.db", "wg4.db.v1"}) {
    spill(place(name), "");
  }
  REQUIRE(::symlink("wg0.db", place("link.db").c_str()) == 0);
  CHECK(known_interfaces(place.directory()) == std::vector<std::string>{"wg0", "wgoverlay"});
  CHECK(known_interfaces(place("absent")).empty());
}

TEST_CASE("what the Go program left goes to the default interface or the only one") {
  const Place place;
  const auto inherits = [&](const char* interface) {
    return inherits_from_go({place.directory(), interface});
  };
  CHECK(inherits("wgoverlay"));
  CHECK(inherits("wg0"));
  spill(place("wg0.db"), "");
  CHECK(inherits("wg0"));
  CHECK_FALSE(inherits("wg1"));
  CHECK(inherits("wgoverlay"));
}

TEST_CASE("an interface name is what Linux takes") {
  CHECK(is_valid_interface_name("wgoverlay"));
  CHECK(is_valid_interface_name("fifteen-letters"));
  for (const char* name : {"", ".", "..", "sixteen-letters-", "a/b", "a:b", "a b", "a\n", "\xc3"}) {
    CHECK_FALSE(is_valid_interface_name(name));
  }
}

TEST_CASE("a reset removes keys and database of its interface and keeps the rest") {
  const Place place;
  const Paths paths = place.paths();
  const KeyFile keys = make_key_file(std::nullopt, wall_from_ms(1));
  REQUIRE(save_key_file(paths.key_file(), keys));
  {
    auto open = Database::open_for_daemon(paths.database(), keys.id);
    REQUIRE(open);
    CHECK(place.files().size() == 4);  // keys, db, -wal, -shm
    REQUIRE(reset_state(paths));
  }
  CHECK(place.files().empty());

  for (const char* name : {"wgoverlay.keys", "wgoverlay.keys.tmp-1a2B3c", "wgoverlay.db",
                           "wgoverlay.db-wal", "wgoverlay.db-shm", "wgoverlay.db.v1",
                           "wgoverlay.db.aside-1", "wgoverlay.lock", "wg0.keys", "wg0.db"}) {
    spill(place(name), "x");
  }
  REQUIRE(reset_state(paths));
  CHECK(place.files() == std::vector<std::string>{"wg0.db", "wg0.keys", "wgoverlay.db.aside-1",
                                                  "wgoverlay.db.v1", "wgoverlay.lock"});
  REQUIRE(reset_state(paths));
  REQUIRE(reset_state({place("absent"), "wgoverlay"}));
}

TEST_CASE("a reset that is not permitted says so") {
  const Place place;
  spill(place("wgoverlay.db"), "x");
  const std::string said = as_stranger([&]() -> std::string {
    const auto done = reset_state(place.paths());
    return done ? "done" : done.error().detail;
  });
  if (::geteuid() == 0) {
    CHECK(said ==
          "can't remove " + place("wgoverlay.db") + ": Permission denied; run it with sudo");
  }
}
