// The hosts file on disk. See hosts_file.h.
#include "system/hosts_file.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "os/calls.h"
#include "os/error.h"
#include "os/files.h"
#include "os/unique_fd.h"

namespace wesher::system {

namespace {

constexpr int kWriteTries = 5;

FileVersion version_of(const struct stat& info) {
  constexpr std::int64_t kNs = 1000000000;
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * kNs + info.st_mtim.tv_nsec,
          info.st_ctim.tv_sec * kNs + info.st_ctim.tv_nsec};
}

/// Copies every extended attribute; false if one could not be.
bool copy_attributes(int from, int to) {
  std::vector<char> names(65536);
  const ssize_t length = os::flistxattr(from, names.data(), names.size());
  if (length < 0) return errno == ENOTSUP;
  std::vector<char> value(65536);
  for (const char* name = names.data(); name < names.data() + length;
       name += std::string_view(name).size() + 1) {
    const ssize_t size = os::fgetxattr(from, name, value.data(), value.size());
    if (size < 0) return false;
    if (os::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size)) != 0) return false;
  }
  return true;
}

/// Gives the new file what the old one has, before anybody can see it under the old name. The owner
/// first: changing it takes set-id bits away.
bool copy_metadata(int from, int to, const struct stat& info) {
  if (os::fchown(to, info.st_uid, info.st_gid) != 0) return false;
  if (os::fchmod(to, info.st_mode & 07777) != 0) return false;
  return copy_attributes(from, to);
}

bool is_unchanged(const std::string& path, const struct stat& info) {
  struct stat now {};

  return os::lstat(path, now) == 0 && version_of(now) == version_of(info);
}

/// Errors of a step of the replacement after which writing in place may still work.
bool suggests_in_place(int error) {
  return error == EBUSY || error == EXDEV || error == EACCES || error == EPERM || error == EROFS;
}

Result<std::string> read_text(int fd, const std::string& path) {
  std::string text;
  std::string chunk(65536, '\0');
  for (;;) {
    const ssize_t n = os::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os::refused(path, errno);
    if (n == 0) return text;
    text.append(chunk, 0, static_cast<std::size_t>(n));
    if (text.size() > kHostsFileMax) return fail(Errc::too_large, path + " is larger than 16 MiB");
  }
}

/// Puts `rest` at `offset`, cuts the file to `size` and makes it durable; 0 or the errno.
int overwrite(int fd, std::string_view rest, std::size_t offset, std::size_t size) {
  const int os_errno = os::write_all(fd, as_bytes(rest), static_cast<off_t>(offset));
  if (os_errno != 0) return os_errno;
  if (os::ftruncate(fd, static_cast<off_t>(size)) != 0 || os::fsync(fd) != 0) return errno;
  return 0;
}

/// Longer than writing a hosts file in place takes on any disk.
constexpr time_t kInPlaceWriteSeconds = 60;

/// Whether the file was changed so long after the interrupted writing began that others did it.
bool edited_since(const struct stat& file, const struct stat& unfinished) {
  return file.st_mtim.tv_sec > unfinished.st_mtim.tv_sec + kInPlaceWriteSeconds;
}

/// Removes a temporary file unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}

  ~TemporaryFile() {
    if (!path_.empty()) os::unlink(path_);
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

  return os::stat(path_, info) == 0 ? version_of(info) : FileVersion{};
}

Result<HostsFile::Content> HostsFile::read() const {
  Content content;
  if (os::real_path(path_, content.real_path) != 0) return os::refused(path_, errno);
  const os::UniqueFd fd(
      os::open(content.real_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd || os::fstat(fd.get(), content.info) != 0) return os::refused(path_, errno);
  if (!S_ISREG(content.info.st_mode)) return fail(Errc::system, path_ + " is not a regular file");
  auto text = read_text(fd.get(), path_);
  if (!text) return tl::unexpected(text.error());
  content.text = std::move(*text);
  return content;
}

ObservedHosts HostsFile::observe() {
  if (untidy_) tidy();
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
  if (os::access(content->real_path, W_OK) != 0) {
    hosts.writable = false;
    hosts.why_not = path_ + " is not writable: " + os::errno_text(errno);
  }
  return hosts;
}

std::string HostsFile::temporary_beside(const std::string& real_path) const {
  return os::directory_of(real_path) + "/.hosts.wesher-" + rules_.interface;
}

std::string HostsFile::unfinished_beside(const std::string& real_path) const {
  return temporary_beside(real_path) + ".unfinished";
}

/// Removes a file of ours, or at least what is in it: a text that is complete already must not be
/// written once more when others have edited the file since.
bool HostsFile::drop(const std::string& leftover) {
  if (os::unlink(leftover) == 0 || errno == ENOENT) return true;
  untidy_ = true;
  const os::UniqueFd fd(os::open(leftover, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (fd) (void)os::ftruncate(fd.get(), 0);
  return false;
}

/// Writes the text that was to be written in place when the writer was interrupted; not over what
/// others wrote since.
Result<void> HostsFile::finish(const std::string& real_path) {
  const std::string unfinished = unfinished_beside(real_path);
  const os::UniqueFd from(os::open(unfinished, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!from) return errno == ENOENT ? Result<void>() : os::refused(unfinished, errno);
  auto text = read_text(from.get(), unfinished);
  if (!text) return tl::unexpected(text.error());

  struct stat began {};

  struct stat now {};

  if (os::fstat(from.get(), began) != 0) return os::refused(unfinished, errno);
  if (os::stat(real_path, now) != 0) return os::refused(real_path, errno);
  if (!text->empty() && !edited_since(now, began)) {
    const os::UniqueFd to(os::open(real_path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!to) return os::refused(real_path, errno);
    if (auto done = overwrite(to.get(), *text, 0, text->size()); done != 0) {
      return os::refused("write " + real_path, done);
    }
  }
  (void)drop(unfinished);
  return {};
}

void HostsFile::tidy() {
  std::string real_path;
  if (os::real_path(path_, real_path) != 0) return;
  untidy_ = false;
  (void)drop(temporary_beside(real_path));
  if (!finish(real_path)) untidy_ = true;
}

Result<HostsFile::Outcome> HostsFile::replace(const Content& old, const std::string& text) {
  const std::string directory = os::directory_of(old.real_path);
  const std::string temporary = temporary_beside(old.real_path);
  if (os::unlink(temporary) != 0 && errno != ENOENT) {
    if (suggests_in_place(errno)) return Outcome::not_possible;
    return os::refused(temporary, errno);
  }
  const os::UniqueFd original(os::open(old.real_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!original) return os::refused(path_, errno);
  const os::UniqueFd fd(
      os::open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    if (suggests_in_place(errno)) return Outcome::not_possible;
    return os::refused(temporary, errno);
  }
  TemporaryFile cleanup(temporary);
  if (const int os_errno = os::write_all(fd.get(), as_bytes(text), 0); os_errno != 0) {
    return os::refused("write " + temporary, os_errno);
  }
  if (!copy_metadata(original.get(), fd.get(), old.info)) return Outcome::not_possible;
  if (os::fsync(fd.get()) != 0) return os::refused(temporary, errno);
  if (!is_unchanged(old.real_path, old.info)) return Outcome::changed_meanwhile;
  if (os::rename(temporary, old.real_path) != 0) {
    if (!suggests_in_place(errno)) return os::refused("rename to " + old.real_path, errno);
    if (os::rename(temporary, unfinished_beside(old.real_path)) == 0) cleanup.keep();
    (void)os::sync_directory(directory);
    return Outcome::not_possible;
  }
  cleanup.keep();
  note_written(fd.get());
  (void)os::sync_directory(directory);
  return Outcome::written;
}

Result<HostsFile::Outcome> HostsFile::write_in_place(const Content& old, const std::string& text) {
  const std::string unfinished = unfinished_beside(old.real_path);
  const os::UniqueFd fd(os::open(old.real_path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd || !is_unchanged(old.real_path, old.info)) {
    const int os_errno = errno;
    (void)drop(unfinished);
    if (!fd) return os::refused(path_, os_errno);
    return Outcome::changed_meanwhile;
  }
  // Space for the longer text first, so that a full disk is noticed while the file is whole.
  if (os::fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(text.size())) != 0 &&
      errno == ENOSPC) {
    (void)drop(unfinished);
    return os::refused(path_, ENOSPC);
  }
  const auto differ = std::mismatch(text.begin(), text.end(), old.text.begin(), old.text.end());
  const auto offset = static_cast<std::size_t>(differ.first - text.begin());
  const auto rest = std::string_view(text).substr(offset);
  if (const int os_errno = overwrite(fd.get(), rest, offset, text.size()); os_errno != 0) {
    untidy_ = true;
    return os::refused("write " + path_, os_errno);
  }
  (void)drop(unfinished);
  note_written(fd.get());
  return Outcome::written;
}

void HostsFile::note_written(int fd) {
  struct stat info {};

  if (os::fstat(fd, info) == 0) last_seen_ = version_of(info);
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
