// `wesher state export`, by the real program.
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "store/go_state.h"
#include "store/key_file.h"
#include "store/repository.h"
#include "tests/cli/support/fixture.h"
#include "tests/cli/support/program.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

using Words = std::vector<std::string>;

/// Keys and database of the small mesh; pi1 failed, web2 left.
std::string store_mesh(const TemporaryDirectory& state) {
  const store::Paths paths{state.path(), "wgoverlay"};
  const store::KeyFile keys = store::make_key_file(std::nullopt, kNow);
  REQUIRE(store::save_key_file(paths.key_file(), keys));
  auto opened = store::Database::open_for_daemon(paths.database(), keys.id);
  REQUIRE(opened);
  Snapshot snapshot = in_order();
  member_of(snapshot, "pi1").state = MemberState::failed;
  member_of(snapshot, "web2").state = MemberState::left;
  store::Batch batch;
  batch.self = snapshot.facts.self;
  batch.members = snapshot.facts.members;
  REQUIRE(store::Repository(opened->database).write(batch));
  return keys.ring.front().key.reveal_base64();
}

Ran export_go(const TemporaryDirectory& state, Words more = {}) {
  Words words{"state", "export", "--format", "go"};
  words.insert(words.end(), more.begin(), more.end());
  return run_wesher(words, {{"STATE_DIRECTORY", state.path()}});
}

std::string slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("an export has the key and all members that have not left", "[cli][export]") {
  const TemporaryDirectory state;
  const std::string key = store_mesh(state);
  const Ran ran = export_go(state);
  INFO(ran.error);
  REQUIRE(ran.exit_code == 0);
  const auto text = nlohmann::json::parse(ran.out);
  CHECK(text.at("ClusterKey") == key);
  Words names;
  for (const auto& node : text.at("Nodes")) {
    CHECK(node.size() == 2);
    CHECK(node.at("Addr").get<std::string>() != "");
    names.push_back(node.at("Name"));
  }
  CHECK(names == Words{"db2", "pi1", "web1"});
  CHECK(store::parse_go_state(ran.out)->nodes.size() == 3);
}

TEST_CASE("an export into a file is its owner's and never replaces another unasked",
          "[cli][export]") {
  const TemporaryDirectory state;
  const std::string key = store_mesh(state);
  const TemporaryDirectory place;
  const std::string path = place.path() + "/state.json";
  const Ran first = export_go(state, {"--output", path});
  INFO(first.error);
  CHECK(first.exit_code == 0);
  CHECK(first.out == path + ": the cluster key and 3 nodes, for the Go program\n");

  struct stat facts {};

  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777U) == 0600);
  const std::string written = slurp(path);
  CHECK(written.find(key) != std::string::npos);

  std::ofstream(path) << "precious";
  const Ran second = export_go(state, {"--output", path});
  CHECK(second.exit_code == 1);
  CHECK(second.error == "wesher: " + path + " exists already; replace it with --force\n");
  CHECK(slurp(path) == "precious");
  CHECK(export_go(state, {"--output", path, "--force"}).exit_code == 0);
  CHECK(slurp(path) == written);
}

TEST_CASE("without state there is nothing to export", "[cli][export]") {
  const TemporaryDirectory state;
  const Ran ran = export_go(state);
  CHECK(ran.exit_code == 1);
  CHECK(ran.error.starts_with("wesher: no wesher state for any interface in "));
}
