// One table of commands; cxxopts reads the few flags behind a command's name.
#include "cli/command_line.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <cxxopts.hpp>
#include <fmt/format.h>

#include "base/key.h"
#include "base/text.h"

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
    Spec{Command::leave, "leave", "",
         "leave the mesh: tell the members, remove everything, give the address back",
         "Ends the daemon. The next start of wesher joins again. Without a running daemon the\n"
         "interface, routes and hosts lines are removed, but nobody can be told.\n",
         false},
    Spec{Command::key_show, "key show", "", "print the cluster key", "", false},
    Spec{Command::state_dump, "state dump", "", "print the whole database; no secret is in it", "",
         true},
    Spec{Command::version, "version", "", "print the version", "", true},
    Spec{Command::help, "help", "[COMMAND]", "this overview, or the help of a command", "", false},
};

const Spec& spec_of(Command command) {
  return *std::find_if(kCommands.begin(), kCommands.end(),
                       [&](const Spec& spec) { return spec.command == command; });
}

bool needs_interface(Command command) {
  return command != Command::version && command != Command::help && command != Command::agent;
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
  for (const Spec& spec : kCommands) {
    const auto space = spec.name.find(' ');
    if (spec.name == first) return Found{&spec, 1};
    if (space == std::string_view::npos || spec.name.substr(0, space) != first) continue;
    if (spec.name.substr(space + 1) == second) return Found{&spec, 2};
    if (!second.empty() && second.front() != '-') return unknown_command(first + " " + second);
    return fail(Errc::malformed,
                fmt::format("'wesher {}' needs a second word: 'wesher {}'", first, spec.name));
  }
  return unknown_command(arguments.front());
}

cxxopts::Options flags_of(const Spec& spec) {
  cxxopts::Options options("wesher");
  options.allow_unrecognised_options();  // reported by us, in our words
  auto add = options.add_options();
  if (needs_interface(spec.command)) add("interface", "", cxxopts::value<std::string>());
  if (spec.json) add("json", "");
  if (spec.command == Command::status) add("check", "");
  if (spec.command == Command::plan) add("detailed-exitcode", "");
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

/// What remains of the words behind a command: a node for `ip`, a command for `help`.
Result<void> take_words(const Spec& spec, std::vector<std::string> words, Invocation& out) {
  if (spec.command == Command::help && !words.empty()) {
    const auto about = find_command(words);
    if (!about) return tl::unexpected(about.error());
    out.help_about = about->spec->command;
    return {};
  }
  if (spec.command == Command::ip && words.size() == 1) {
    out.node = words.front();
    return {};
  }
  if (words.empty()) return {};
  const std::string& extra = spec.command == Command::ip ? words[1] : words.front();
  return usage_error(spec, fmt::format("unexpected argument '{}'", printable(extra)));
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
  if (needs_interface(spec.command) && parsed.count("interface") > 0) {
    out.interface = parsed["interface"].as<std::string>();
    if (out.interface.empty() || out.interface.front() == '-') {
      return usage_error(spec, "--interface needs the name of an interface");
    }
  }
  out.json = spec.json && given(parsed, "json");
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
  try {
    return parse_flags(*found->spec, rest);
  } catch (const cxxopts::exceptions::missing_argument&) {
    return usage_error(*found->spec, "--interface needs the name of an interface");
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
    return spec.command == Command::agent ? out + "\n" + agent_options : out;
  }
  std::string out =
      "wesher turns hosts into one encrypted WireGuard mesh.\n\n"
      "Usage: wesher [OPTIONS]            run the daemon\n"
      "       wesher COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Spec& spec : kCommands)
    out += fmt::format("  {:<12}{}\n", spec.name, spec.summary);
  return out +
         "\nReading commands take --json; all take --interface IFACE, which is needed only where\n"
         "several interfaces have state. 'wesher COMMAND --help' says more.\n\n" +
         agent_options;
}

}  // namespace wesher::cli
