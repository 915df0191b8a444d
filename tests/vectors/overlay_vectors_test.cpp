// The overlay addresses recorded from the Go program's two generations, all exactly. A /0 is the
// one network there that we refuse; its recorded addresses must come out of the /8 around each of
// them.
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "mesh/overlay_address.h"
#include "mesh/overlay_candidates.h"

namespace wesher::mesh {

namespace {

struct Tally {
  std::size_t exact = 0;
  std::size_t refused = 0;
};

Tally check_all(const std::string& file_name) {
  std::ifstream file(std::string(TEST_DATA) + "/vectors/" + file_name);
  REQUIRE(file);
  Tally tally;
  const auto document = nlohmann::json::parse(file);
  for (const auto& vector : document.at("vectors")) {
    const std::string name = vector.at("hostname");
    const auto net = Prefix::parse(vector.at("net").get<std::string>());
    const auto expected = IpAddress::parse(vector.at("expected").get<std::string>());
    REQUIRE(net);
    REQUIRE(expected);
    INFO(name << " in " << net->text());
    if (net->length == 0) {
      CHECK_FALSE(overlay_address(name, *net));
      CHECK(overlay_address(name, Prefix{*expected, 8}).value() == *expected);
      ++tally.refused;
    } else {
      CHECK(overlay_address(name, *net).value() == *expected);
      const auto first = OverlayCandidates::of(name, *net).value().next().value();
      CHECK((first == *expected) == is_usable_address(*expected, *net));
      ++tally.exact;
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("Every overlay address recorded from wesher v0.2.6 comes out exactly") {
  const Tally tally = check_all("overlay-v0.2.6.json");
  CHECK(tally.exact == 176);
  CHECK(tally.refused == 44);
}

TEST_CASE("Every overlay address recorded from wesher HEAD comes out exactly") {
  const Tally tally = check_all("overlay-head.json");
  CHECK(tally.exact == 198);
  CHECK(tally.refused == 44);
}

}  // namespace wesher::mesh
