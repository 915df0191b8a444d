#include "cli/process.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <sodium.h>

namespace wesher::cli {

namespace {

constexpr std::string_view kKeyFlag = "cluster-key";

void overwrite(char* text) {
  // Not zeros: those would look like empty arguments to whoever reads the command line.
  for (volatile char* c = text; *c != '\0'; ++c)
    *c = 'x';
}

}  // namespace

std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> out;
  for (int i = 1; i < argc; ++i)
    out.emplace_back(argv[i]);
  bool value_follows = false;
  for (int i = 1; i < argc; ++i) {
    if (value_follows) {
      overwrite(argv[i]);
      value_follows = false;
      continue;
    }
    // One dash or two: a mistyped flag shows its value just as well.
    const std::string_view argument(argv[i]);
    const auto dashes = std::min(argument.find_first_not_of('-'), argument.size());
    const std::string_view name = argument.substr(dashes);
    if (dashes == 0 || !name.starts_with(kKeyFlag)) continue;
    if (name.size() == kKeyFlag.size()) {
      value_follows = true;
    } else if (name[kKeyFlag.size()] == '=') {
      overwrite(argv[i] + dashes + kKeyFlag.size() + 1);
    }
  }
  return out;
}

std::optional<std::string> take_variable(const char* name) {
  char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string out(value);
  overwrite(value);
  ::unsetenv(name);
  return out;
}

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace wesher::cli
