#include "store/reset.h"

#include "store/files.h"

namespace wesher::store {

Result<void> reset_state(const Paths& paths) {
  // The database goes first: alone it would count as state whose keys are lost. And it goes before
  // its write-ahead log, which alone is nothing, while a database without its log is an old one.
  const std::string database = paths.database();
  for (const std::string& path :
       {database, database + "-wal", database + "-shm", paths.key_file()}) {
    if (auto removed = remove_file(path); !removed) return removed;
  }
  const auto there = look_at(paths.directory);
  if (there && !*there) return {};  // no state directory, nothing to reset
  if (auto cleaned = remove_stale_temporaries(paths.key_file()); !cleaned) return cleaned;
  return sync_directory(paths.directory);
}

}  // namespace wesher::store
