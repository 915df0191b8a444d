// What the parts of store/ share about files: who may own them, how one is replaced durably, and
// the sentences for a refusal of the system. No lock: whoever changes state holds store::Lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace wesher::store {

/// The command that starts the interface of a state file over: "wesher --init", with --interface
/// unless it is the default one.
[[nodiscard]] std::string reset_command(const std::string& path);

/// "can't <doing> <path>: <errno text>; <remedy>", with the code that fits the errno.
[[nodiscard]] Error os_error(const std::string& doing, const std::string& path, int os_errno);

/// Errc::state_unusable: a symbolic link where a state file should be.
[[nodiscard]] Error symlink_error(const std::string& path);

/// Makes the directory (0700) and its parents (0755) if there is none. Errc::state_unusable when it
/// belongs to somebody else or others can write in it; errors of the system by os_error.
[[nodiscard]] Result<void> ensure_directory(const std::string& directory);

/// What lstat says of a state file.
struct FileFacts {
  std::uint32_t owner = 0;
  std::uint32_t mode = 0;  ///< permission bits
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
};

/// Nothing if there is no such file. Errc::state_unusable when it is a symbolic link or not a
/// regular file; errors of the system by os_error.
[[nodiscard]] Result<std::optional<FileFacts>> look_at(const std::string& path);

/// Errc::state_unusable with the repairing command unless the file belongs to the effective user
/// and none of `forbidden` is in its mode.
[[nodiscard]] Result<void> check_owner(const std::string& path,
                                       std::uint32_t owner,
                                       std::uint32_t mode,
                                       std::uint32_t forbidden);

/// Replaces `path` by a file (0600) with these bytes: temporary file beside it, fsync, rename,
/// fsync of the directory. Until the rename the old file is untouched and the temporary one is
/// removed on failure; temporary files that a crash left are removed first.
[[nodiscard]] Result<void> replace_durably(const std::string& path, ByteView bytes);

/// What to do about a file that is there already.
enum class Existing : std::uint8_t { keep, replace };

/// Writes a file (0600) in one step like that, but one that is no state: what lies beside it is not
/// ours. Errc::exists: there is one, and it is to be kept.
[[nodiscard]] Result<void> write_durably(const std::string& path,
                                         ByteView bytes,
                                         Existing existing);

/// Removes a file; none there is fine.
[[nodiscard]] Result<void> remove_file(const std::string& path);
/// Removes the temporary files that an interrupted replace_durably of `path` left.
[[nodiscard]] Result<void> remove_stale_temporaries(const std::string& path);
/// Makes renames and removals in a directory durable.
[[nodiscard]] Result<void> sync_directory(const std::string& directory);
/// Makes the content of a file durable.
[[nodiscard]] Result<void> sync_file(const std::string& path);

}  // namespace wesher::store
