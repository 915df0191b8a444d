#include "store/lock.h"

#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "os/calls.h"
#include "os/files.h"
#include "store/files.h"

namespace wesher::store {

namespace {

/// " (pid 812)" from what the holder wrote; empty if it has not, or not a number.
std::string holder_text(int fd) {
  std::array<char, 16> text{};
  const ssize_t got = os::pread(fd, text.data(), text.size(), 0);
  std::string pid(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!pid.empty() && pid.back() == '\n') pid.pop_back();
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) return "";
  return " (pid " + pid + ")";
}

/// Whether the path still leads to the open file: a lock on a removed one keeps nobody out.
bool is_current(int fd, const std::string& path) {
  struct stat open_file {};

  struct stat named {};

  return os::fstat(fd, open_file) == 0 && os::lstat(path, named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

Result<void> write_pid(int fd, const std::string& path) {
  const std::string text = fmt::format("{}\n", ::getpid());
  int os_errno = os::ftruncate(fd, 0) != 0 ? errno : 0;
  if (os_errno == 0) os_errno = os::write_all(fd, as_bytes(text), 0);
  if (os_errno != 0) return tl::unexpected(os_error("write", path, os_errno));
  return {};
}

}  // namespace

Result<Lock> Lock::take(const std::string& path, const std::string& interface) {
  if (auto made = ensure_directory(os::directory_of(path)); !made) {
    return tl::unexpected(made.error());
  }
  while (true) {
    os::UniqueFd file(os::open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!file) {
      if (errno == ELOOP) return tl::unexpected(symlink_error(path));
      return tl::unexpected(os_error("open", path, errno));
    }
    if (os::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return tl::unexpected(os_error("lock", path, errno));
      return fail(Errc::busy,
                  interface + " is managed by another wesher" + holder_text(file.get()));
    }
    if (!is_current(file.get(), path)) continue;
    if (auto written = write_pid(file.get(), path); !written) {
      return tl::unexpected(written.error());
    }
    return Lock(std::move(file));
  }
}

Lock::~Lock() {
  if (!file_) return;
  // Nobody is named once nobody holds it; the file stays, so that all lock the same one.
  [[maybe_unused]] const int emptied = os::ftruncate(file_.get(), 0);
}

Lock::Lock(Lock&& other) noexcept = default;

Lock& Lock::operator=(Lock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

}  // namespace wesher::store
