// Reading small files of /proc.
#pragma once

#include <string>

namespace wesher::system {

/// The content of a file, at most `max` bytes of it; empty if it can't be read.
[[nodiscard]] std::string read_small_file(const std::string& path, std::size_t max = 65536);

}  // namespace wesher::system
