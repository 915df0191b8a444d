#include "store/files.h"

#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "os/calls.h"
#include "os/error.h"
#include "os/files.h"
#include "os/unique_fd.h"

namespace wesher::store {

namespace {

/// What stands between the name of a file and the random end of its temporary one.
constexpr std::string_view kTemporaryMark = ".tmp-";
constexpr std::string_view kDefaultInterface = "wgoverlay";  // as --interface

std::string remedy_for(int os_errno) {
  switch (os_errno) {
    case EACCES:
    case EPERM:
      return ::geteuid() != 0 ? "; run it with sudo"
                              : "; look for an immutable file (lsattr) or a security policy";
    case EROFS:
      return "; mount that filesystem writable, or set STATE_DIRECTORY to a directory on another";
    case ENOSPC:
    case EDQUOT:
      return "; free some space on that filesystem";
    case EIO:
      return "; look at the disk (dmesg)";
    default:
      return "";
  }
}

Errc code_for(int os_errno) {
  switch (os_errno) {
    case EACCES:
    case EPERM:
      return Errc::not_permitted;
    case EROFS:
      return Errc::state_unusable;
    default:
      return Errc::system;
  }
}

/// 0 or an errno of a step on `path` as a Result.
Result<void> done(const std::string& doing, const std::string& path, int os_errno) {
  if (os_errno != 0) return tl::unexpected(os_error(doing, path, os_errno));
  return {};
}

}  // namespace

std::string reset_command(const std::string& path) {
  const std::string name = os::name_of(path);
  const std::string interface = name.substr(0, name.rfind('.'));
  if (interface == kDefaultInterface) return "wesher --init";
  return "wesher --interface " + interface + " --init";
}

Error os_error(const std::string& doing, const std::string& path, int os_errno) {
  return {
      code_for(os_errno),
      fmt::format("can't {} {}: {}{}", doing, path, os::errno_text(os_errno), remedy_for(os_errno)),
      os_errno};
}

Error symlink_error(const std::string& path) {
  return {Errc::state_unusable,
          path +
              " is a symbolic link, and wesher follows none there; put the file itself in its "
              "place"};
}

Result<void> ensure_directory(const std::string& directory) {
  struct stat found {};

  if (os::stat(directory, found) != 0) {
    if (errno != ENOENT) return tl::unexpected(os_error("use", directory, errno));
    const std::string parent = os::directory_of(directory);
    if (const int os_errno = os::make_directories(parent); os_errno != 0) {
      return tl::unexpected(os_error("create", parent, os_errno));
    }
    if (os::mkdir(directory, 0700) != 0 && errno != EEXIST) {
      return tl::unexpected(os_error("create", directory, errno));
    }
    if (os::stat(directory, found) != 0) {
      return tl::unexpected(os_error("use", directory, errno));
    }
  }
  if (!S_ISDIR(found.st_mode)) {
    return fail(Errc::state_unusable,
                directory + " is not a directory; move it away, wesher keeps its state there");
  }
  if (found.st_uid != ::geteuid()) {
    return fail(Errc::state_unusable,
                fmt::format("{} belongs to uid {}, not to uid {} that runs wesher; take it back "
                            "with: chown {} {}",
                            directory, found.st_uid, ::geteuid(), ::geteuid(), directory));
  }
  if ((found.st_mode & 022U) != 0) {
    return fail(Errc::state_unusable,
                fmt::format("others can write in {} (mode {:04o}); repair it with: chmod 700 {}",
                            directory, found.st_mode & 07777U, directory));
  }
  return {};
}

Result<std::optional<FileFacts>> look_at(const std::string& path) {
  struct stat found {};

  if (os::lstat(path, found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileFacts>();
    return tl::unexpected(os_error("open", path, errno));
  }
  if (S_ISLNK(found.st_mode)) return tl::unexpected(symlink_error(path));
  if (!S_ISREG(found.st_mode)) {
    return fail(Errc::state_unusable, path + " is not a regular file; move it away");
  }
  return FileFacts{found.st_uid, found.st_mode & 07777U, static_cast<std::uint64_t>(found.st_size),
                   found.st_ino, found.st_dev};
}

Result<void> check_owner(const std::string& path,
                         std::uint32_t owner,
                         std::uint32_t mode,
                         std::uint32_t forbidden) {
  if (owner != ::geteuid()) {
    return fail(Errc::state_unusable,
                fmt::format("{} belongs to uid {}, not to uid {} that runs wesher; if it is yours, "
                            "take it back with: chown {} {}",
                            path, owner, ::geteuid(), ::geteuid(), path));
  }
  if ((mode & forbidden) != 0) {
    return fail(Errc::state_unusable,
                fmt::format("{} is open to other users (mode {:04o}); repair it with: chmod 600 {}",
                            path, mode, path));
  }
  return {};
}

Result<void> replace_durably(const std::string& path, ByteView bytes) {
  if (auto cleaned = remove_stale_temporaries(path); !cleaned) return cleaned;
  return write_durably(path, bytes, Existing::replace);
}

Result<void> write_durably(const std::string& path, ByteView bytes, Existing existing) {
  std::string temporary = path + std::string(kTemporaryMark) + "XXXXXX";
  os::UniqueFd file(os::make_temporary(temporary));  // 0600
  if (!file) return tl::unexpected(os_error("write", path, errno));
  int os_errno = os::write_all(file.get(), bytes, 0);
  if (os_errno == 0 && os::fsync(file.get()) != 0) os_errno = errno;
  if (os_errno != 0) {
    os::unlink(temporary);
    return done("write", path, os_errno);
  }
  file.reset();
  const auto rename = existing == Existing::replace ? os::rename : os::rename_to_new;
  if (rename(temporary, path) != 0) {
    os_errno = errno;
    os::unlink(temporary);
    if (os_errno == EEXIST) return fail(Errc::exists, path + " exists already", EEXIST);
    return done("replace", path, os_errno);
  }
  return sync_directory(os::directory_of(path));
}

Result<void> remove_file(const std::string& path) {
  return done("remove", path, os::unlink(path) != 0 && errno != ENOENT ? errno : 0);
}

Result<void> remove_stale_temporaries(const std::string& path) {
  const std::string directory = os::directory_of(path);
  std::vector<std::string> names;
  if (os::list(directory, names) != 0) return done("read", directory, errno);
  const std::string prefix = os::name_of(path) + std::string(kTemporaryMark);
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    if (auto removed = remove_file(directory + "/" + name); !removed) return removed;
  }
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  return done("write", directory, os::sync_directory(directory));
}

Result<void> sync_file(const std::string& path) {
  return done("write", path, os::sync_file(path));
}

}  // namespace wesher::store
