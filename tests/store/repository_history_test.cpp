// Questions about history and drift: of one member, since a moment, the newest.
#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include "base/text.h"
#include "tests/store/support/rows.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

namespace {

using Strings = std::vector<std::string>;

/// One entry per object, a second apart, the first at 1 s.
void add_history(Store& store, const Strings& objects) {
  Batch batch;
  std::int64_t at = 0;
  for (const std::string& object : objects)
    batch.history.push_back({0, wall_from_ms(at += 1000), object, "what", "why"});
  REQUIRE(store->write(batch));
}

Strings objects_of(Store& store, const HistoryQuery& query) {
  Strings objects;
  const auto entries = store->history(query).value();
  for (const HistoryEntry& entry : entries)
    objects.push_back(entry.object);
  return objects;
}

void add_drift(Store& store, const std::string& values) {
  store.sqlite().exec(
      "INSERT INTO drift (object, what, reason, count, at_ms, repaired_ms, fighting) VALUES " +
      values);
}

}  // namespace

TEST_CASE("history since a moment has the entries of that moment and later") {
  Store store;
  add_history(store, {"daemon", "link", "hosts"});
  CHECK(objects_of(store, {}) == Strings{"hosts", "link", "daemon"});
  CHECK(objects_of(store, {.since = wall_from_ms(2000)}) == Strings{"hosts", "link"});
  CHECK(objects_of(store, {.since = wall_from_ms(2001)}) == Strings{"hosts"});
  CHECK(objects_of(store, {.since = wall_from_ms(3001)}).empty());
  CHECK(objects_of(store, {.newest_max = 1, .since = wall_from_ms(1)}) == Strings{"hosts"});
  CHECK(objects_of(store, {.newest_max = 0}).empty());
}

TEST_CASE("history of a node is that of the member and of its peer and of nobody else") {
  Store store;
  add_history(store, {"member web1", "peer web1", "member web10", "peer web", "link web1", "web1",
                      "peer web1 x", "member web%", "peer WEB1", "member web1"});
  CHECK(objects_of(store, {.node = "web1"}) == Strings{"member web1", "peer web1", "member web1"});
  CHECK(objects_of(store, {.newest_max = 2, .node = "web1"}) ==
        Strings{"member web1", "peer web1"});
  CHECK(objects_of(store, {.since = wall_from_ms(3000), .node = "web1"}) == Strings{"member web1"});
  CHECK(objects_of(store, {.node = "web%"}) == Strings{"member web%"});
  CHECK(objects_of(store, {.node = "web2"}).empty());
}

TEST_CASE("history finds a node by a name that is not printable or longer than is shown") {
  Store store;
  const std::string odd = "a\x1b'b";
  const std::string cut(kShownTextMax + 10, 'n');
  const std::string shown = printable(cut);
  add_history(store, {"member " + odd, "peer " + printable(odd), "member " + cut, "member " + shown,
                      "peer " + shown + " KEY=", "peer " + shown + "KEY"});
  CHECK(objects_of(store, {.node = odd}) == Strings{"peer " + printable(odd), "member " + odd});
  CHECK(objects_of(store, {.node = cut}) ==
        Strings{"peer " + shown + " KEY=", "member " + shown, "member " + cut});
}

TEST_CASE("drift comes with the one found last first") {
  Store store;
  CHECK(store->drift().value().empty());
  add_drift(store,
            "('link', '~ link  down -> up', 'someone else set it down', 3, 5000, 200, 0),"
            "('hosts', '+ hosts db2', 'missing in the file', 1, 9000, NULL, 1)");
  const auto rows = store->drift().value();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].object == "hosts");
  CHECK(rows[0].repaired == std::nullopt);
  CHECK(rows[0].fighting);
  CHECK(rows[1].object == "link");
  CHECK(rows[1].what == "~ link  down -> up");
  CHECK(rows[1].reason == "someone else set it down");
  CHECK(rows[1].count == 3);
  CHECK(rows[1].at == wall_from_ms(5000));
  CHECK(rows[1].repaired == std::chrono::milliseconds(200));
  CHECK_FALSE(rows[1].fighting);
}
