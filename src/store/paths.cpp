#include "store/paths.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace wesher::store {

std::string state_directory() {
  const char* const set = std::getenv("STATE_DIRECTORY");
  std::string directory = set == nullptr ? "" : set;
  directory = directory.substr(0, directory.find(':'));  // systemd separates several by colons
  while (directory.size() > 1 && directory.back() == '/') {
    directory.pop_back();
  }
  return directory.starts_with('/') ? directory : "/var/lib/wesher";
}

bool is_valid_interface_name(std::string_view name) {
  static constexpr std::size_t kNameMax = 15;  // IFNAMSIZ - 1
  if (name.empty() || name.size() > kNameMax || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':'; });
}

std::vector<std::string> known_interfaces(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != ".db") continue;
    std::error_code unknown;
    if (!std::filesystem::is_regular_file(it->symlink_status(unknown))) continue;
    const std::string name = it->path().stem().string();
    if (is_valid_interface_name(name)) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool inherits_from_go(const Paths& paths) {
  const auto known = known_interfaces(paths.directory);
  return paths.interface == "wgoverlay" ||
         std::all_of(known.begin(), known.end(),
                     [&](const std::string& name) { return name == paths.interface; });
}

}  // namespace wesher::store
