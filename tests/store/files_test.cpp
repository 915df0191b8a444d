// A file that is no state: written in one step, nothing beside it touched.
#include "store/files.h"

#include <catch2/catch.hpp>

#include "tests/store/support/place.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

TEST_CASE("a new file is its owner's alone and an old one is only replaced on demand") {
  const Place place;
  const std::string path = place("out.json");
  spill(place("out.json.tmp-of-somebody"), "theirs");
  REQUIRE(write_durably(path, as_bytes("one"), Existing::keep));
  CHECK(slurp(path) == "one");
  CHECK(mode_of(path) == 0600);
  const auto again = write_durably(path, as_bytes("two"), Existing::keep);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::exists);
  CHECK(slurp(path) == "one");
  REQUIRE(write_durably(path, as_bytes("two"), Existing::replace));
  CHECK(slurp(path) == "two");
  CHECK(place.files() == std::vector<std::string>{"out.json", "out.json.tmp-of-somebody"});
  const auto nowhere = write_durably(place("none/out.json"), as_bytes("x"), Existing::keep);
  CHECK_FALSE(nowhere);
}
