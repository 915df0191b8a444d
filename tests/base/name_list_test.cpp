#include "base/name_list.h"

#include <catch2/catch.hpp>

using wesher::name_list;

TEST_CASE("a list of names is cut with a count") {
  CHECK(name_list({}).empty());
  CHECK(name_list({"a", "b", "c"}) == "a, b, c");
  CHECK(name_list({"a", "b", "c", "d", "e"}) == "a, b, c and 2 more");
  CHECK(name_list({"a", "b"}, 1) == "a and 1 more");
}
