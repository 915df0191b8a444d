// What store/ and system/ share about files. Functions that can be refused give 0 or the errno, so
// that each caller says in its own words what it tried and what helps.
#pragma once

#include <string>

#include <sys/types.h>

#include "base/bytes.h"

namespace wesher::os {

/// "a/b" of "a/b/c", "." of "c", "/" of "/c".
[[nodiscard]] std::string directory_of(const std::string& path);
/// "c.keys" of "a/b/c.keys".
[[nodiscard]] std::string name_of(const std::string& path);

/// Writes all of it from `offset` on, after interruptions and short writes too.
[[nodiscard]] int write_all(int fd, ByteView bytes, off_t offset);

/// Makes the content of a file durable. No link is followed.
[[nodiscard]] int sync_file(const std::string& path);
/// Makes renames and removals in a directory durable. A filesystem that can't do it is no error.
[[nodiscard]] int sync_directory(const std::string& directory);

/// Makes a directory (0755) and those above it, where there are none.
[[nodiscard]] int make_directories(const std::string& path);

}  // namespace wesher::os
