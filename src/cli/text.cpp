#include "cli/text.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace wesher::cli {

std::size_t display_width(std::string_view utf8) {
  // Continuation bytes begin with the bits 10; every other byte begins a code point.
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string render_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - display_width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string shown_name(std::string_view name) {
  return is_valid_hostname(name) ? std::string(name) : printable(name);
}

std::string single_line(std::string_view sentence) {
  std::string out(sentence);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return out;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Duration age_of(WallTime then, WallTime now) {
  return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(now - then));
}

}  // namespace wesher::cli
