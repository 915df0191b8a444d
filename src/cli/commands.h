// Carries out everything but the daemon: one typed command in, what to print and the exit code out.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/facts.h"
#include "cli/readiness.h"
#include "daemon/forget_request.h"
#include "daemon/options.h"
#include "store/paths.h"

namespace wesher::cli {

/// What a command leaves behind: text for stdout, at most one line for stderr, the exit code.
struct Output {
  std::string text;
  std::string error;
  int exit_code = 0;
};

/// The line `wesher: …` and the exit code for an error; without the right to do something, how to
/// get it. `command` is what was typed.
[[nodiscard]] Output failed(const Error& error, const std::string& command);

/// Carries out any command but Command::agent and Command::doctor. Without --interface,
/// WESHER_INTERFACE counts.
[[nodiscard]] Output run_command(const Invocation& invocation);

/// `wesher doctor`; the exit code is 1 if anything fails. `environment` has the variables.
[[nodiscard]] Output run_doctor(const Invocation& invocation,
                                const daemon::Environment& environment);

/// `wesher leave`: asks the running daemon, or takes everything down itself.
[[nodiscard]] Result<Output> leave(const store::Paths& paths);

/// `wesher forget`: asks the running daemon to drop members; what it did on stdout.
[[nodiscard]] Result<Output> forget(const store::Paths& paths, const daemon::ForgetRequest& wanted);

/// `wesher state export`: the state for the Go program, on stdout or in a new file `output`, which
/// is only replaced with `force`. Errc::exists: there is one.
[[nodiscard]] Result<Output> export_state(const store::Paths& paths,
                                          const std::string& output,
                                          bool force);

/// `wesher wait`: returns without text when nothing is missing any more. Errc::system after
/// `timeout` says what is; Errc::malformed and Errc::not_permitted come at once. `interface` may be
/// empty; a state that does not exist yet is waited for.
[[nodiscard]] Result<Output> wait_until_ready(const std::string& interface,
                                              const WaitFor& wanted,
                                              Duration timeout);

/// Writes the output; a reader that went away is no error of ours, a full disk is. Gives the exit
/// code of the process.
[[nodiscard]] int print(const Output& output);

}  // namespace wesher::cli
