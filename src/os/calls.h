// The seam to the filesystem: every system call by which the program reads or changes files that
// outlive it goes through here, so that a test can count the calls and make the one of its choice
// fail, fall short, or be the last of the process. Each function is the system call of its name,
// errno included; paths are strings. Nothing is installed in the daemon: then a call costs one
// branch more. The kernel's counterpart are system/link_control.h and system/wg_control.h; SQLite
// does its own input and output, which a test interposes as a VFS of SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace wesher::os {

/// What a call does, for whoever interposes.
enum class Op : std::uint8_t {
  open,      ///< of what exists
  create,    ///< open that may make a file
  read,      ///< read, pread, reading a directory or attributes
  write,     ///< write, pwrite
  truncate,  ///< ftruncate
  reserve,   ///< fallocate
  sync,      ///< fsync
  rename,
  remove,          ///< unlink
  make_directory,  ///< mkdir
  look,            ///< stat, lstat, fstat, access, realpath
  change,          ///< mode, owner, attributes
  lock,            ///< flock
};

/// One call before or after it is made. By path or by descriptor, whichever the call takes.
struct Call {
  Op op = Op::look;
  std::string path = {};
  std::string to = {};  ///< new name of a rename
  int fd = -1;
  std::size_t size = 0;  ///< of a read or write
};

/// Installed by tests only.
class Interposer {
 public:
  virtual ~Interposer() = default;

  /// Before a call: 0 lets it happen, an errno makes it fail with that and without any effect.
  /// `call.size` of a read or write may be lowered, to at least 1.
  [[nodiscard]] virtual int before(Call& call) = 0;

  /// After a call that happened; `result` as the system call returned it.
  virtual void after(const Call& call, long result) = 0;
};

/// Puts an interposer in front of all calls of all threads, or none (null); gives the one before.
Interposer* interpose(Interposer* interposer);

/// The one that is installed, null in the daemon.
[[nodiscard]] Interposer* interposer();

[[nodiscard]] int open(const std::string& path, int flags, mode_t mode = 0);
/// mkostemp(3) with O_CLOEXEC: `pattern` becomes the name.
[[nodiscard]] int make_temporary(std::string& pattern);
[[nodiscard]] ssize_t read(int fd, void* to, std::size_t size);
[[nodiscard]] ssize_t pread(int fd, void* to, std::size_t size, off_t offset);
[[nodiscard]] ssize_t write(int fd, const void* from, std::size_t size);
[[nodiscard]] ssize_t pwrite(int fd, const void* from, std::size_t size, off_t offset);
[[nodiscard]] int ftruncate(int fd, off_t size);
[[nodiscard]] int fallocate(int fd, int mode, off_t offset, off_t size);
[[nodiscard]] int fsync(int fd);
[[nodiscard]] int rename(const std::string& from, const std::string& to);
/// renameat2 with RENAME_NOREPLACE: EEXIST if there is anything under the new name.
[[nodiscard]] int rename_to_new(const std::string& from, const std::string& to);
int unlink(const std::string& path);
[[nodiscard]] int mkdir(const std::string& path, mode_t mode);
[[nodiscard]] int stat(const std::string& path, struct stat& facts);
[[nodiscard]] int lstat(const std::string& path, struct stat& facts);
[[nodiscard]] int fstat(int fd, struct stat& facts);
/// faccessat by effective ids.
[[nodiscard]] int access(const std::string& path, int mode);
/// realpath; -1 or 0.
[[nodiscard]] int real_path(const std::string& path, std::string& resolved);
/// The names in a directory in any order, without "." and ".."; -1 or 0.
[[nodiscard]] int list(const std::string& directory, std::vector<std::string>& names);
[[nodiscard]] int chmod(const std::string& path, mode_t mode);
[[nodiscard]] int fchmod(int fd, mode_t mode);
[[nodiscard]] int fchown(int fd, uid_t owner, gid_t group);
[[nodiscard]] ssize_t flistxattr(int fd, char* names, std::size_t size);
[[nodiscard]] ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t size);
[[nodiscard]] int fsetxattr(int fd, const char* name, const void* value, std::size_t size);
[[nodiscard]] int flock(int fd, int operation);

}  // namespace wesher::os
