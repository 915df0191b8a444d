// That the steps end at the schema, and that an older database goes through the missing ones.
#include <array>
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "store/database.h"
#include "store/repository.h"
#include "store/schema.h"
#include "tests/store/support/place.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

namespace {

std::string migrated_text(std::span<const Migration> migrations) {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  run_migrations(db, migrations, 0);
  CHECK(db.execAndGet("PRAGMA user_version").getInt() == static_cast<int>(migrations.size()));
  return schema_text(db);
}

std::string text_of(std::string_view sql) {
  return expected_schema_text(sql);
}

// A history of three versions, made for these tests.
constexpr std::string_view kFirst =
    "CREATE TABLE meta (one INTEGER PRIMARY KEY, key_file_id TEXT NOT NULL,"
    " adopting INTEGER NOT NULL) STRICT;"
    "CREATE TABLE thing (name TEXT PRIMARY KEY) STRICT;";
constexpr std::string_view kSecond = "ALTER TABLE thing RENAME TO item;";
constexpr std::string_view kThird =
    "ALTER TABLE item ADD COLUMN size INTEGER NOT NULL DEFAULT 7;"
    "UPDATE item SET size = length(name);";
constexpr std::array kSteps = {Migration{1, "0001_first", kFirst},
                               Migration{2, "0002_rename", kSecond},
                               Migration{3, "0003_size", kThird}};
constexpr std::string_view kThirdSchema = R"(
  -- comments don't count
  CREATE TABLE meta (one INTEGER PRIMARY KEY, key_file_id TEXT NOT NULL, adopting INTEGER NOT NULL)
    STRICT;
  CREATE TABLE item (
    name TEXT PRIMARY KEY,  /* nor do these */
    size INTEGER NOT NULL DEFAULT 7
  ) STRICT;)";
constexpr SchemaSource kVersion1{kFirst, std::span(kSteps).first(1)};
constexpr SchemaSource kVersion3{kThirdSchema, std::span(kSteps)};

/// A database of version 1 with two rows.
void make_version_1(const std::string& path) {
  auto open = Database::open_for_daemon(path, kId, kVersion1);
  REQUIRE(open);
  open->database.sqlite().exec(
      "INSERT INTO thing VALUES ('a'), ('bcd'); UPDATE meta SET adopting=0");
}

std::string error_of(const Result<Database::Opened>& opened) {
  return opened ? "opened" : opened.error().detail;
}

}  // namespace

TEST_CASE("the migrations end at exactly the schema") {
  CHECK(migrated_text(embedded_migrations()) == text_of(embedded_schema()));
}

TEST_CASE("what is baked in is what lies in schema and migrations") {
  CHECK(slurp(SCHEMA_DIR "/schema/schema.sql") == embedded_schema());
  REQUIRE_FALSE(embedded_migrations().empty());
  int version = 0;
  for (const Migration& step : embedded_migrations()) {
    CHECK(step.version == ++version);
    CHECK(slurp(SCHEMA_DIR "/migrations/" + std::string(step.name) + ".sql") == step.sql);
  }
}

TEST_CASE("schemas that differ in more than layout have different texts") {
  const std::string a = text_of("CREATE TABLE t (a TEXT CHECK (a IN ('x', 'y z')));");
  CHECK(a == text_of("CREATE TABLE \"t\" ( -- it's one\n  [a]\tTEXT CHECK (a IN('x','y z')));"));
  CHECK(a != text_of("CREATE TABLE t (a TEXT CHECK (a IN ('x', 'yz')));"));
  CHECK(a != text_of("CREATE TABLE t (a TEXT CHECK (a IN ('x', '-- y z')));"));
  CHECK(a != text_of("CREATE TABLE t (a TEXT CHECK (a IN ('x')));"));
  CHECK(a !=
        text_of("CREATE TABLE t (a TEXT CHECK (a IN ('x', 'y z'))); CREATE INDEX i ON t (a);"));
  CHECK(migrated_text(kSteps) == text_of(kThirdSchema));
  CHECK(migrated_text(std::span(kSteps).first(2)) != text_of(kThirdSchema));
}

TEST_CASE("an older database is copied and then goes through the missing steps") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  make_version_1(path);
  auto open = Database::open_for_daemon(path, kId, kVersion3);
  REQUIRE(open);
  CHECK_FALSE(open->fresh);
  CHECK(open->notice ==
        path + " was brought from schema 1 to 3; the one before is kept as " + path + ".v1");
  SQLite::Database& db = open->database.sqlite();
  CHECK(db.execAndGet("PRAGMA user_version").getInt() == 3);
  CHECK(db.execAndGet("SELECT group_concat(name || size) FROM item").getString() == "a1,bcd3");
  CHECK(db.execAndGet("SELECT adopting FROM meta").getInt() == 0);

  CHECK(mode_of(path + ".v1") == 0600);
  SQLite::Database copy(path + ".v1");
  CHECK(copy.execAndGet("PRAGMA user_version").getInt() == 1);
  CHECK(copy.execAndGet("PRAGMA application_id").getInt() == kApplicationId);
  CHECK(copy.execAndGet("SELECT group_concat(name) FROM thing").getString() == "a,bcd");
}

TEST_CASE("a step that fails leaves the version before it and the copy") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  make_version_1(path);
  static constexpr std::array kBroken = {
      kSteps[0], kSteps[1],
      Migration{3, "0003_bad", "CREATE TABLE extra (a); INSERT INTO item VALUES ('a');"}};
  const auto open = Database::open_for_daemon(path, kId, {kThirdSchema, std::span(kBroken)});
  REQUIRE_FALSE(open);
  CHECK(open.error().code == Errc::state_unusable);
  CHECK(
      open.error().detail ==
      "can't bring " + path +
          " from schema 2 to 3 (UNIQUE constraint failed: item.name); the one before is kept as " +
          path + ".v1; install the older wesher again, or reset with: wesher --init");
  {
    SQLite::Database db(path);
    CHECK(db.execAndGet("PRAGMA user_version").getInt() == 2);
    CHECK(db.execAndGet("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").getInt() == 0);
    CHECK(db.execAndGet("SELECT count(*) FROM item").getInt() == 2);
  }
  // The repaired program goes on from there.
  REQUIRE(Database::open_for_daemon(path, kId, kVersion3));
  SQLite::Database db(path);
  CHECK(db.execAndGet("SELECT sum(size) FROM item").getInt() == 4);
}

TEST_CASE("a copy that an earlier attempt left half made is replaced") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  make_version_1(path);
  spill(path + ".v1", "an old copy");
  spill(path + ".v1.new", "half a copy");
  REQUIRE(Database::open_for_daemon(path, kId, kVersion3));
  SQLite::Database copy(path + ".v1");
  CHECK(copy.execAndGet("SELECT count(*) FROM thing").getInt() == 2);
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.db", "wgoverlay.db.v1"});
}

TEST_CASE("a newer database is refused with both versions and is not touched") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  make_version_1(path);
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 7");
  const std::string before = slurp(path);
  const auto want = [&](int known) {
    return path + " was made by a newer wesher (schema 7, this one knows " + std::to_string(known) +
           "); install that version again, or reset with: wesher --init";
  };
  const auto open = Database::open_for_daemon(path, kId, kVersion1);
  REQUIRE_FALSE(open);
  CHECK(open.error().code == Errc::state_unusable);
  CHECK(open.error().detail == want(1));
  const auto command = Database::open_for_command(path, Database::Access::read);
  REQUIRE_FALSE(command);
  CHECK(command.error().detail == want(embedded_source().newest()));
  CHECK(slurp(path) == before);
  CHECK(place.files() == std::vector<std::string>{"wgoverlay.db"});
}

TEST_CASE("tables that are not those of the version are moved aside") {
  const Place place;
  const std::string path = place("wgoverlay.db");
  make_version_1(path);
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec("ALTER TABLE thing ADD COLUMN more TEXT");
  const auto open = Database::open_for_daemon(path, kId, kVersion1);
  INFO(error_of(open));
  REQUIRE(open);
  CHECK(open->fresh);
  CHECK(open->notice == path +
                            " could not be used: its tables are not those of its version; it was "
                            "moved to " +
                            path + ".aside-1, and a new one fills from the mesh");
}

TEST_CASE("a database of every earlier version keeps its rows through the missing steps") {
  const SchemaSource newest = embedded_source();
  for (int version = 1; version < newest.newest(); ++version) {
    CAPTURE(version);
    const Place place;
    const std::string path = place("wgoverlay.db");
    const auto steps = newest.migrations.first(static_cast<std::size_t>(version));
    std::string tables;
    for (const Migration& step : steps)
      tables += step.sql;
    {
      auto old = Database::open_for_daemon(path, kId, {tables, steps});
      REQUIRE(old);
      old->database.sqlite().exec(
          "INSERT INTO history (at_ms, object, what, reason) VALUES (1, 'link', 'made', 'test');"
          "INSERT INTO option VALUES ('interface', 'wgoverlay'); UPDATE meta SET adopting = 0;"
          "INSERT INTO member (name, underlay, gossip_port, incarnation, state, state_since_ms,"
          " first_seen_ms, standing, reason) VALUES (x'6131', x'c0000201', 7946, 5, 'left', 1, 2,"
          " 'seed', 'left'); INSERT INTO desired (one, generation, interface, key, listen_port,"
          " overlay, hosts, own_name) VALUES (1, 7, 'wgoverlay', zeroblob(32), 1, x'0a000001', 1,"
          " x'61')");
    }
    auto open = Database::open_for_daemon(path, kId);
    REQUIRE(open);
    CHECK_FALSE(open->fresh);
    Repository repository(open->database);
    CHECK(repository.history({}).value().at(0).object == "link");
    CHECK(repository.options().value().at("interface") == "wgoverlay");
    CHECK_FALSE(repository.adopting().value());
    CHECK(repository.drift().value().empty());
    const auto members = repository.members().value();
    REQUIRE(members.size() == 1);
    CHECK(members[0].name == "a1");
    CHECK(members[0].incarnation == 5);
    CHECK_FALSE(members[0].signed_claim);
    const auto desired = repository.desired().value();
    REQUIRE(desired);
    CHECK(desired->generation == 7);
    CHECK_FALSE(desired->interface.keepalive_s);
    CHECK(repository.self().value() == std::nullopt);
    CHECK(schema_text(open->database.sqlite()) == text_of(newest.schema));
  }
}
