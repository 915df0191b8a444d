// The hosts file on disk. See hosts_file.h.
#include "system/hosts_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"
#include "system/os_error.h"
#include "system/unique_fd.h"

namespace wesher::system {

namespace {

constexpr int kWriteTries = 5;

FileVersion version_of(const struct stat& info) {
  constexpr std::int64_t kNs = 1000000000;
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * kNs + info.st_mtim.tv_nsec,
          info.st_ctim.tv_sec * kNs + info.st_ctim.tv_nsec};
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<void> write_all(int fd, std::string_view text, off_t offset) {
  while (!text.empty()) {
    const ssize_t n = pwrite(fd, text.data(), text.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_fail("write", errno);
    text.remove_prefix(static_cast<std::size_t>(n));
    offset += n;
  }
  return {};
}

/// Copies every extended attribute; false if one could not be.
bool copy_attributes(int from, int to) {
  std::vector<char> names(65536);
  const ssize_t length = flistxattr(from, names.data(), names.size());
  if (length < 0) return errno == ENOTSUP;
  std::vector<char> value(65536);
  for (const char* name = names.data(); name < names.data() + length;
       name += std::string_view(name).size() + 1) {
    const ssize_t size = fgetxattr(from, name, value.data(), value.size());
    if (size < 0) return false;
    if (fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0) != 0) return false;
  }
  return true;
}

/// Gives the new file what the old one has, before anybody can see it under the old name. The owner
/// first: changing it takes set-id bits away.
bool copy_metadata(int from, int to, const struct stat& info) {
  if (fchown(to, info.st_uid, info.st_gid) != 0) return false;
  if (fchmod(to, info.st_mode & 07777) != 0) return false;
  return copy_attributes(from, to);
}

bool is_unchanged(const std::string& path, const struct stat& info) {
  struct stat now {};

  return lstat(path.c_str(), &now) == 0 && version_of(now) == version_of(info);
}

/// Errors of a step of the replacement after which writing in place may still work.
bool suggests_in_place(int error) {
  return error == EBUSY || error == EXDEV || error == EACCES || error == EPERM || error == EROFS;
}

void sync_directory(const std::string& directory) {
  const UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) (void)fsync(fd.get());
}

/// Removes a temporary file unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}

  ~TemporaryFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  TemporaryFile(TemporaryFile&&) = delete;
  TemporaryFile& operator=(TemporaryFile&&) = delete;

  void keep() { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace

HostsFile::HostsFile(std::string path, HostsRules rules)
    : path_(std::move(path)), rules_(std::move(rules)) {}

FileVersion HostsFile::current() const {
  struct stat info {};

  return stat(path_.c_str(), &info) == 0 ? version_of(info) : FileVersion{};
}

Result<HostsFile::Content> HostsFile::read() const {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path_.c_str(), nullptr),
                                                         &std::free);
  if (!real) return os_fail(path_, errno);
  Content content;
  content.real_path = real.get();
  const UniqueFd fd(
      open(content.real_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd || fstat(fd.get(), &content.info) != 0) return os_fail(path_, errno);
  if (!S_ISREG(content.info.st_mode)) return fail(Errc::system, path_ + " is not a regular file");
  std::string chunk(65536, '\0');
  for (;;) {
    const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_fail(path_, errno);
    if (n == 0) return content;
    content.text.append(chunk, 0, static_cast<std::size_t>(n));
    if (content.text.size() > kHostsFileMax) {
      return fail(Errc::too_large, path_ + " is larger than 16 MiB");
    }
  }
}

ObservedHosts HostsFile::observe() {
  const auto content = read();
  if (!content) {
    last_seen_ = current();
    ObservedHosts hosts;
    hosts.writable = false;
    hosts.why_not = content.error().detail;
    return hosts;
  }
  last_seen_ = version_of(content->info);
  ObservedHosts hosts = read_hosts(content->text, rules_);
  if (faccessat(AT_FDCWD, content->real_path.c_str(), W_OK, AT_EACCESS) != 0) {
    hosts.writable = false;
    hosts.why_not = path_ + " is not writable: " + errno_text(errno);
  }
  return hosts;
}

Result<HostsFile::Outcome> HostsFile::replace(const Content& old, const std::string& text) {
  const std::string directory = directory_of(old.real_path);
  // One name per interface: what a crash left behind is taken away by the next write.
  const std::string temporary = directory + ".hosts.wesher-" + rules_.interface;
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) {
    if (suggests_in_place(errno)) return Outcome::not_possible;
    return os_fail(temporary, errno);
  }
  const UniqueFd original(open(old.real_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!original) return os_fail(path_, errno);
  const UniqueFd fd(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    if (suggests_in_place(errno)) return Outcome::not_possible;
    return os_fail(temporary, errno);
  }
  TemporaryFile cleanup(temporary);
  if (auto done = write_all(fd.get(), text, 0); !done) return with_context(temporary, done.error());
  if (!copy_metadata(original.get(), fd.get(), old.info)) return Outcome::not_possible;
  if (fsync(fd.get()) != 0) return os_fail(temporary, errno);
  if (!is_unchanged(old.real_path, old.info)) return Outcome::changed_meanwhile;
  if (rename(temporary.c_str(), old.real_path.c_str()) != 0) {
    if (suggests_in_place(errno)) return Outcome::not_possible;
    return os_fail("rename to " + old.real_path, errno);
  }
  cleanup.keep();
  note_written(fd.get());
  sync_directory(directory);
  return Outcome::written;
}

Result<HostsFile::Outcome> HostsFile::write_in_place(const Content& old, const std::string& text) {
  const UniqueFd fd(open(old.real_path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return os_fail(path_, errno);
  if (!is_unchanged(old.real_path, old.info)) return Outcome::changed_meanwhile;
  // Space for the longer text first, so that a full disk is noticed while the file is whole.
  if (fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(text.size())) != 0 &&
      errno == ENOSPC) {
    return os_fail(path_, ENOSPC);
  }
  const auto differ = std::mismatch(text.begin(), text.end(), old.text.begin(), old.text.end());
  const auto offset = static_cast<std::size_t>(differ.first - text.begin());
  const auto rest = std::string_view(text).substr(offset);
  if (auto done = write_all(fd.get(), rest, static_cast<off_t>(offset)); !done) {
    return with_context(path_, done.error());
  }
  if (ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0 || fsync(fd.get()) != 0) {
    return os_fail(path_, errno);
  }
  note_written(fd.get());
  return Outcome::written;
}

void HostsFile::note_written(int fd) {
  struct stat info {};

  if (fstat(fd, &info) == 0) last_seen_ = version_of(info);
}

Result<void> HostsFile::write(const std::vector<ObservedHostsLine>& lines) {
  for (const ObservedHostsLine& line : lines) {
    for (const std::string& name : line.names) {
      if (is_valid_hostname(name)) continue;
      return fail(Errc::malformed, "\"" + printable(name) + "\" is no hostname for " + path_);
    }
  }
  for (int i = 0; i < kWriteTries; ++i) {
    const auto old = read();
    if (!old) return tl::unexpected(old.error());
    const std::string text = edit_hosts(old->text, rules_, lines);
    last_seen_ = version_of(old->info);
    if (text == old->text) return {};
    auto outcome = replace(*old, text);
    if (outcome && *outcome == Outcome::not_possible) outcome = write_in_place(*old, text);
    if (!outcome) return tl::unexpected(outcome.error());
    if (*outcome == Outcome::written) return {};
  }
  return fail(Errc::busy, path_ + " is being changed by another program all the time");
}

}  // namespace wesher::system
