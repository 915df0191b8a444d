#include "store/files.h"

#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wesher::store {

namespace {

namespace fs = std::filesystem;

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

Result<void> sync_path(const std::string& path, int flags) {
  const Descriptor file(::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return tl::unexpected(os_error("open", path, errno));
  // Some filesystems can't sync a directory and say EINVAL.
  if (::fsync(file.get()) != 0 && errno != EINVAL) {
    return tl::unexpected(os_error("write", path, errno));
  }
  return {};
}

Result<void> write_all(int fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return tl::unexpected(os_error("write", path, errno));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return tl::unexpected(os_error("write", path, errno));
  return {};
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string directory_of(const std::string& path) {
  const std::string directory = fs::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

std::string name_of(const std::string& path) {
  return fs::path(path).filename().string();
}

std::string reset_command(const std::string& path) {
  const std::string interface = fs::path(path).stem().string();
  if (interface == kDefaultInterface) return "wesher --init";
  return "wesher --interface " + interface + " --init";
}

Error os_error(const std::string& doing, const std::string& path, int os_errno) {
  return {code_for(os_errno),
          fmt::format("can't {} {}: {}{}", doing, path, std::generic_category().message(os_errno),
                      remedy_for(os_errno)),
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

  if (::stat(directory.c_str(), &found) != 0) {
    if (errno != ENOENT) return tl::unexpected(os_error("use", directory, errno));
    const std::string parent = directory_of(directory);
    std::error_code error;
    fs::create_directories(parent, error);
    if (error) return tl::unexpected(os_error("create", parent, error.value()));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return tl::unexpected(os_error("create", directory, errno));
    }
    if (::stat(directory.c_str(), &found) != 0) {
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

  if (::lstat(path.c_str(), &found) != 0) {
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
  std::string temporary = path + std::string(kTemporaryMark) + "XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // 0600
  if (!file.valid()) return tl::unexpected(os_error("write", path, errno));
  if (auto written = write_all(file.get(), bytes, path); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  file.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int os_errno = errno;
    ::unlink(temporary.c_str());
    return tl::unexpected(os_error("replace", path, os_errno));
  }
  return sync_directory(directory_of(path));
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return tl::unexpected(os_error("remove", path, errno));
  }
  return {};
}

Result<void> remove_stale_temporaries(const std::string& path) {
  const std::string prefix = name_of(path) + std::string(kTemporaryMark);
  std::error_code error;
  for (fs::directory_iterator it(directory_of(path), error), end; !error && it != end;
       it.increment(error)) {
    if (!it->path().filename().string().starts_with(prefix)) continue;
    if (auto removed = remove_file(it->path().string()); !removed) return removed;
  }
  if (error) return tl::unexpected(os_error("read", directory_of(path), error.value()));
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  return sync_path(directory, O_DIRECTORY);
}

Result<void> sync_file(const std::string& path) {
  return sync_path(path, O_NOFOLLOW);
}

}  // namespace wesher::store
