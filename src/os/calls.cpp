// The seam to the filesystem. See calls.h. Thread safe, as the system calls are.
#include "os/calls.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace wesher::os {

namespace {

std::atomic<Interposer*> g_interposer{nullptr};

/// Makes a call that an interposer wants to know of. The call is described only then.
template <class Describe, class Perform>
auto through(Describe describe, Perform perform) {
  Interposer* const watcher = interposer();
  if (watcher == nullptr) return perform(nullptr);
  Call call = describe();
  if (const int refused = watcher->before(call); refused != 0) {
    errno = refused;
    return decltype(perform(nullptr)){-1};
  }
  const auto result = perform(&call);
  const int os_errno = errno;
  watcher->after(call, static_cast<long>(result));
  errno = os_errno;
  return result;
}

Call by_path(Op op, const std::string& path) {
  return {.op = op, .path = path};
}

Call by_fd(Op op, int fd, std::size_t size = 0) {
  return {.op = op, .fd = fd, .size = size};
}

/// How much a read or write may be of.
std::size_t allowed(const Call* call, std::size_t size) {
  return call == nullptr ? size : call->size;
}

}  // namespace

Interposer* interpose(Interposer* interposer) {
  return g_interposer.exchange(interposer);
}

Interposer* interposer() {
  return g_interposer.load(std::memory_order_relaxed);
}

int open(const std::string& path, int flags, mode_t mode) {
  return through([&] { return by_path((flags & O_CREAT) != 0 ? Op::create : Op::open, path); },
                 [&](const Call*) { return ::open(path.c_str(), flags, mode); });
}

int make_temporary(std::string& pattern) {
  Interposer* const watcher = interposer();
  if (watcher == nullptr) return ::mkostemp(pattern.data(), O_CLOEXEC);
  Call call = by_path(Op::create, pattern);
  if (const int refused = watcher->before(call); refused != 0) {
    errno = refused;
    return -1;
  }
  const int fd = ::mkostemp(pattern.data(), O_CLOEXEC);
  const int os_errno = errno;
  call.path = pattern;  // known only now
  watcher->after(call, fd);
  errno = os_errno;
  return fd;
}

ssize_t read(int fd, void* to, std::size_t size) {
  return through([&] { return by_fd(Op::read, fd, size); },
                 [&](const Call* call) { return ::read(fd, to, allowed(call, size)); });
}

ssize_t pread(int fd, void* to, std::size_t size, off_t offset) {
  return through([&] { return by_fd(Op::read, fd, size); },
                 [&](const Call* call) { return ::pread(fd, to, allowed(call, size), offset); });
}

ssize_t write(int fd, const void* from, std::size_t size) {
  return through([&] { return by_fd(Op::write, fd, size); },
                 [&](const Call* call) { return ::write(fd, from, allowed(call, size)); });
}

ssize_t pwrite(int fd, const void* from, std::size_t size, off_t offset) {
  return through([&] { return by_fd(Op::write, fd, size); },
                 [&](const Call* call) { return ::pwrite(fd, from, allowed(call, size), offset); });
}

int ftruncate(int fd, off_t size) {
  return through([&] { return by_fd(Op::truncate, fd); },
                 [&](const Call*) { return ::ftruncate(fd, size); });
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return through([&] { return by_fd(Op::reserve, fd); },
                 [&](const Call*) { return ::fallocate(fd, mode, offset, size); });
}

int fsync(int fd) {
  return through([&] { return by_fd(Op::sync, fd); }, [&](const Call*) { return ::fsync(fd); });
}

int rename(const std::string& from, const std::string& to) {
  return through([&] { return Call{.op = Op::rename, .path = from, .to = to}; },
                 [&](const Call*) { return ::rename(from.c_str(), to.c_str()); });
}

int rename_to_new(const std::string& from, const std::string& to) {
  return through([&] { return Call{.op = Op::rename, .path = from, .to = to}; },
                 [&](const Call*) {
                   return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                                      RENAME_NOREPLACE);
                 });
}

int unlink(const std::string& path) {
  return through([&] { return by_path(Op::remove, path); },
                 [&](const Call*) { return ::unlink(path.c_str()); });
}

int mkdir(const std::string& path, mode_t mode) {
  return through([&] { return by_path(Op::make_directory, path); },
                 [&](const Call*) { return ::mkdir(path.c_str(), mode); });
}

int stat(const std::string& path, struct stat& facts) {
  return through([&] { return by_path(Op::look, path); },
                 [&](const Call*) { return ::stat(path.c_str(), &facts); });
}

int lstat(const std::string& path, struct stat& facts) {
  return through([&] { return by_path(Op::look, path); },
                 [&](const Call*) { return ::lstat(path.c_str(), &facts); });
}

int fstat(int fd, struct stat& facts) {
  return through([&] { return by_fd(Op::look, fd); },
                 [&](const Call*) { return ::fstat(fd, &facts); });
}

int access(const std::string& path, int mode) {
  return through(
      [&] { return by_path(Op::look, path); },
      [&](const Call*) { return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS); });
}

int real_path(const std::string& path, std::string& resolved) {
  return through([&] { return by_path(Op::look, path); },
                 [&](const Call*) {
                   char* const real = ::realpath(path.c_str(), nullptr);
                   if (real == nullptr) return -1;
                   resolved = real;
                   std::free(real);
                   return 0;
                 });
}

int list(const std::string& directory, std::vector<std::string>& names) {
  return through([&] { return by_path(Op::read, directory); },
                 [&](const Call*) {
                   DIR* const open = ::opendir(directory.c_str());
                   if (open == nullptr) return -1;
                   errno = 0;
                   while (const dirent* const entry = ::readdir(open)) {
                     const std::string name = entry->d_name;
                     if (name != "." && name != "..") names.push_back(name);
                   }
                   const int os_errno = errno;
                   ::closedir(open);
                   errno = os_errno;
                   return os_errno == 0 ? 0 : -1;
                 });
}

int chmod(const std::string& path, mode_t mode) {
  return through([&] { return by_path(Op::change, path); },
                 [&](const Call*) { return ::chmod(path.c_str(), mode); });
}

int fchmod(int fd, mode_t mode) {
  return through([&] { return by_fd(Op::change, fd); },
                 [&](const Call*) { return ::fchmod(fd, mode); });
}

int fchown(int fd, uid_t owner, gid_t group) {
  return through([&] { return by_fd(Op::change, fd); },
                 [&](const Call*) { return ::fchown(fd, owner, group); });
}

ssize_t flistxattr(int fd, char* names, std::size_t size) {
  return through([&] { return by_fd(Op::read, fd, size); },
                 [&](const Call*) { return ::flistxattr(fd, names, size); });
}

ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t size) {
  return through([&] { return by_fd(Op::read, fd, size); },
                 [&](const Call*) { return ::fgetxattr(fd, name, value, size); });
}

int fsetxattr(int fd, const char* name, const void* value, std::size_t size) {
  return through([&] { return by_fd(Op::change, fd); },
                 [&](const Call*) { return ::fsetxattr(fd, name, value, size, 0); });
}

int flock(int fd, int operation) {
  return through([&] { return by_fd(Op::lock, fd); },
                 [&](const Call*) { return ::flock(fd, operation); });
}

}  // namespace wesher::os
