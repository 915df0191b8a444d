// What the process does before anything else: take the secrets out of where other processes can
// read them. Not thread safe: for the start of main().
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wesher::cli {

/// Copies the arguments behind the program's name and overwrites the value of --cluster-key in
/// place, in both its forms, so that neither ps nor /proc/PID/cmdline shows it.
[[nodiscard]] std::vector<std::string> take_arguments(int argc, char** argv);

/// The value of an environment variable, overwritten in place (/proc/PID/environ) and then removed,
/// so that no child inherits it. Nothing when it was not set.
[[nodiscard]] std::optional<std::string> take_variable(const char* name);

/// Overwrites the bytes of a text that may hold a secret and empties it.
void wipe(std::string& text);

}  // namespace wesher::cli
