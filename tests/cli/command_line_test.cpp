#include "cli/command_line.h"

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::cli;

namespace {

std::string error_of(const std::vector<std::string>& arguments) {
  const auto parsed = parse_command_line(arguments);
  if (parsed) return "parsed";
  CHECK(parsed.error().code == Errc::malformed);
  return parsed.error().detail;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("no command or a flag first is the daemon with all flags", "[cli][command line]") {
  CHECK(parse_command_line({})->command == Command::agent);
  const auto flags = parse_command_line({"--join", "status", "--init"});
  CHECK(flags->command == Command::agent);
  CHECK(flags->agent_arguments == Strings{"--join", "status", "--init"});
  const auto named = parse_command_line({"agent", "--join", "status"});
  CHECK(named->command == Command::agent);
  CHECK(named->agent_arguments == Strings{"--join", "status"});
}

TEST_CASE("commands take their flags in any order", "[cli][command line]") {
  const auto status = parse_command_line({"status", "--json", "--interface", "wg9", "--check"});
  REQUIRE(status.has_value());
  CHECK(status->command == Command::status);
  CHECK(status->json);
  CHECK(status->check);
  CHECK(status->interface == "wg9");
  CHECK(parse_command_line({"members"})->command == Command::members);
  CHECK(parse_command_line({"peers", "--json"})->command == Command::members);
  CHECK(parse_command_line({"plan", "--detailed-exitcode"})->detailed_exitcode);
  CHECK(parse_command_line({"leave", "--interface=wg9"})->interface == "wg9");
  CHECK(parse_command_line({"key", "show"})->command == Command::key_show);
  CHECK(parse_command_line({"state", "dump", "--json"})->json);
  CHECK(parse_command_line({"version", "--json"})->json);
}

TEST_CASE("doctor hands the options of the daemon on", "[cli][command line]") {
  const auto doctor = parse_command_line({"doctor", "--json", "--overlay-net", "10.9.0.0/16"});
  REQUIRE(doctor.has_value());
  CHECK(doctor->command == Command::doctor);
  CHECK(doctor->json);
  CHECK(doctor->agent_arguments == Strings{"--overlay-net", "10.9.0.0/16"});
  CHECK_FALSE(parse_command_line({"doctor"})->json);
  CHECK(parse_command_line({"doctor", "--help"})->help_about == Command::doctor);
  CHECK(help_text(Command::doctor, "OPTIONS\n").ends_with("\nOPTIONS\n"));
}

TEST_CASE("ip takes a family and one node in either order", "[cli][command line]") {
  const auto before = parse_command_line({"ip", "-4", "web1"});
  REQUIRE(before.has_value());
  CHECK(before->family == Family::v4);
  CHECK(before->node == "web1");
  const auto behind = parse_command_line({"ip", "web1", "-6"});
  REQUIRE(behind.has_value());
  CHECK(behind->family == Family::v6);
  CHECK(behind->node == "web1");
  CHECK(parse_command_line({"ip"})->node.empty());
  CHECK(error_of({"ip", "-4", "-6"}) == "-4 and -6 exclude each other; see 'wesher ip --help'");
  CHECK(error_of({"ip", "a", "b"}) == "unexpected argument 'b'; see 'wesher ip --help'");
}

TEST_CASE("history takes an age or a time and a member and a limit", "[cli][command line]") {
  const auto history = parse_command_line(
      {"history", "--since", "2h", "--node=web1", "--limit", "7", "--json", "--interface", "wg9"});
  REQUIRE(history.has_value());
  CHECK(history->command == Command::history);
  CHECK(history->since == Since{Duration{std::chrono::hours{2}}});
  CHECK(history->node == "web1");
  CHECK(history->limit == 7);
  CHECK(history->json);
  CHECK(history->interface == "wg9");
  CHECK(parse_command_line({"history", "--since", "1970-01-01T00:00:01Z"})->since ==
        Since{wall_from_ms(1000)});
  CHECK_FALSE(parse_command_line({"history"})->since.has_value());
  CHECK(error_of({"history", "--since", "2x"}) ==
        "--since 2x is neither an age (45s, 15m, 2h, 3d) nor a time such as 2026-05-04T03:02:01Z; "
        "see 'wesher history --help'");
  CHECK(error_of({"history", "--since"}) ==
        "--since needs an age or a time; see 'wesher history --help'");
  CHECK(error_of({"history", "--node", "--json"}) ==
        "--node needs the name of a member; see 'wesher history --help'");
  for (const char* bad : {"0", "10001", "x", "7x", "1e3"}) {
    CHECK(error_of({"history", "--limit", bad}) ==
          std::string("--limit ") + bad +
              " is no number from 1 to 10000; see 'wesher history --help'");
  }
  CHECK(error_of({"history", "web1"}) == "unexpected argument 'web1'; see 'wesher history --help'");
  CHECK(error_of({"status", "--since", "2h"}) ==
        "unknown option --since; see 'wesher status --help'");
}

TEST_CASE("explain takes exactly one node", "[cli][command line]") {
  const auto explain = parse_command_line({"explain", "10.42.0.0/16", "--json"});
  REQUIRE(explain.has_value());
  CHECK(explain->command == Command::explain);
  CHECK(explain->node == "10.42.0.0/16");
  CHECK(explain->json);
  CHECK(error_of({"explain"}) ==
        "explain needs the name or an address of a member; see 'wesher explain --help'");
  CHECK(error_of({"explain", "a", "b"}) == "unexpected argument 'b'; see 'wesher explain --help'");
}

TEST_CASE("forget takes a member or an age and never both", "[cli][command line]") {
  const auto forget = parse_command_line({"forget", "db1"});
  REQUIRE(forget.has_value());
  CHECK(forget->command == Command::forget);
  CHECK(forget->node == "db1");
  CHECK_FALSE(forget->failed_older.has_value());
  CHECK(parse_command_line({"forget", "--failed-older", "1h"})->failed_older ==
        std::chrono::hours{1});
  const std::string which =
      "forget needs either the name of a member or --failed-older AGE; see 'wesher forget --help'";
  CHECK(error_of({"forget"}) == which);
  CHECK(error_of({"forget", "db1", "--failed-older=1h"}) == which);
  CHECK(error_of({"forget", "a", "b"}) == "unexpected argument 'b'; see 'wesher forget --help'");
  CHECK(error_of({"forget", "--failed-older", "1w"}) ==
        "--failed-older 1w is no span of time: 45s, 15m, 2h or 3d; see 'wesher forget --help'");
  CHECK(error_of({"forget", "--failed-older"}) ==
        "--failed-older needs an age; see 'wesher forget --help'");
}

TEST_CASE("wait takes what to wait for and for how long", "[cli][command line]") {
  const auto wait =
      parse_command_line({"wait", "--peers", "3", "--node", "web1", "--timeout", "5m"});
  REQUIRE(wait.has_value());
  CHECK(wait->command == Command::wait);
  CHECK(wait->peers == 3);
  CHECK(wait->node == "web1");
  CHECK(wait->timeout == std::chrono::minutes{5});
  CHECK(parse_command_line({"wait"})->timeout == std::chrono::seconds{60});
  CHECK(parse_command_line({"wait"})->peers == 0);
  CHECK(error_of({"wait", "--timeout", "60"}) ==
        "--timeout 60 is no span of time: 45s, 15m, 2h or 3d; see 'wesher wait --help'");
  CHECK(error_of({"wait", "--peers", "many"}) ==
        "--peers many is no number from 0 to 16384; see 'wesher wait --help'");
  CHECK(error_of({"wait", "--timeout"}) ==
        "--timeout needs a span of time; see 'wesher wait --help'");
  CHECK(error_of({"wait", "--json"}) == "unknown option --json; see 'wesher wait --help'");
}

TEST_CASE("state export takes a format and a file", "[cli][command line]") {
  const auto out = parse_command_line(
      {"state", "export", "--format", "go", "--output=/tmp/x", "--force", "--interface", "wg9"});
  REQUIRE(out.has_value());
  CHECK(out->command == Command::state_export);
  CHECK(out->format == "go");
  CHECK(out->output == "/tmp/x");
  CHECK(out->force);
  CHECK(out->interface == "wg9");
  CHECK_FALSE(parse_command_line({"state", "export", "--format=go"})->force);
  CHECK(error_of({"state", "export"}) ==
        "state export needs --format go; see 'wesher state export --help'");
  CHECK(error_of({"state", "export", "--format", "yaml"}) ==
        "--format yaml must be go; see 'wesher state export --help'");
  CHECK(error_of({"state", "export", "--format"}) ==
        "--format needs go; see 'wesher state export --help'");
  CHECK(error_of({"state", "export", "--format=go", "--output", "--force"}) ==
        "--output needs the name of a file; see 'wesher state export --help'");
  CHECK(error_of({"state", "export", "--json"}) ==
        "unknown option --json; see 'wesher state export --help'");
}

TEST_CASE("help and version win wherever they stand", "[cli][command line]") {
  CHECK(parse_command_line({"--version"})->command == Command::version);
  CHECK(parse_command_line({"--init", "--help"})->command == Command::help);
  CHECK_FALSE(parse_command_line({"-h"})->help_about.has_value());
  CHECK(parse_command_line({"plan", "--bogus", "--help"})->help_about == Command::plan);
  CHECK(parse_command_line({"agent", "-h"})->help_about == Command::agent);
  CHECK(parse_command_line({"help", "state", "dump"})->help_about == Command::state_dump);
  CHECK(parse_command_line({"help"})->command == Command::help);
}

TEST_CASE("a usage error is one sentence that names the argument", "[cli][command line]") {
  CHECK(error_of({"foo"}) == "unknown command 'foo'; see 'wesher --help'");
  CHECK(error_of({"f\x1bo"}) == "unknown command 'f\\x1bo'; see 'wesher --help'");
  CHECK(error_of({"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U="}) ==
        "a key is no command; see 'wesher --help'");
  CHECK(error_of({"key"}) == "'wesher key' needs a second word: 'wesher key show'");
  CHECK(error_of({"state", "--json"}) ==
        "'wesher state' needs a second word: 'wesher state dump' or 'wesher state export'");
  CHECK(error_of({"key", "rotate"}) == "unknown command 'key rotate'; see 'wesher --help'");
  CHECK(error_of({"help", "foo"}) == "unknown command 'foo'; see 'wesher --help'");
  CHECK(error_of({"status", "--bogus"}) == "unknown option --bogus; see 'wesher status --help'");
  CHECK(error_of({"status", "-x"}) == "unknown option -x; see 'wesher status --help'");
  CHECK(error_of({"leave", "--json"}) == "unknown option --json; see 'wesher leave --help'");
  CHECK(error_of({"members", "--check"}) == "unknown option --check; see 'wesher members --help'");
  CHECK(error_of({"status", "web1"}) == "unexpected argument 'web1'; see 'wesher status --help'");
  CHECK(error_of({"plan", "--interface"}) ==
        "--interface needs the name of an interface; see 'wesher plan --help'");
  CHECK(error_of({"plan", "--interface", "--json"}) ==
        "--interface needs the name of an interface; see 'wesher plan --help'");
  CHECK(error_of({"status", "--json=perhaps"}) != "parsed");
}

TEST_CASE("a detailed exit code of plan turns usage errors into failures", "[cli][command line]") {
  CHECK(usage_errors_are_failures({"plan", "--bogus", "--detailed-exitcode"}));
  CHECK_FALSE(usage_errors_are_failures({"plan", "--bogus"}));
  CHECK_FALSE(usage_errors_are_failures({"status", "--detailed-exitcode"}));
}

TEST_CASE("help names every command and every command has help", "[cli][command line]") {
  const std::string overview = help_text(std::nullopt, "  --agent-options\n");
  for (const auto* name :
       {"agent", "status", "members", "ip", "plan", "explain", "history", "wait", "leave", "forget",
        "key show", "state dump", "state export", "version", "help"}) {
    CAPTURE(name);
    CHECK(overview.find(std::string("\n  ") + name + " ") != std::string::npos);
  }
  CHECK(overview.ends_with("  --agent-options\n"));
  const std::string plan = help_text(Command::plan, "");
  CHECK(
      plan.starts_with("Usage: wesher plan [--interface IFACE] [--json] [--detailed-exitcode]\n"));
  CHECK(help_text(Command::agent, "  --agent-options\n").ends_with("  --agent-options\n"));
}
