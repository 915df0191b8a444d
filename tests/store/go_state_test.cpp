// The state files of the Go program: read as both generations write them, and written for both.
#include "store/go_state.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/store/support/place.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

namespace {

const std::string kKey = "ILICZ3yBMCGAWNIq5Pn0bewBVimW3Q2yRVJ/Be+b1Uc=";

std::string vector_text(std::size_t number) {
  std::ifstream in(std::string(TEST_DATA) + "/vectors/state.json");
  return nlohmann::json::parse(in).at("vectors").at(number).at("expected_text");
}

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

GoState good(std::string_view text) {
  auto state = parse_go_state(text);
  INFO((state ? "" : state.error().detail));
  REQUIRE(state.has_value());
  return std::move(*state);
}

std::string bad(std::string_view text) {
  const auto state = parse_go_state(text);
  if (state) return "accepted";
  CHECK(state.error().code == Errc::malformed);
  return state.error().detail;
}

std::string key_of(const GoState& state) {
  return state.cluster_key ? state.cluster_key->reveal_base64() : "none";
}

std::string repeated(const std::string& what, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += what;
  return out;
}

}  // namespace

TEST_CASE("the files of both generations give key and nodes") {
  const auto number = GENERATE(0U, 1U);
  const GoState state = good(vector_text(number));
  CHECK(key_of(state) == kKey);
  CHECK(state.nodes == std::vector<GoNode>{{"n2", ip("192.168.77.2")}, {"n3", ip("192.168.77.3")}});
  CHECK(state.left_out == 0);
  CHECK(state.format == (number == 0 ? MetaFormat::f2 : MetaFormat::f3));
}

TEST_CASE("a file without nodes gives the key alone") {
  for (const std::string& text : {vector_text(2), "{\"Nodes\":[],\"ClusterKey\":\"" + kKey + "\"}",
                                  "{\"ClusterKey\":\"" + kKey + "\"}"}) {
    const GoState state = good(text);
    CHECK(key_of(state) == kKey);
    CHECK(state.nodes.empty());
    CHECK_FALSE(state.format);
  }
}

TEST_CASE("fields that are missing or unknown or of another kind don't matter") {
  const GoState state = good(
      R"({"More":{"Addr":"10.0.0.1","ClusterKey":"x"},"Nodes":[{"Addr":"192.0.2.1","Tags":["a",{}]},)"
      R"({"Name":"v6","Addr":"2001:db8::1","PubKey":null},{"Name":"none"},{"Addr":7},{"Addr":""},)"
      R"({"Addr":"0.0.0.0"},{"Addr":"224.0.0.1"},{"Addr":"255.255.255.255"},{"Addr":["192.0.2.9"]},)"
      R"("192.0.2.8",[{"Addr":"192.0.2.7"}],{"Addr":"::ffff:192.0.2.2"}],"Addr":"192.0.2.6"})");
  CHECK(key_of(state) == "none");
  CHECK(state.nodes == std::vector<GoNode>{{"", ip("192.0.2.1")},
                                           {"v6", ip("2001:db8::1")},
                                           {"", ip("192.0.2.2")}});
  CHECK(state.left_out == 7);
}

TEST_CASE("a key that is none counts as missing") {
  for (const char* key :
       {"", "AAAA", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    CHECK(key_of(good(std::string(R"({"ClusterKey":")") + key + "\"}")) == "none");
  CHECK(key_of(good(R"({"ClusterKey":null})")) == "none");
}

TEST_CASE("what is no whole JSON object is damaged and none of it is repeated") {
  CHECK(bad("") == "it is no JSON from byte 1 on");
  CHECK(bad("[]") == "it is no JSON object");
  CHECK(bad("\"" + kKey + "\"") == "it is no JSON object");
  CHECK(bad("7") == "it is no JSON object");
  CHECK(bad(vector_text(0) + "}").starts_with("it is no JSON from byte "));
  CHECK(bad("{\"ClusterKey\":\"\xff\"}").starts_with("it is no JSON from byte "));
  const std::string whole = vector_text(1);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string said = bad(whole.substr(0, size));
    INFO(said);
    REQUIRE(said.starts_with("it is no JSON"));
    REQUIRE(said.size() < 40);
  }
}

TEST_CASE("depth and size and number of nodes are bounded") {
  CHECK(bad(repeated("{\"a\":", 100000)) == "it is nested too deeply");
  CHECK(bad(R"({"a":)" + repeated("[", 100000)) == "it is nested too deeply");
  CHECK(bad(std::string(kGoStateMax + 1, ' ')) == "it is larger than 4 MiB");
  std::string nodes = R"({"Nodes":[{"Addr":"192.0.2.1"})";
  nodes += repeated(R"(,{"Addr":"192.0.2.1"})", kGoNodesMax + 5) + "]}";
  const GoState state = good(nodes);
  CHECK(state.nodes.size() == kGoNodesMax);
  CHECK(state.left_out == 6);
}

TEST_CASE("what is written for the Go program has what both generations read and no more") {
  const SecretKey key = SecretKey::parse(kKey).value();
  const std::string text =
      format_go_state(key, {{"n2", ip("192.168.77.2")}, {"a\"b\xff", ip("2001:db8::1")}});
  CHECK(text == "{\n  \"ClusterKey\": \"" + kKey +
                    "\",\n  \"Nodes\": [\n    {\n      \"Name\": \"n2\",\n      \"Addr\": "
                    "\"192.168.77.2\"\n    },\n    {\n      \"Name\": \"a\\\"b\xef\xbf\xbd\",\n"
                    "      \"Addr\": \"2001:db8::1\"\n    }\n  ]\n}\n");
  const GoState back = good(text);
  CHECK(key_of(back) == kKey);
  CHECK(back.nodes.size() == 2);
  CHECK(good(format_go_state(key, {})).nodes.empty());
}

TEST_CASE("the head's file goes before that of v0.2.6") {
  const Place place;
  const auto found = [&](const char* interface) -> std::string {
    const auto state = find_go_state({place.directory(), interface});
    if (!state) return state.error().detail;
    if (!*state) return "none";
    return (*state)->path.substr(place.directory().size() + 1) + " " +
           std::string(to_text(*(*state)->state.format));
  };
  CHECK(found("wgoverlay") == "none");
  spill(place("state.json"), vector_text(2));
  CHECK(found("wgoverlay") == "state.json F2");
  CHECK(found("wg9") == "state.json F2");
  spill(place("wgoverlay.json"), vector_text(2));
  CHECK(found("wgoverlay") == "wgoverlay.json F3");
  spill(place("wgoverlay.db"), "");
  CHECK(found("wg9") == "none");
  spill(place("wg9.json"), vector_text(0));
  CHECK(found("wg9") == "wg9.json F2");
}

TEST_CASE("a file that may not be what the Go program wrote is not used") {
  const Place place;
  const std::string path = place("wgoverlay.json");
  const auto said = [&] {
    const auto state = find_go_state(place.paths());
    REQUIRE_FALSE(state);
    CHECK(state.error().code == Errc::state_unusable);
    return state.error().detail;
  };
  spill(path, "{");
  CHECK(said() ==
        path + ", the state of the Go program, is not usable: it is no JSON from byte 2 on");
  spill(path, std::string(kGoStateMax + 1, ' '));
  CHECK(said() == path + ", the state of the Go program, is not usable: it is larger than 4 MiB");
  spill(path, vector_text(0));
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(find_go_state(place.paths()).has_value());
  REQUIRE(::chmod(path.c_str(), 0622) == 0);
  CHECK(said() == path + " is open to other users (mode 0622); repair it with: chmod 600 " + path);
  REQUIRE(::rename(path.c_str(), place("elsewhere").c_str()) == 0);
  REQUIRE(::symlink("elsewhere", path.c_str()) == 0);
  CHECK(said().find("symbolic link") != std::string::npos);
  REQUIRE(::unlink(path.c_str()) == 0);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(said() == path + " is not a regular file; move it away");
}
