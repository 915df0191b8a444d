// Opening the database, by the daemon and by commands: made, taken over, moved aside, refused.
#include "store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "store/repository.h"
#include "store/schema.h"
#include "tests/store/support/open.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

using Access = Database::Access;

TEST_CASE("a new database is fresh and adopting and closed to others") {
  const Place place;
  const std::string path = place("a/wgoverlay.db");
  const ::mode_t before = ::umask(0);
  auto open = open_daemon(path);
  ::umask(before);
  CHECK(open.fresh);
  CHECK(open.notice.empty());
  CHECK(Repository(open.database).adopting().value());
  CHECK(mode_of(place("a")) == 0700);
  for (const char* file : {"a/wgoverlay.db", "a/wgoverlay.db-wal", "a/wgoverlay.db-shm"}) {
    CHECK(mode_of(place(file)) == 0600);
  }
  SQLite::Database& db = open.database.sqlite();
  CHECK(db.execAndGet("PRAGMA journal_mode").getString() == "wal");
  CHECK(db.execAndGet("PRAGMA synchronous").getInt() == 1);
  CHECK(db.execAndGet("PRAGMA busy_timeout").getInt() == kBusyTimeoutMs);
  CHECK(db.execAndGet("PRAGMA foreign_keys").getInt() == 1);
  CHECK(db.execAndGet("PRAGMA trusted_schema").getInt() == 0);
  CHECK(db.execAndGet("PRAGMA application_id").getInt() == kApplicationId);
  CHECK(db.execAndGet("PRAGMA user_version").getInt() == embedded_source().newest());
}

TEST_CASE("a database is the same after a restart and after a crash") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  {
    auto open = open_daemon(path);
    set_option(open.database, "one");
    REQUIRE(Repository(open.database).set_adopting(false));
  }
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.db"});
  (void)in_child([&]() -> std::string {
    auto open = Database::open_for_daemon(path, kId);
    if (!open) return open.error().detail;
    Repository repository(open->database);
    if (!repository.put_options({{"key", "two"}})) return "no";
    ::_exit(0);  // as a kill: the log stays
  });
  CHECK(place.files().size() == 3);
  auto open = open_daemon(path);
  CHECK_FALSE(open.fresh);
  CHECK_FALSE(Repository(open.database).adopting().value());
  CHECK(option_in(open.database) == "two");
}

TEST_CASE("an empty file is taken as no database yet") {
  const Place place;
  spill(place("wgoverlay.db"), "");
  ::chmod(place("wgoverlay.db").c_str(), 0600);
  CHECK_THAT(command_refusal(place("wgoverlay.db"), Access::read, Errc::not_found),
             Catch::StartsWith("there is no "));
  CHECK(open_daemon(place("wgoverlay.db")).fresh);
}

TEST_CASE("the log of a deleted database is not taken for that of a new one") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  auto old = open_daemon(path);
  set_option(old.database, "old");
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK_FALSE(old.database.still_there());
  auto fresh = open_daemon(path);
  CHECK(fresh.fresh);
  CHECK(option_in(fresh.database).empty());
}

TEST_CASE("a database of another key file is moved aside with all it held") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  {
    auto open = open_daemon(path);
    set_option(open.database, "old");
  }
  const std::string other(32, 'f');
  auto open = open_daemon(path, other);
  CHECK(open.fresh);
  CHECK(open.notice == path +
                           " could not be used: it belongs to another key file; it was moved to " +
                           path + ".aside-1, and a new one fills from the mesh");
  CHECK(option_in(open.database).empty());
  SQLite::Database aside(path + ".aside-1");
  CHECK(aside.execAndGet("SELECT value FROM option").getString() == "old");
}

TEST_CASE("three databases that were moved aside are kept") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  for (int i = 0; i < 6; ++i) {
    std::string id(32, static_cast<char>('0' + i));
    (void)open_daemon(path, id);
  }
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.db", "wgoverlay.db.aside-3",
                                                  "wgoverlay.db.aside-4", "wgoverlay.db.aside-5"});
}

TEST_CASE("what is not a database of ours is moved aside and kept") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  spill(path, "these are notes of somebody, not tables");
  ::chmod(path.c_str(), 0600);
  CHECK_THAT(command_refusal(path, Access::read, Errc::state_unusable),
             Catch::Contains("is damaged (file is not a database)"));
  CHECK_THAT(open_daemon(path).notice,
             Catch::Contains("it is damaged (file is not a database); it was moved to"));
  CHECK(slurp(path + ".aside-1") == "these are notes of somebody, not tables");

  const std::string foreign = place("wg1.db");
  SQLite::Database(foreign, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE t (a)");
  ::chmod(foreign.c_str(), 0600);
  CHECK(command_refusal(foreign, Access::read, Errc::state_unusable) ==
        foreign + " is not a database of wesher; the daemon moves it aside at its next start");
  CHECK_THAT(open_daemon(foreign).notice, Catch::Contains("it is not a database of wesher"));
}

TEST_CASE("a database with any damaged byte of its head is usable or moved aside") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  {
    auto open = open_daemon(path);
    set_option(open.database, "kept");
  }
  const std::string good = slurp(path);
  int moved = 0;
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); at += at < 120 ? 1 : 997) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    spill(path, bad);
    auto open = Database::open_for_daemon(path, kId);
    if (!open) {
      // Only a version that is larger can't be told from a newer program's.
      INFO(open.error().detail);
      CHECK(open.error().detail.find("newer") != std::string::npos);
      ++refused;
      continue;
    }
    moved += open->fresh ? 1 : 0;
    Repository repository(open->database);
    const auto written = repository.put_options({{"key", "new"}});
    INFO("byte " << at << ": " << (written ? "" : written.error().detail));
    CHECK(written);
    CHECK(repository.members());
    CHECK(repository.history({}));
  }
  CHECK(moved > 20);
  CHECK(refused <= 4);
}

TEST_CASE("a truncated database is moved aside unless only unused bytes were lost") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  { (void)open_daemon(path); }
  const std::string good = slurp(path);
  for (std::size_t length = 1; length < good.size(); length += 4099) {
    spill(path, good.substr(0, length));
    auto open = open_daemon(path);
    INFO("of " << good.size() << " bytes " << length);
    CHECK((open.fresh || length > good.size() - 4096));  // the last page may have been empty
    CHECK(Repository(open.database).options());
  }
}

TEST_CASE("a damaged row is found when the database is opened") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  {
    auto open = open_daemon(path);
    SQLite::Database& db = open.database.sqlite();
    db.exec("PRAGMA ignore_check_constraints = ON");
    db.exec(
        "INSERT INTO member VALUES (x'61', x'0102', 1, 1, 'alive', 1, 1, NULL, NULL, NULL,"
        " 'seed', '', NULL, NULL, NULL, NULL, NULL)");
    CHECK(Repository(open.database).members().error().detail ==
          path + ": an address that is not one");
  }
  CHECK_THAT(open_daemon(path).notice, Catch::Contains("it is damaged (CHECK constraint failed"));
}

TEST_CASE("a database that others may write is refused and one they may read is closed") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  { (void)open_daemon(path); }
  ::chmod(path.c_str(), 0660);
  const auto open = Database::open_for_daemon(path, kId);
  REQUIRE_FALSE(open);
  CHECK(open.error().code == Errc::state_unusable);
  CHECK(open.error().detail ==
        path + " is open to other users (mode 0660); repair it with: chmod 600 " + path);
  ::chmod(path.c_str(), 0644);
  (void)open_daemon(path);
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("a database that is a link or of another user is refused") {
  const Place place;
  { (void)open_daemon(place("real.db")); }
  const std::string link = place("wgoverlay.db");
  REQUIRE(::symlink("real.db", link.c_str()) == 0);
  const std::string want =
      link + " is a symbolic link, and wesher follows none there; put the file itself in its place";
  CHECK(Database::open_for_daemon(link, kId).error().detail == want);
  CHECK(command_refusal(link, Access::read, Errc::state_unusable) == want);
  if (::geteuid() != 0) return;
  const std::string foreign = place("real.db");
  REQUIRE(::chown(foreign.c_str(), 65534, 65534) == 0);
  CHECK(Database::open_for_daemon(foreign, kId).error().detail ==
        foreign +
            " belongs to uid 65534, not to uid 0 that runs wesher; if it is yours, take it back "
            "with: chown 0 " +
            foreign);
}

TEST_CASE("a state directory that can't be written is told with its reason") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  const std::string said = as_ordinary_user(place, [&]() -> std::string {
    ::chmod(place.directory().c_str(), 0500);
    const auto open = Database::open_for_daemon(path, kId);
    return open ? "opened" : open.error().detail;
  });
  CHECK(said == "can't create " + path + ": Permission denied; run it with sudo");
}

TEST_CASE("an id that no key file has is refused") {
  const Place place;
  const auto open = Database::open_for_daemon(place("wgoverlay.db"), "not an id");
  REQUIRE_FALSE(open);
  CHECK(open.error().code == Errc::malformed);
}

TEST_CASE("a full disk is an error of the system and what was stored stays") {
  const Place place;
  auto open = open_daemon(place("wgoverlay.db"));
  set_option(open.database, "kept");
  open.database.sqlite().exec("PRAGMA max_page_count = 1");
  const auto written = Repository(open.database).put_options({{"key", std::string(500000, 'x')}});
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Errc::system);
  CHECK(written.error().detail == "can't write " + place("wgoverlay.db") +
                                      ": database or disk is full; free some space on that "
                                      "filesystem");
  CHECK(option_in(open.database) == "kept");
}

TEST_CASE("a database that was lost under its connection is opened again") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  auto open = open_daemon(path);
  set_option(open.database, "old");
  const auto again = [&] {
    auto opened = open.database.open_again(kId);
    REQUIRE(opened);
    open = std::move(*opened);
    REQUIRE(open.database.still_there());
    REQUIRE(Repository(open.database).put_options({{"key", "new"}}));
  };
  open.database.sqlite().exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string good = slurp(path);

  SECTION("its pages were overwritten or cut off") {
    std::size_t kept = 100;
    std::size_t length = good.size();
    SECTION("overwritten") {}
    SECTION("cut") {
      length = 4096;
      kept = length;
    }
    SECTION("emptied") {
      length = 0;
      kept = 0;
    }
    std::string bad = good.substr(0, kept);
    bad.resize(length, '\xa5');
    spill(path, bad);
    again();
    CHECK(open.fresh);
  }
  SECTION("something else took its place and its log lies there still") {
    set_option(open.database, "in the log");
    REQUIRE(::unlink(path.c_str()) == 0);
    spill(path, "these are notes of somebody, not tables");
    ::chmod(path.c_str(), 0600);
    again();
    CHECK(slurp(path + ".aside-1") == "these are notes of somebody, not tables");
  }
  SECTION("an older copy of it took its place") {
    set_option(open.database, "in the log");
    REQUIRE(::unlink(path.c_str()) == 0);
    spill(path, good);
    ::chmod(path.c_str(), 0600);
    auto opened = open.database.open_again(kId);
    REQUIRE(opened);
    CHECK_FALSE(opened->fresh);
    CHECK(option_in(opened->database) == "old");
  }
  SECTION("one of a newer version took its place and goes again") {
    REQUIRE(::unlink(path.c_str()) == 0);
    spill(path, good);
    ::chmod(path.c_str(), 0600);
    SQLite::Database(path, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 4711");
    const std::string newer = slurp(path);
    const auto refused = open.database.open_again(kId);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::state_unusable);
    CHECK(slurp(path) == newer);
    // Nothing is open now, and nothing can be stored, until there is one that can be used.
    CHECK_FALSE(open.database.still_there());
    CHECK_FALSE(Repository(open.database).put_options({{"key", "lost"}}));
    REQUIRE(::unlink(path.c_str()) == 0);
    again();
    CHECK(open.fresh);
  }
}
