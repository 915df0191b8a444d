#include "store/paths.h"

#include <algorithm>
#include <cstdlib>

#include "os/calls.h"

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
  std::vector<std::string> names;
  if (os::list(directory, names) != 0) return found;
  for (std::string& name : names) {
    if (!name.ends_with(".db")) continue;

    struct stat facts {};

    if (os::lstat(directory + "/" + name, facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    name.resize(name.size() - 3);
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
