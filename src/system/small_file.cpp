// Reading small files of /proc. Thread safe.
#include "system/small_file.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "os/unique_fd.h"

namespace wesher::system {

std::string read_small_file(const std::string& path, std::size_t max) {
  const os::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 16384> chunk{};
  while (fd && text.size() < max) {
    const ssize_t n = read(fd.get(), chunk.data(), std::min(chunk.size(), max - text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace wesher::system
