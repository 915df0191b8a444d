// All options in one table: what parsing, the environment and the help text are made from.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "daemon/options.h"

namespace wesher::daemon {

/// One option. `set` takes a value that is not empty and is checked by it; its error is the part of
/// a sentence behind the name of option or variable.
struct OptionRow {
  std::string_view name;      ///< without dashes
  std::string_view variable;  ///< empty: command line only
  std::string_view argument;  ///< for the help text; empty: a switch
  std::string_view help;      ///< one or more lines; empty: hidden
  std::string_view fallback;  ///< the default, in words; empty: none worth a word
  Result<void> (*set)(Options& options, std::string_view value);

  [[nodiscard]] bool is_switch() const { return argument.empty(); }

  [[nodiscard]] bool is_hidden() const { return help.empty(); }
};

/// In the order of the help text.
[[nodiscard]] std::span<const OptionRow> option_table();

}  // namespace wesher::daemon
