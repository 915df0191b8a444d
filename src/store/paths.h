// Where state lives: $STATE_DIRECTORY (set by systemd) or /var/lib/wesher.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wesher::store {

struct Paths {
  std::string directory;
  std::string interface;

  [[nodiscard]] std::string key_file() const { return directory + "/" + interface + ".keys"; }

  [[nodiscard]] std::string database() const { return directory + "/" + interface + ".db"; }

  [[nodiscard]] std::string lock_file() const { return directory + "/" + interface + ".lock"; }
};

/// The first entry of $STATE_DIRECTORY if that is set and absolute, else /var/lib/wesher.
[[nodiscard]] std::string state_directory();

/// What Linux takes as the name of an interface, in printable ASCII: 1 to 15 characters, no blank,
/// '/' or ':', not "." or "..".
[[nodiscard]] bool is_valid_interface_name(std::string_view name);

/// Interfaces that have a database in `directory`, sorted.
[[nodiscard]] std::vector<std::string> known_interfaces(const std::string& directory);

/// Whether what the Go program up to v0.2.6 left on this host (it knew one interface, and marked
/// neither state nor hosts lines with its name) belongs to this one: it has the default name, or no
/// other interface has state here.
[[nodiscard]] bool inherits_from_go(const Paths& paths);

}  // namespace wesher::store
