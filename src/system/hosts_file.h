// The hosts file on disk: read, and replaced atomically with everything about it kept. Blocking.
// Not thread safe; other programs may edit the file at any time.
//
// A write makes a temporary file beside it with the same mode, owner, group and extended attributes
// (ACL, SELinux label), then renames it over. Where that is impossible (a bind-mounted file, a
// directory that is not ours to write) the file is written in place: from the first differing byte
// on, cut to its new length only afterwards. While that goes on the whole new text lies beside it,
// if the directory can be written, and whoever comes after an interruption completes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/error.h"
#include "model/state.h"
#include "system/hosts_text.h"

namespace wesher::system {

/// A larger file is left alone: no hosts file is, and it is read whole.
inline constexpr std::size_t kHostsFileMax = std::size_t{16} << 20;

/// Tells one version of a file from another without reading it.
struct FileVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = -1;  ///< -1: there is no file
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

class HostsFile {
 public:
  /// `path` may be a symbolic link: the file behind it is edited, the link stays.
  HostsFile(std::string path, HostsRules rules);

  /// Our lines and the names on others. A file that is missing, too large, or not writable is no
  /// error: `writable` is false and `why_not` says why. It is never created.
  [[nodiscard]] ObservedHosts observe();

  /// Makes `lines` exactly ours. Nothing is written if that is so already. A concurrent edit is
  /// noticed before our version takes its place, and the work is done again on the new content;
  /// Errc::busy if that happens five times. Errc::malformed for a name that is no hostname.
  [[nodiscard]] Result<void> write(const std::vector<ObservedHostsLine>& lines);

  /// Completes or takes back what an interrupted write left, if there is anything.
  void tidy();

  /// The version as last read or written by us, to know our own change among notifications.
  [[nodiscard]] const FileVersion& last_seen() const { return last_seen_; }

  /// The version on disk now.
  [[nodiscard]] FileVersion current() const;

 private:
  struct Content {
    std::string real_path;  ///< without symbolic links
    std::string text;

    struct stat info {};
  };

  enum class Outcome : std::uint8_t { written, changed_meanwhile, not_possible };

  [[nodiscard]] Result<Content> read() const;
  [[nodiscard]] Result<Outcome> replace(const Content& old, const std::string& text);
  [[nodiscard]] Result<Outcome> write_in_place(const Content& old, const std::string& text);

  /// Beside the real file; one name per interface, so that what is left is found again.
  [[nodiscard]] std::string temporary_beside(const std::string& real_path) const;
  /// The same for a complete text that is being written in place.
  [[nodiscard]] std::string unfinished_beside(const std::string& real_path) const;
  [[nodiscard]] Result<void> finish(const std::string& real_path);
  [[nodiscard]] bool drop(const std::string& leftover);
  void note_written(int fd);

  std::string path_;
  HostsRules rules_;
  FileVersion last_seen_;
  bool untidy_ = false;  ///< a write of this process left something behind
};

}  // namespace wesher::system
