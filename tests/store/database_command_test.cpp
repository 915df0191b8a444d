// The database in two connections: what commands may do beside a daemon, and without one.
#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "store/database.h"
#include "store/repository.h"
#include "tests/store/support/open.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

using Access = Database::Access;

TEST_CASE("a command neither makes a database nor leaves files beside one") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  for (const auto access : {Access::read, Access::write}) {
    CHECK(command_refusal(path, access, Errc::not_found) ==
          "there is no " + path + ": wesher has not run here for that interface");
  }
  CHECK(place.files().empty());
  {
    auto open = open_daemon(path);
    set_option(open.database, "stored");
  }
  for (const auto access : {Access::read, Access::write}) {
    auto open = Database::open_for_command(path, access);
    REQUIRE(open);
    CHECK(option_in(*open) == "stored");
  }
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.db"});
}

TEST_CASE("a command reads what the daemon writes at the same time") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  auto daemon = open_daemon(path);
  set_option(daemon.database, "first");
  auto reader = Database::open_for_command(path, Access::read);
  REQUIRE(reader);
  CHECK(option_in(*reader) == "first");
  set_option(daemon.database, "second");
  CHECK(option_in(*reader) == "second");
  const auto refused = Repository(*reader).put_options({{"key", "third"}});
  REQUIRE_FALSE(refused);
  CHECK(option_in(daemon.database) == "second");
}

TEST_CASE("what a killed daemon left in its log is read by the next command") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  (void)in_child([&]() -> std::string {
    auto open = Database::open_for_daemon(path, kId);
    if (!open || !Repository(open->database).put_options({{"key", "in the log"}})) return "no";
    ::_exit(0);
  });
  auto open = Database::open_for_command(path, Access::read);
  REQUIRE(open);
  CHECK(option_in(*open) == "in the log");
}

TEST_CASE("data_version moves for commits of others only") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  auto daemon = open_daemon(path);
  const std::int64_t before = daemon.database.data_version();
  set_option(daemon.database, "own");
  CHECK(daemon.database.data_version() == before);
  auto command = Database::open_for_command(path, Access::write);
  REQUIRE(command);
  set_option(*command, "other");
  CHECK(daemon.database.data_version() != before);
}

TEST_CASE("a deleted or replaced database is noticed") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  auto open = open_daemon(path);
  CHECK(open.database.still_there());
  spill(place("other"), slurp(path));
  REQUIRE(::rename(place("other").c_str(), path.c_str()) == 0);
  CHECK_FALSE(open.database.still_there());
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK_FALSE(open.database.still_there());
}

TEST_CASE("a writer that waits longer than the timeout is told that it is busy") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  auto daemon = open_daemon(path);
  auto command = Database::open_for_command(path, Access::write);
  REQUIRE(command);
  daemon.database.sqlite().exec("BEGIN IMMEDIATE");
  command->sqlite().exec("PRAGMA busy_timeout = 1");
  const auto written = Repository(*command).put_options({{"key", "x"}});
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Errc::busy);
  CHECK(written.error().detail ==
        path + " is in use by another process (database is locked); try again");
}

TEST_CASE("a command that may not write reads a database without a log") {
  const Place place;
  const std::string path = place("we%ird?#.db");
  {
    auto open = open_daemon(path);
    set_option(open.database, "stored");
  }
  const std::string said = as_ordinary_user(place, [&]() -> std::string {
    ::chmod(path.c_str(), 0400);
    ::chmod(place.directory().c_str(), 0500);
    auto open = Database::open_for_command(path, Access::read);
    if (!open) return open.error().detail;
    const auto writer = Database::open_for_command(path, Access::write);
    return option_in(*open) + "; " + (writer ? "opened" : writer.error().detail);
  });
  CHECK(said == "stored; can't write " + path + ": Permission denied; run it with sudo");
  CHECK(place.files() == std::vector<std::string>{"we%ird?#.db"});
}

TEST_CASE("an ordinary user is told to use sudo for the database") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  { (void)open_daemon(path); }
  const auto said = [&] {
    return as_stranger([&] { return command_refusal(path, Access::read, Errc::not_permitted); });
  };
  if (::geteuid() != 0) return;
  CHECK(said() == "can't open " + path + ": Permission denied; run it with sudo");
  ::chmod(place.directory().c_str(), 0755);
  ::chmod(path.c_str(), 0644);
  CHECK(said() == "can't open " + path + ": Permission denied; run it with sudo");
}
