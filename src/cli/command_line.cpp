// One table of commands; cxxopts reads the few flags behind a command's name.
#include "cli/command_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <cxxopts.hpp>
#include <fmt/format.h>

#include "base/key.h"
#include "base/text.h"
#include "store/repository.h"
#include "wire/limits.h"

namespace wesher::cli {

namespace {

struct Spec {
  Command command;
  std::string_view name;   ///< one or two words
  std::string_view flags;  ///< as usage shows them, without those that all have
  std::string_view summary;
  std::string_view details;  ///< more lines for the command's own help; may be empty
  bool json;
};

constexpr std::array kCommands = {
    Spec{Command::agent, "agent", "[OPTIONS]", "run the daemon; the same as 'wesher [OPTIONS]'", "",
         false},
    Spec{Command::status, "status", "[--check]",
         "show daemon, layers and members, and what is wrong",
         "Compares what the database wants with what the kernel and the hosts file have.\n"
         "  --check             exit 1 if any layer is not ok\n",
         true},
    Spec{Command::members, "members", "", "list all members with state, standing and reason",
         "'wesher peers' is the same.\n", true},
    Spec{Command::ip, "ip", "[-4|-6] [NODE]", "print the overlay address of this host or of NODE",
         "  -4, -6              only an address of this family\n", true},
    Spec{Command::plan, "plan", "[--detailed-exitcode]",
         "show what the daemon would change, and why; changes nothing",
         "  --detailed-exitcode exit 0: nothing to do, 2: changes, 1: errors of usage as well\n",
         true},
    Spec{Command::explain, "explain", "NODE|ADDRESS|PREFIX",
         "follow one member through all layers, and say why it is as it is",
         "Gossip, database, device, route, hosts file and history of the member of that name, or "
         "of\n"
         "those with an address in a prefix such as 10.42.0.0/16. The daemon need not run.\n",
         true},
    Spec{Command::history, "history", "[--since AGE|TIME] [--node NAME] [--limit N]",
         "what happened, newest first: members, repairs, starts and stops",
         "  --since AGE|TIME    not older than 45s, 15m, 2h, 3d, or 2026-05-04T03:02:01Z\n"
         "  --node NAME         only of this member and its peer; of this host: daemon and link\n"
         "  --limit N           at most N entries; 50 without --since\n",
         true},
    Spec{Command::wait, "wait", "[--peers N] [--node NAME] [--timeout SPAN]",
         "wait until the interface is ready, for scripts and unit files",
         "Ready: the daemon runs, the interface has its address, and all that is wanted is "
         "applied.\n"
         "Exit 1 and a sentence that says what is missing when the time is over.\n"
         "  --peers N           and N members are alive at least, this host not counted\n"
         "  --node NAME         and this member is alive and a peer\n"
         "  --timeout SPAN      45s, 15m, 2h; 60s if not given\n",
         false},
    Spec{Command::doctor, "doctor", "[OPTIONS]",
         "check what a start of the daemon needs on this host; changes nothing",
         "WireGuard, rights, ports, interface, state, also that of the Go program, name, address,\n"
         "routes, hosts file, clock. Takes the options of the daemon and looks at a start with\n"
         "them. Exit 0 if nothing fails.\n",
         true},
    Spec{Command::leave, "leave", "",
         "leave the mesh: tell the members, remove everything, give the address back",
         "Ends the daemon. The next start of wesher joins again. Without a running daemon the\n"
         "interface, routes and hosts lines are removed, but nobody can be told.\n",
         false},
    Spec{Command::forget, "forget", "NAME | --failed-older AGE",
         "drop members that are gone: their names and addresses are free at once",
         "Only members that failed or left are forgotten, never one that is alive. All hosts are\n"
         "told; on each that still has it alive it stays. A member that comes back is a member\n"
         "again.\n"
         "  --failed-older AGE  all that failed longer ago than 45s, 15m, 2h, 3d\n",
         false},
    Spec{Command::key_show, "key show", "", "print the cluster key", "", false},
    Spec{Command::state_dump, "state dump", "", "print the whole database; no secret is in it", "",
         true},
    Spec{Command::state_export, "state export", "--format go [--output FILE [--force]]",
         "write a state file for the Go program; it holds the cluster key",
         "JSON with the cluster key and the members, from which every version of the Go program\n"
         "starts: put it at /var/lib/wesher/IFACE.json, for v0.2.6 at /var/lib/wesher/state.json.\n"
         "Whoever can read it can join the cluster. The daemon may run meanwhile.\n"
         "  --format go         the only one\n"
         "  --output FILE       into a new file that only its owner can read, not to stdout\n"
         "  --force             replace FILE if there is one\n",
         false},
    Spec{Command::version, "version", "", "print the version", "", true},
    Spec{Command::help, "help", "[COMMAND]", "this overview, or the help of a command", "", false},
};

/// An option with a value, and what is said when there is none.
struct ValueFlag {
  Command command;
  const char* name;
  const char* needs;
};

constexpr const char* kGoFormat = "go";

constexpr std::array kValueFlags = {
    ValueFlag{Command::history, "since", "an age or a time"},
    ValueFlag{Command::history, "node", "the name of a member"},
    ValueFlag{Command::history, "limit", "a number"},
    ValueFlag{Command::forget, "failed-older", "an age"},
    ValueFlag{Command::wait, "peers", "a number"},
    ValueFlag{Command::wait, "node", "the name of a member"},
    ValueFlag{Command::wait, "timeout", "a span of time"},
    ValueFlag{Command::state_export, "format", kGoFormat},
    ValueFlag{Command::state_export, "output", "the name of a file"},
};
constexpr const char* kNeedsInterface = "the name of an interface";

const Spec& spec_of(Command command) {
  return *std::find_if(kCommands.begin(), kCommands.end(),
                       [&](const Spec& spec) { return spec.command == command; });
}

bool needs_interface(Command command) {
  return command != Command::version && command != Command::help && command != Command::agent &&
         command != Command::doctor;
}

struct Found {
  const Spec* spec;
  std::size_t words;
};

/// A word that is a key went astray from its option and is not repeated.
tl::unexpected<Error> unknown_command(std::string_view name) {
  if (SecretKey::parse(name)) {
    return fail(Errc::malformed, "a key is no command; see 'wesher --help'");
  }
  return fail(Errc::malformed,
              fmt::format("unknown command '{}'; see 'wesher --help'", printable(name)));
}

/// The command that the arguments begin with. A family name alone ("key") names what is missing.
Result<Found> find_command(const std::vector<std::string>& arguments) {
  const std::string first = arguments.front() == "peers" ? "members" : arguments.front();
  const std::string second = arguments.size() > 1 ? arguments[1] : "";
  std::string family;
  for (const Spec& spec : kCommands) {
    const auto space = spec.name.find(' ');
    if (spec.name == first) return Found{&spec, 1};
    if (space == std::string_view::npos || spec.name.substr(0, space) != first) continue;
    if (spec.name.substr(space + 1) == second) return Found{&spec, 2};
    family += fmt::format("{}'wesher {}'", family.empty() ? "" : " or ", spec.name);
  }
  if (family.empty()) return unknown_command(arguments.front());
  if (!second.empty() && second.front() != '-') return unknown_command(first + " " + second);
  return fail(Errc::malformed, fmt::format("'wesher {}' needs a second word: {}", first, family));
}

cxxopts::Options flags_of(const Spec& spec) {
  cxxopts::Options options("wesher");
  options.allow_unrecognised_options();  // reported by us, in our words
  auto add = options.add_options();
  if (needs_interface(spec.command)) add("interface", "", cxxopts::value<std::string>());
  for (const ValueFlag& flag : kValueFlags) {
    if (flag.command == spec.command) add(flag.name, "", cxxopts::value<std::string>());
  }
  if (spec.json) add("json", "");
  if (spec.command == Command::status) add("check", "");
  if (spec.command == Command::plan) add("detailed-exitcode", "");
  if (spec.command == Command::state_export) add("force", "");
  if (spec.command == Command::ip) {
    add("4,ipv4", "");
    add("6,ipv6", "");
  }
  add("words", "", cxxopts::value<std::vector<std::string>>());
  options.parse_positional("words");
  return options;
}

tl::unexpected<Error> usage_error(const Spec& spec, std::string_view what) {
  return fail(Errc::malformed, fmt::format("{}; see 'wesher {} --help'", what, spec.name));
}

bool given(const cxxopts::ParseResult& parsed, const std::string& name) {
  return parsed.count(name) > 0 && parsed[name].as<bool>();
}

/// What remains of the words behind a command: a node for `ip` and `explain`, a command for `help`.
Result<void> take_words(const Spec& spec, std::vector<std::string> words, Invocation& out) {
  if (spec.command == Command::help && !words.empty()) {
    const auto about = find_command(words);
    if (!about) return tl::unexpected(about.error());
    out.help_about = about->spec->command;
    return {};
  }
  const bool takes_node = spec.command == Command::ip || spec.command == Command::explain ||
                          spec.command == Command::forget;
  if (takes_node && !words.empty()) {
    out.node = words.front();
    words.erase(words.begin());
  }
  if (spec.command == Command::explain && out.node.empty()) {
    return usage_error(spec, "explain needs the name or an address of a member");
  }
  if (spec.command == Command::state_export && out.format.empty()) {
    return usage_error(spec, "state export needs --format go");
  }
  if (spec.command == Command::forget && out.node.empty() == !out.failed_older) {
    return usage_error(spec, "forget needs either the name of a member or --failed-older AGE");
  }
  if (words.empty()) return {};
  return usage_error(spec, fmt::format("unexpected argument '{}'", printable(words.front())));
}

Result<std::size_t> parse_count(std::string_view text, std::size_t least, std::size_t most) {
  std::size_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec == std::errc() && end == text.data() + text.size() && number >= least && number <= most) {
    return number;
  }
  return fail(Errc::malformed, fmt::format("is no number from {} to {}", least, most));
}

/// Puts the value of one option where it belongs. Errors are clauses about the value.
Result<void> take_value(std::string_view name, const std::string& value, Invocation& out) {
  const auto put = [](auto result, auto& into) -> Result<void> {
    if (!result) return tl::unexpected(result.error());
    into = *result;
    return {};
  };
  if (name == "since") return put(parse_since(value), out.since);
  if (name == "failed-older") return put(parse_span(value), out.failed_older);
  if (name == "timeout") return put(parse_span(value), out.timeout);
  if (name == "limit") return put(parse_count(value, 1, store::kHistoryRowsMax), out.limit);
  if (name == "peers") return put(parse_count(value, 0, limits::kMembers), out.peers);
  if (name == "format" && value != kGoFormat) return fail(Errc::malformed, "must be go");
  if (name == "format") return put(Result<std::string>(value), out.format);
  if (name == "output") return put(Result<std::string>(value), out.output);
  out.node = value;
  return {};
}

/// The value of an option that was given; nothing if it was not.
Result<std::optional<std::string>> value_of(const Spec& spec,
                                            const cxxopts::ParseResult& parsed,
                                            const char* name,
                                            const char* needs) {
  if (parsed.count(name) == 0) return std::nullopt;
  auto value = parsed[name].as<std::string>();
  if (value.empty() || value.front() == '-') {
    return usage_error(spec, fmt::format("--{} needs {}", name, needs));
  }
  return value;
}

Result<void> take_values(const Spec& spec, const cxxopts::ParseResult& parsed, Invocation& out) {
  for (const ValueFlag& flag : kValueFlags) {
    if (flag.command != spec.command) continue;
    const auto value = value_of(spec, parsed, flag.name, flag.needs);
    if (!value) return tl::unexpected(value.error());
    if (!*value) continue;
    if (const auto taken = take_value(flag.name, **value, out); !taken) {
      return usage_error(
          spec, fmt::format("--{} {} {}", flag.name, printable(**value), taken.error().detail));
    }
  }
  if (!needs_interface(spec.command)) return {};
  const auto interface = value_of(spec, parsed, "interface", kNeedsInterface);
  if (!interface) return tl::unexpected(interface.error());
  out.interface = interface->value_or("");
  return {};
}

/// The last argument is an option whose value is missing.
std::string missing_value(const Spec& spec, const std::string& argument) {
  for (const ValueFlag& flag : kValueFlags) {
    if (flag.command == spec.command && argument == std::string("--") + flag.name) {
      return fmt::format("{} needs {}", argument, flag.needs);
    }
  }
  return fmt::format("--interface needs {}", kNeedsInterface);
}

Result<Invocation> parse_flags(const Spec& spec, const std::vector<std::string>& arguments) {
  Invocation out;
  out.command = spec.command;
  std::vector<const char*> argv = {"wesher"};
  for (const auto& argument : arguments)
    argv.push_back(argument.c_str());
  auto options = flags_of(spec);
  const auto parsed = options.parse(static_cast<int>(argv.size()), argv.data());
  if (!parsed.unmatched().empty()) {
    return usage_error(spec,
                       fmt::format("unknown option {}", printable(parsed.unmatched().front())));
  }
  if (const auto taken = take_values(spec, parsed, out); !taken) {
    return tl::unexpected(taken.error());
  }
  out.json = spec.json && given(parsed, "json");
  out.force = spec.command == Command::state_export && given(parsed, "force");
  out.check = spec.command == Command::status && given(parsed, "check");
  out.detailed_exitcode = spec.command == Command::plan && given(parsed, "detailed-exitcode");
  if (spec.command == Command::ip) {
    const bool v4 = given(parsed, "ipv4");
    const bool v6 = given(parsed, "ipv6");
    if (v4 && v6) return usage_error(spec, "-4 and -6 exclude each other");
    out.family = v4 ? Family::v4 : v6 ? Family::v6 : Family::any;
  }
  std::vector<std::string> words;
  if (parsed.count("words") > 0) words = parsed["words"].as<std::vector<std::string>>();
  if (const auto taken = take_words(spec, std::move(words), out); !taken) {
    return tl::unexpected(taken.error());
  }
  return out;
}

bool contains(const std::vector<std::string>& arguments, std::string_view wanted) {
  return std::find(arguments.begin(), arguments.end(), wanted) != arguments.end();
}

bool asks_help(const std::vector<std::string>& arguments) {
  return contains(arguments, "--help") || contains(arguments, "-h");
}

Invocation help_about(std::optional<Command> command) {
  Invocation out;
  out.command = Command::help;
  out.help_about = command;
  return out;
}

Invocation agent(std::vector<std::string> arguments) {
  Invocation out;
  out.agent_arguments = std::move(arguments);
  return out;
}

Invocation doctor(std::vector<std::string> arguments) {
  Invocation out;
  out.command = Command::doctor;
  out.json = std::erase(arguments, std::string("--json")) > 0;
  out.agent_arguments = std::move(arguments);
  return out;
}

}  // namespace

std::string_view command_name(Command command) {
  return spec_of(command).name;
}

Result<Invocation> parse_command_line(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return agent({});
  if (arguments.front().empty() || arguments.front().front() == '-') {
    if (asks_help(arguments)) return help_about(std::nullopt);
    if (contains(arguments, "--version")) {
      Invocation out;
      out.command = Command::version;
      return out;
    }
    return agent(arguments);
  }
  const auto found = find_command(arguments);
  if (!found) return tl::unexpected(found.error());
  const std::vector<std::string> rest(arguments.begin() + static_cast<std::ptrdiff_t>(found->words),
                                      arguments.end());
  if (asks_help(rest)) return help_about(found->spec->command);
  if (found->spec->command == Command::agent) return agent(rest);
  if (found->spec->command == Command::doctor) return doctor(rest);
  try {
    return parse_flags(*found->spec, rest);
  } catch (const cxxopts::exceptions::missing_argument&) {
    return usage_error(*found->spec, missing_value(*found->spec, rest.back()));
  } catch (const cxxopts::exceptions::exception& error) {
    return usage_error(*found->spec, "cannot read the arguments: " + printable(error.what()));
  }
}

bool usage_errors_are_failures(const std::vector<std::string>& arguments) {
  return !arguments.empty() && arguments.front() == "plan" &&
         contains(arguments, "--detailed-exitcode");
}

std::string help_text(std::optional<Command> about, const std::string& agent_options) {
  if (about && *about != Command::help) {
    const Spec& spec = spec_of(*about);
    std::string usage = fmt::format("wesher {}", spec.name);
    if (needs_interface(spec.command)) usage += " [--interface IFACE]";
    if (spec.json) usage += " [--json]";
    if (!spec.flags.empty()) usage += fmt::format(" {}", spec.flags);
    std::string out = fmt::format("Usage: {}\n\n{}.\n", usage, spec.summary);
    if (!spec.details.empty()) out += fmt::format("\n{}", spec.details);
    const bool takes_options = spec.command == Command::agent || spec.command == Command::doctor;
    return takes_options ? out + "\n" + agent_options : out;
  }
  std::string out =
      "wesher turns hosts into one encrypted WireGuard mesh.\n\n"
      "Usage: wesher [OPTIONS]            run the daemon\n"
      "       wesher COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Spec& spec : kCommands)
    out += fmt::format("  {:<14}{}\n", spec.name, spec.summary);
  return out +
         "\nReading commands take --json; all take --interface IFACE, which is needed only where\n"
         "several interfaces have state. 'wesher COMMAND --help' says more.\n\n" +
         agent_options;
}

}  // namespace wesher::cli
