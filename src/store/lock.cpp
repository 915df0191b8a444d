#include "store/lock.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"

namespace wesher::store {

namespace {

/// " (pid 812)" from what the holder wrote; empty if it has not, or not a number.
std::string holder_text(int fd) {
  std::array<char, 16> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::string pid(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!pid.empty() && pid.back() == '\n') pid.pop_back();
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) return "";
  return " (pid " + pid + ")";
}

/// Whether the path still leads to the open file: a lock on a removed one keeps nobody out.
bool is_current(int fd, const std::string& path) {
  struct stat open_file {};

  struct stat named {};

  return ::fstat(fd, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

Result<void> write_pid(int fd, const std::string& path) {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return tl::unexpected(os_error("write", path, errno));
  }
  return {};
}

}  // namespace

Result<Lock> Lock::take(const std::string& path, const std::string& interface) {
  if (auto made = ensure_directory(directory_of(path)); !made) {
    return tl::unexpected(made.error());
  }
  while (true) {
    Descriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!file.valid()) {
      if (errno == ELOOP) return tl::unexpected(symlink_error(path));
      return tl::unexpected(os_error("open", path, errno));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return tl::unexpected(os_error("lock", path, errno));
      return fail(Errc::busy,
                  interface + " is managed by another wesher" + holder_text(file.get()));
    }
    if (!is_current(file.get(), path)) continue;
    if (auto written = write_pid(file.get(), path); !written) {
      return tl::unexpected(written.error());
    }
    return Lock(file.release());
  }
}

Lock::~Lock() {
  if (fd_ < 0) return;
  // Nobody is named once nobody holds it; the file stays, so that all lock the same one.
  [[maybe_unused]] const int emptied = ::ftruncate(fd_, 0);
  ::close(fd_);
}

Lock::Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Lock& Lock::operator=(Lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace wesher::store
