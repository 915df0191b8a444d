// The program: hides the secrets of its command line and environment, then runs the daemon or one
// command, and turns what comes back into an exit code.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <sodium.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/process.h"
#include "daemon/agent.h"
#include "daemon/options.h"

namespace {

constexpr const char* kKeyVariable = "WESHER_CLUSTER_KEY";

/// Exit code of a usage error on this line.
int usage_exit(const std::vector<std::string>& arguments) {
  using wesher::daemon::Exit;
  return static_cast<int>(wesher::cli::usage_errors_are_failures(arguments) ? Exit::failed
                                                                            : Exit::usage);
}

/// The environment with the key that was taken out of it.
wesher::daemon::Environment environment_with(const std::optional<std::string>& cluster_key) {
  return [&cluster_key](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == kKeyVariable) return cluster_key;
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

int run_doctor(wesher::cli::Invocation invocation, std::optional<std::string>& cluster_key) {
  const auto output = wesher::cli::run_doctor(invocation, environment_with(cluster_key));
  for (auto& argument : invocation.agent_arguments)
    wesher::cli::wipe(argument);
  if (cluster_key) wesher::cli::wipe(*cluster_key);
  return wesher::cli::print(output);
}

int run_daemon(std::vector<std::string> arguments, std::optional<std::string>& cluster_key) {
  auto options = wesher::daemon::parse_options(arguments, environment_with(cluster_key));
  for (auto& argument : arguments)
    wesher::cli::wipe(argument);
  if (cluster_key) wesher::cli::wipe(*cluster_key);
  if (!options) return wesher::cli::print(wesher::cli::failed(options.error(), "agent"));
  return static_cast<int>(wesher::daemon::run_agent(std::move(*options)));
}

int run(std::vector<std::string> arguments, std::optional<std::string> cluster_key) {
  auto invocation = wesher::cli::parse_command_line(arguments);
  if (!invocation) {
    wesher::cli::Output error = wesher::cli::failed(invocation.error(), "");
    error.exit_code = usage_exit(arguments);
    return wesher::cli::print(error);
  }
  for (auto& argument : arguments)
    wesher::cli::wipe(argument);
  if (invocation->command == wesher::cli::Command::agent) {
    return run_daemon(std::move(invocation->agent_arguments), cluster_key);
  }
  if (invocation->command == wesher::cli::Command::doctor) {
    return run_doctor(std::move(*invocation), cluster_key);
  }
  wesher::cli::Output output = wesher::cli::run_command(*invocation);
  const int code = wesher::cli::print(output);
  wesher::cli::wipe(output.text);  // `key show`
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string> arguments = wesher::cli::take_arguments(argc, argv);
    std::optional<std::string> cluster_key = wesher::cli::take_variable(kKeyVariable);
    ::umask(S_IRWXG | S_IRWXO);
    std::signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0) {
      std::fputs("wesher: the cryptographic library cannot be started\n", stderr);
      return static_cast<int>(wesher::daemon::Exit::failed);
    }
    return run(std::move(arguments), std::move(cluster_key));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wesher: internal error: %s\n", wesher::printable(error.what()).c_str());
  } catch (...) {
    std::fputs("wesher: internal error\n", stderr);
  }
  return static_cast<int>(wesher::daemon::Exit::failed);
}
