// The real program: messages and exit codes of what needs neither root nor network.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "store/key_file.h"
#include "store/repository.h"
#include "tests/cli/support/fixture.h"
#include "tests/cli/support/program.h"

using namespace wesher;
using namespace wesher::cli;
using namespace wesher::cli::testing;

namespace {

using Words = std::vector<std::string>;

Ran run_in(const TemporaryDirectory& state, const Words& words) {
  return run_wesher(words, {{"STATE_DIRECTORY", state.path()}});
}

bool is_one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

/// A database of the small mesh, as its daemon left it.
void store_state(const TemporaryDirectory& state, const std::string& interface) {
  const Facts facts = in_order().facts;
  auto opened = store::Database::open_for_daemon(state.path() + "/" + interface + ".db",
                                                 std::string(32, 'a'));
  INFO((opened ? std::string() : opened.error().detail));
  REQUIRE(opened.has_value());
  store::Repository repository(opened->database);
  store::Batch batch;
  batch.self = facts.self;
  batch.members = facts.members;
  batch.history.assign(facts.history.rbegin(), facts.history.rend());  // as it happened
  REQUIRE(repository.write(batch).has_value());
  REQUIRE(repository.put_desired(*facts.desired).has_value());
}

}  // namespace

TEST_CASE("bad input ends in one line on stderr and the exit code of a usage error",
          "[cli][binary]") {
  const auto [words, expected] = GENERATE(table<Words, std::string>({
      {{"foo"}, "wesher: unknown command 'foo'; see 'wesher --help'\n"},
      {{"status", "--bogus"}, "wesher: unknown option --bogus; see 'wesher status --help'\n"},
      {{"ip", "-4", "-6"}, "wesher: -4 and -6 exclude each other; see 'wesher ip --help'\n"},
      {{"history", "--since", "soon"},
       "--since soon is neither an age (45s, 15m, 2h, 3d) nor a "
       "time such as 2026-05-04T03:02:01Z"},
      {{"wait", "--timeout", "5"}, "--timeout 5 is no span of time"},
      {{"explain"}, "explain needs the name or an address of a member"},
      {{"--bogus"}, "--bogus"},
      {{"agent", "--bogus"}, "--bogus"},
      {{"--cluster-key", "not!base64"}, "--cluster-key is not base64"},
      {{"--cluster-key", "c2hvcnQ="}, "--cluster-key"},
      {{"--cluster-key-file", "/nonexistent/key"}, "/nonexistent/key cannot be read"},
      {{"--overlay-net", "10.0.0.0"}, "--overlay-net 10.0.0.0 has no /LENGTH"},
      {{"--overlay-net", "ten/8"}, "--overlay-net"},
      {{"--overlay-net", "10.0.0.0/33"}, "--overlay-net"},
      {{"--bind-addr", "192.0.2.1", "--bind-iface", "eth0"}, "exclude each other"},
      {{"--bind-addr", "here"}, "--bind-addr here is not an IP address"},
      {{"--bind-addr", "127.0.0.1"}, "loopback"},
      {{"--advertise-addr", "224.0.0.1"}, "--advertise-addr"},
      {{"--log-level", "loud"}, "--log-level loud"},
      {{"--cluster-port", "70000"}, "--cluster-port 70000 is out of range"},
      {{"--wireguard-port", "0"}, "--wireguard-port 0 is out of range"},
      {{"--cluster-port", "51820"}, "--cluster-port and --wireguard-port are both 51820"},
      {{"--interface", "a-name-that-is-too-long"}, "--interface"},
      {{"--interface", "a/b"}, "--interface"},
      {{"--node-name", "no_hostname"}, "--node-name"},
      {{"--mtu", "12"}, "--mtu 12 is out of range"},
      {{"--backend", "magic"}, "--backend magic"},
      {{"--on-stop", "explode"}, "--on-stop explode"},
      {{"--init=perhaps"}, "--init perhaps"},
      {{"--join"}, "--join needs a value"},
      {{"doctor", "--bogus"}, "--bogus"},
      {{"doctor", "--mtu", "12"}, "--mtu 12 is out of range"},
      {{"--join", "host:notaport"}, "--join"},
  }));
  TemporaryDirectory state;
  const Ran ran = run_in(state, words);
  CAPTURE(words, ran.error);
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.error.starts_with("wesher: "));
  CHECK(is_one_line(ran.error));
  CHECK(ran.error.find(expected) != std::string::npos);
}

TEST_CASE("a bad variable is named in the message", "[cli][binary]") {
  TemporaryDirectory state;
  const Ran ran =
      run_wesher({}, {{"STATE_DIRECTORY", state.path()}, {"WESHER_OVERLAY_NET", "nonsense"}});
  CHECK(ran.exit_code == 2);
  CHECK(ran.error.find("WESHER_OVERLAY_NET nonsense") != std::string::npos);
}

TEST_CASE("a key in a variable is checked although it is taken out of the environment",
          "[cli][binary]") {
  TemporaryDirectory state;
  const Ran ran =
      run_wesher({}, {{"STATE_DIRECTORY", state.path()}, {"WESHER_CLUSTER_KEY", "c2hvcnQ="}});
  CHECK(ran.exit_code == 2);
  CHECK(ran.error.find("WESHER_CLUSTER_KEY") != std::string::npos);
  CHECK(ran.error.find("c2hvcnQ=") == std::string::npos);
}

TEST_CASE("a usage error of plan with detailed exit code is a failure", "[cli][binary]") {
  TemporaryDirectory state;
  CHECK(run_in(state, {"plan", "--detailed-exitcode", "--bogus"}).exit_code == 1);
  CHECK(run_in(state, {"plan", "--bogus"}).exit_code == 2);
}

TEST_CASE("commands without any state say how to start", "[cli][binary]") {
  const std::string command = GENERATE(as<std::string>{}, "status", "members", "ip", "plan",
                                       "explain db1", "history", "leave");
  TemporaryDirectory state;
  Words words = {command.substr(0, command.find(' '))};
  if (words.front() != command) words.push_back(command.substr(command.find(' ') + 1));
  const Ran ran = run_in(state, words);
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.error == "wesher: no wesher state for any interface in " + state.path() +
                         "; start it with: sudo wesher\n");
}

TEST_CASE("version and help go to stdout and end well", "[cli][binary]") {
  TemporaryDirectory state;
  CHECK(run_in(state, {"--version"}).out == "wesher 2.0.0\n");
  CHECK(run_in(state, {"version"}).out == "wesher 2.0.0\n");
  CHECK(nlohmann::json::parse(run_in(state, {"version", "--json"}).out).at("schema") ==
        "wesher.version/1");
  const Ran help = run_in(state, {"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.error.empty());
  CHECK(help.out.find("--overlay-net") != std::string::npos);
  CHECK(help.out == run_in(state, {"help"}).out);
  CHECK(run_in(state, {"status", "--help"}).out.starts_with("Usage: wesher status"));
}

TEST_CASE("members and ip work on a database without a daemon", "[cli][binary]") {
  TemporaryDirectory state;
  store_state(state, "wgoverlay");
  CHECK(run_in(state, {"ip"}).out == "10.42.215.254\n");
  CHECK(run_in(state, {"ip", "web1"}).out == "10.42.149.56\n");
  const Ran unknown = run_in(state, {"ip", "web9"});
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.out.empty());
  CHECK(unknown.error == "wesher: no member is named 'web9'; see 'wesher members'\n");
  const Ran members = run_in(state, {"peers", "--json"});
  CHECK(members.exit_code == 0);
  CHECK(nlohmann::json::parse(members.out).at("members").size() == 5);
  CHECK(run_in(state, {"state", "dump"}).out.starts_with("state of wgoverlay at "));
}

TEST_CASE("history of a database without a daemon", "[cli][binary]") {
  TemporaryDirectory state;
  store_state(state, "wgoverlay");
  const Ran all = run_in(state, {"history"});
  CHECK(all.exit_code == 0);
  CHECK(all.error.empty());
  CHECK(all.out.find("daemon     started") != std::string::npos);
  CHECK(all.out.find("peer web1  + peer web1") < all.out.find("daemon "));
  CHECK(run_in(state, {"history", "--limit", "1"}).out.find("started") == std::string::npos);
  CHECK(run_in(state, {"history", "--limit", "1"})
            .out.ends_with("older entries: --limit N shows more\n"));
  const auto entries = [&](const Words& words) {
    const Ran ran = run_in(state, words);
    CHECK(ran.exit_code == 0);
    return nlohmann::json::parse(ran.out).at("entries").size();
  };
  CHECK(entries({"history", "--json"}) == 2);
  CHECK(entries({"history", "--json", "--node", "web1"}) == 1);
  CHECK(entries({"history", "--json", "--node", "db1"}) == 1);
  CHECK(entries({"history", "--json", "--since", "2026-05-04T00:00:00Z"}) == 1);
  CHECK(entries({"history", "--json", "--since", "2026-05-04T00:02:01.001Z"}) == 0);
  CHECK(run_in(state, {"history", "--node", "pi1"}).out ==
        "nothing happened to pi1 that history still has\n");
  const Ran unknown = run_in(state, {"history", "--node", "web9"});
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.out.empty());
  CHECK(unknown.error ==
        "wesher: no member is named 'web9'; did you mean web1 or web2? 'wesher members' lists "
        "all\n");
}

TEST_CASE("wait says what is missing when its time is over", "[cli][binary]") {
  TemporaryDirectory state;
  const Ran none = run_in(state, {"wait", "--timeout", "0s"});
  CHECK(none.exit_code == 1);
  CHECK(none.out.empty());
  CHECK(none.error == "wesher: not ready after 0s: no wesher state for any interface in " +
                          state.path() + "; start it with: sudo wesher\n");
  store_state(state, "wg0");
  CHECK(run_in(state, {"wait", "--timeout", "1s"}).error ==
        "wesher: not ready after 1s: the daemon is not running\n");
  store_state(state, "wg1");
  const Ran unclear = run_in(state, {"wait"});
  CHECK(unclear.exit_code == 2);
}

TEST_CASE("several databases need a choice by flag or variable", "[cli][binary]") {
  TemporaryDirectory state;
  store_state(state, "wg0");
  store_state(state, "wg1");
  const Ran unclear = run_in(state, {"ip"});
  CHECK(unclear.exit_code == 2);
  CHECK(unclear.error ==
        "wesher: several interfaces have wesher state: wg0, wg1; choose one with --interface\n");
  CHECK(run_in(state, {"ip", "--interface", "wg1"}).exit_code == 0);
  CHECK(run_wesher({"ip"}, {{"STATE_DIRECTORY", state.path()}, {"WESHER_INTERFACE", "wg0"}})
            .exit_code == 0);
}

TEST_CASE("key show prints the key that encrypts and nothing else", "[cli][binary]") {
  TemporaryDirectory state;
  store::KeyFile keys = store::make_key_file(std::nullopt, kNow);
  keys.node_name = "db1";
  REQUIRE(store::save_key_file(state.path() + "/wg0.keys", keys).has_value());
  const Ran ran = run_in(state, {"key", "show", "--interface", "wg0"});
  CHECK(ran.exit_code == 0);
  CHECK(ran.error.empty());
  CHECK(ran.out == keys.ring.front().key.reveal_base64() + "\n");
}

TEST_CASE("a full disk under the output is an error", "[cli][binary]") {
  TemporaryDirectory state;
  const Ran ran = run_wesher({"version"}, {{"STATE_DIRECTORY", state.path()}}, "/dev/full");
  CHECK(ran.exit_code == 1);
  CHECK(ran.error == "wesher: cannot write the output: No space left on device\n");
}

TEST_CASE("the doctor leaves no trace and needs no state", "[cli][binary][doctor]") {
  TemporaryDirectory state;
  const std::string interface = "wsh-doc-none";
  const Ran text = run_in(state, {"doctor", "--interface", interface});
  CAPTURE(text.out, text.error);
  CHECK(text.error.empty());
  CHECK((text.exit_code == 0 || text.exit_code == 1));  // as this machine is
  CHECK(text.out.find("  interface        " + interface + " is free\n") != std::string::npos);
  CHECK(text.out.find("  state            none for " + interface) != std::string::npos);
  const Ran json = run_in(state, {"doctor", "--json", "--interface", interface});
  const auto report = nlohmann::json::parse(json.out);
  CHECK(report.at("schema") == "wesher.doctor/1");
  CHECK(report.at("ok") == (json.exit_code == 0));
  CHECK(report.at("checks").size() == 12);
  CHECK(std::filesystem::is_empty(state.path()));
}

TEST_CASE("the doctor finds damaged keys and options that a start would refuse",
          "[cli][binary][doctor]") {
  TemporaryDirectory state;
  const auto check = [&](const Ran& ran, const std::string& name) {
    const auto report = nlohmann::json::parse(ran.out);
    for (const auto& each : report.at("checks")) {
      if (each.at("check") == name) return each;
    }
    return nlohmann::json();
  };
  const Ran join = run_in(state, {"doctor", "--json", "--interface", "wg9", "--join", "192.0.2.1"});
  CHECK(join.exit_code == 1);
  CHECK(check(join, "state").at("text").get<std::string>().starts_with("--join needs the key"));
  std::ofstream(state.path() + "/wg9.keys") << "wesher keys 2\nrubbish\n";
  std::filesystem::permissions(state.path() + "/wg9.keys", std::filesystem::perms{0600});
  const Ran damaged = run_in(state, {"doctor", "--json", "--interface", "wg9"});
  CHECK(damaged.exit_code == 1);
  CHECK(check(damaged, "state").at("verdict") == "fail");
  CHECK(check(damaged, "state").at("text").get<std::string>().find("damaged") != std::string::npos);
  CHECK(damaged.out.find("rubbish") == std::string::npos);
}

TEST_CASE("a cluster key given to the doctor is never shown", "[cli][binary][doctor]") {
  TemporaryDirectory state;
  const std::string key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  const Ran ran = run_in(state, {"doctor", "--interface", "wg9", "--cluster-key", key});
  CHECK(ran.out.find(key) == std::string::npos);
  CHECK(ran.out.find("  state            none for wg9") != std::string::npos);
}
