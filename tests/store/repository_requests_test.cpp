// Requests of commands to the daemon.
#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include "tests/store/support/rows.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

namespace {

const WallTime kNow = wall_from_ms(1780000000000);
using std::chrono::seconds;

std::string state_of(Store& store, std::int64_t id) {
  const auto request = store->request(id).value();
  return request ? request->state + ": " + request->result : "none";
}

}  // namespace

TEST_CASE("a request travels from a command to the daemon and its answer back") {
  Store daemon;
  Database connection = daemon.connect();
  Repository command(connection);
  const std::int64_t id = command.add_request("forget", R"({"name":"db1"})", 1000, kNow).value();
  CHECK(command.request(id).value()->state == "waiting");

  const auto taken = daemon->take_requests(kNow + seconds(1)).value();
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].id == id);
  CHECK(taken[0].kind == "forget");
  CHECK(taken[0].arguments == R"({"name":"db1"})");
  CHECK(taken[0].uid == 1000);
  CHECK(taken[0].created == kNow);
  CHECK(taken[0].expires == kNow + kRequestLife);
  CHECK(taken[0].state == "running");
  CHECK(command.request(id).value()->state == "running");
  CHECK(daemon->take_requests(kNow + seconds(1)).value().empty());

  REQUIRE(daemon->finish_request(id, "done", "forgotten"));
  CHECK(command.request(id).value()->state == "done");
  CHECK(command.request(id).value()->result == "forgotten");
  CHECK(daemon->finish_request(id, "done", "again").error().code == Errc::not_found);
  CHECK(daemon->take_requests(kNow + seconds(1)).value().empty());
}

TEST_CASE("requests are taken oldest first and not all at once") {
  Store store;
  for (int i = 0; i < 70; ++i) {
    REQUIRE(store->add_request("leave", "{}", 0, kNow));
  }
  const auto first = store->take_requests(kNow).value();
  const auto second = store->take_requests(kNow).value();
  CHECK(first.size() == 64);
  CHECK(second.size() == 6);
  CHECK(first.front().id < first.back().id);
  CHECK(first.back().id < second.front().id);
}

TEST_CASE("an expired request is marked so and not given") {
  Store store;
  const std::int64_t id = store->add_request("leave", "{}", 0, kNow).value();
  CHECK(store->take_requests(kNow + kRequestLife).value().empty());
  CHECK(state_of(store, id) == "expired: nobody took it in time");
  CHECK(store->take_requests(kNow).value().empty());
  const std::int64_t last = store->add_request("leave", "{}", 0, kNow).value();
  CHECK(store->take_requests(kNow + kRequestLife - std::chrono::milliseconds(1)).value().size() ==
        1);
  CHECK(state_of(store, last) == "running: ");
}

TEST_CASE("a request from before the clock went back is not run") {
  Store store;
  const std::int64_t id = store->add_request("leave", "{}", 0, kNow).value();
  CHECK(store->take_requests(kNow - kRequestLife - seconds(1)).value().empty());
  CHECK(state_of(store, id) == "expired: nobody took it in time");
}

TEST_CASE("requests that are none are refused when they are added") {
  Store store;
  const auto why = [&](const std::string& kind, const std::string& arguments) {
    const auto added = store->add_request(kind, arguments, 0, kNow);
    if (added) return std::string("added");
    CHECK(added.error().code == Errc::malformed);
    return added.error().detail;
  };
  CHECK(why("key rotate", "{}") == "added");
  CHECK(why("", "{}") == "\"\" is not the name of a request");
  CHECK(why("rm\n-rf", "{}") == "\"rm\\x0a-rf\" is not the name of a request");
  CHECK(why(std::string(33, 'a'), "{}") ==
        "\"" + std::string(33, 'a') + "\" is not the name of a request");
  CHECK(why("leave", "") == "the arguments are not a JSON object");
  CHECK(why("leave", "[]") == "the arguments are not a JSON object");
  CHECK(why("leave", "{\"a\":}") == "the arguments are not a JSON object");
  CHECK(why("leave", "{\"a\":\"" + std::string(4096, 'x') + "\"}") ==
        "the arguments are longer than 4096 bytes");
}

TEST_CASE("rows written past the program are checked before the daemon gets them") {
  Store store;
  SQLite::Database& db = store.sqlite();
  db.exec("PRAGMA ignore_check_constraints = ON");
  const auto row = [&](const std::string& kind, const std::string& arguments, int life) {
    SQLite::Statement add(
        db,
        "INSERT INTO request (kind, arguments, uid, created_ms, expires_ms, state,"
        " result) VALUES (?, ?, 0, 1780000000000, 1780000000000 + ?, 'waiting', '')");
    add.bind(1, kind);
    add.bind(2, arguments);
    add.bind(3, life);
    add.exec();
    return db.getLastInsertRowid();
  };
  const auto bad_kind = row("\x1b[2J", "{}", 60000);
  const auto bad_json = row("leave", "{\"a\":", 60000);
  const auto deep = row("leave", "{\"a\":" + std::string(3000, '[') + "}", 60000);
  const auto too_long = row("leave", std::string(5000, ' '), 60000);
  const auto for_ever = row("leave", "{}", 60001);
  const auto good = row("leave", "{}", 60000);
  const auto taken = store->take_requests(kNow).value();
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].id == good);
  CHECK(state_of(store, bad_kind) == "refused: \"\\x1b[2J\" is not the name of a request");
  CHECK(state_of(store, bad_json) == "refused: the arguments are not a JSON object");
  CHECK(state_of(store, deep) == "refused: the arguments are not a JSON object");
  CHECK(state_of(store, too_long) == "refused: the arguments are longer than 4096 bytes");
  CHECK(state_of(store, for_ever) == "expired: nobody took it in time");
}

TEST_CASE("a request ends done or refused and only once it runs") {
  Store store;
  const std::int64_t id = store->add_request("leave", "{}", 0, kNow).value();
  CHECK(store->finish_request(id, "done", "").error().code == Errc::not_found);
  REQUIRE(store->take_requests(kNow));
  CHECK(store->finish_request(id, "waiting", "").error().code == Errc::malformed);
  CHECK(store->finish_request(id + 1, "done", "").error().detail ==
        "no request " + std::to_string(id + 1) + " is running");
  REQUIRE(store->finish_request(id, "refused", "no such member"));
  CHECK(state_of(store, id) == "refused: no such member");
  CHECK(state_of(store, id + 1) == "none");
}

TEST_CASE("old requests go when there are more than a thousand") {
  Store store;
  std::int64_t first = 0;
  for (int i = 0; i <= 1000; ++i) {
    const std::int64_t id = store->add_request("leave", "{}", 0, kNow).value();
    if (i == 0) first = id;
  }
  CHECK(state_of(store, first) == "none");
  CHECK(state_of(store, first + 1) == "waiting: ");
}

TEST_CASE("requests of every state are listed newest first") {
  Store store;
  for (const char* kind : {"leave", "forget", "leave"})
    REQUIRE(store->add_request(kind, "{}", 0, kNow));
  REQUIRE(store->take_requests(kNow));
  REQUIRE(store->finish_request(2, "refused", "no such member"));
  const auto all = store->requests(10).value();
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == 3);
  CHECK(all[0].state == "running");
  CHECK(all[1].kind == "forget");
  CHECK(all[1].state == "refused");
  CHECK(all[1].result == "no such member");
  CHECK(store->requests(1).value().size() == 1);
}
