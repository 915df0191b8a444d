#include "store/aside.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fcntl.h>

#include "os/calls.h"
#include "os/files.h"
#include "os/unique_fd.h"
#include "store/files.h"
#include "store/sql.h"

namespace wesher::store {

namespace {

constexpr std::string_view kAsideMark = ".aside-";

/// Numbers of the databases that lie aside, ascending. Their -wal and -shm don't count.
Result<std::vector<std::uint64_t>> aside_numbers(const std::string& path) {
  std::vector<std::uint64_t> numbers;
  const std::string directory = os::directory_of(path);
  std::vector<std::string> names;
  if (os::list(directory, names) != 0) return tl::unexpected(os_error("read", directory, errno));
  const std::string prefix = os::name_of(path) + std::string(kAsideMark);
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    std::uint64_t number = 0;
    const char* const last = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), last, number);
    if (parsed.ec == std::errc{} && parsed.ptr == last) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string aside_path(const std::string& path, std::uint64_t number) {
  return path + std::string(kAsideMark) + std::to_string(number);
}

constexpr std::string_view kSuffixes[] = {"", "-wal", "-shm"};

}  // namespace

Result<std::string> move_aside(const std::string& path) {
  const auto numbers = aside_numbers(path);
  if (!numbers) return tl::unexpected(numbers.error());
  const std::string target = aside_path(path, numbers->empty() ? 1 : numbers->back() + 1);
  for (const auto suffix : kSuffixes) {
    const std::string from = path + std::string(suffix);
    if (os::rename(from, target + std::string(suffix)) != 0 && errno != ENOENT) {
      return tl::unexpected(os_error("move", from, errno));
    }
  }
  const std::size_t too_many =
      numbers->size() + 1 > kAsideKept ? numbers->size() + 1 - kAsideKept : 0;
  for (std::size_t i = 0; i < too_many; ++i) {
    for (const auto suffix : kSuffixes) {
      auto removed = remove_file(aside_path(path, (*numbers)[i]) + std::string(suffix));
      if (!removed) return tl::unexpected(removed.error());
    }
  }
  if (auto synced = sync_directory(os::directory_of(path)); !synced) {
    return tl::unexpected(synced.error());
  }
  return target;
}

Result<void> keep_copy(SQLite::Database& db, const std::string& path, int version) {
  const std::string target = path + ".v" + std::to_string(version);
  const std::string unfinished = target + ".new";
  if (auto removed = remove_file(unfinished); !removed) return removed;
  // VACUUM INTO takes an empty file, so that it never exists with another mode.
  os::UniqueFd made(os::open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made) return tl::unexpected(os_error("write", unfinished, errno));
  made.reset();
  try {
    SQLite::Statement copy(db, "VACUUM INTO ?");
    Binder(copy).text(unfinished).run();
  } catch (const SQLite::Exception&) {
    os::unlink(unfinished);
    throw;
  }
  if (auto synced = sync_file(unfinished); !synced) return synced;
  if (os::rename(unfinished, target) != 0) {
    return tl::unexpected(os_error("write", target, errno));
  }
  return sync_directory(os::directory_of(path));
}

}  // namespace wesher::store
