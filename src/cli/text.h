// How the commands write things down: tables aligned by what a terminal shows, names and sentences
// made safe, ages. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/name_list.h"
#include "base/time.h"

namespace wesher::cli {

/// Code points of UTF-8 text: the columns that it takes, as nothing wider than one is ever printed.
[[nodiscard]] std::size_t display_width(std::string_view utf8);

/// Rows as lines with columns aligned, two spaces between; the last column is not padded and no
/// line ends in spaces. The first row is the heading. Rows may have different lengths.
[[nodiscard]] std::string render_table(const std::vector<std::vector<std::string>>& rows);

/// A member's name for people and JSON: a hostname in full, anything else through `printable`.
[[nodiscard]] std::string shown_name(std::string_view name);

/// A sentence that the daemon wrote, as one line: it is printable already, but a control character
/// in a damaged row must not drive the terminal. Those become '?', UTF-8 stays.
[[nodiscard]] std::string single_line(std::string_view sentence);

/// "1 member", "2 members".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

/// Time from `then` to `now`; zero when a clock went back in between.
[[nodiscard]] Duration age_of(WallTime then, WallTime now);

}  // namespace wesher::cli
