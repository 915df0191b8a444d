#include "os/files.h"

#include <cerrno>

#include <fcntl.h>

#include "os/calls.h"
#include "os/unique_fd.h"

namespace wesher::os {

namespace {

int sync_path(const std::string& path, int flags) {
  const UniqueFd file(open(path, flags | O_RDONLY | O_CLOEXEC));
  if (!file) return errno;
  // Some filesystems can't sync a directory and say EINVAL.
  return fsync(file.get()) != 0 && errno != EINVAL ? errno : 0;
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

int write_all(int fd, ByteView bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
  return 0;
}

int sync_file(const std::string& path) {
  return sync_path(path, O_NOFOLLOW);
}

int sync_directory(const std::string& directory) {
  return sync_path(directory, O_DIRECTORY);
}

int make_directories(const std::string& path) {
  struct stat found {};

  if (stat(path, found) == 0) return S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
  if (errno != ENOENT) return errno;
  const std::string above = directory_of(path);
  if (above != path) {
    if (const int refused = make_directories(above); refused != 0) return refused;
  }
  return mkdir(path, 0755) != 0 && errno != EEXIST ? errno : 0;
}

}  // namespace wesher::os
