// Which command was typed, with which flags; and the help texts. Parsing only: nothing of the host
// is looked at. The options of the daemon itself are daemon::parse_options' business.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cli/members.h"
#include "cli/time_text.h"

namespace wesher::cli {

enum class Command : std::uint8_t {
  agent,
  status,
  members,
  ip,
  plan,
  explain,
  history,
  wait,
  doctor,
  leave,
  forget,
  key_show,
  state_dump,
  state_export,
  version,
  help,
};

/// How long `wait` waits without --timeout.
inline constexpr std::chrono::seconds kWaitTimeout{60};

/// As it is typed: "state dump".
[[nodiscard]] std::string_view command_name(Command command);

struct Invocation {
  Command command = Command::agent;
  /// For Command::agent and Command::doctor: everything behind the name, but --json.
  std::vector<std::string> agent_arguments;
  std::optional<Command> help_about;         ///< for Command::help; nothing: the overview
  std::string interface;                     ///< --interface; empty when it was not given
  bool json = false;
  bool check = false;              ///< status --check
  bool detailed_exitcode = false;  ///< plan --detailed-exitcode
  Family family = Family::any;     ///< ip -4 or -6
  /// ip NODE, explain NODE|PREFIX|ADDRESS, forget NAME, --node of history and wait
  std::string node;
  std::optional<Duration> failed_older;  ///< forget --failed-older
  std::optional<Since> since;            ///< history --since
  std::optional<std::size_t> limit;      ///< history --limit
  std::size_t peers = 0;                 ///< wait --peers
  Duration timeout = kWaitTimeout;       ///< wait --timeout
  std::string format;                    ///< state export --format
  std::string output;                    ///< state export --output; empty: stdout
  bool force = false;                    ///< state export --force
};

/// Reads the arguments behind the program's name. No command, or a flag first, means `agent`;
/// `--help`, `-h` and `--version` win anywhere on its line. Errc::malformed: one sentence that
/// names the argument and where the help is.
[[nodiscard]] Result<Invocation> parse_command_line(const std::vector<std::string>& arguments);

/// Whether a usage error on this line must not look like `plan --detailed-exitcode`'s 2 "changes".
[[nodiscard]] bool usage_errors_are_failures(const std::vector<std::string>& arguments);

/// The text of `wesher help [COMMAND]`. `agent_options` is daemon::options_help().
[[nodiscard]] std::string help_text(std::optional<Command> about, const std::string& agent_options);

}  // namespace wesher::cli
