// The disk of the sweep: real files below one directory, every call of the program on them passing
// here, and a memory of what of them is durable. A process can be killed (all that it wrote stays),
// or power can be cut: then of what was not synced nothing stays, or some of it.
//
// Durable is the content of a file as of its last fsync, and the names in a directory as of the
// directory's last fsync. Changes of names that were not synced survive in the order in which they
// were made (a journal), up to any point; unsynced content survives block by block in any mixture.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "os/calls.h"
#include "tests/sweep/support/faults.h"

namespace wesher::test {

/// All bytes of a file; none if there is no such file.
[[nodiscard]] std::string content_of(const std::string& path);

class Disk final : public os::Interposer {
 public:
  /// The files below `root` as they are there are durable. Installs itself.
  Disk(std::string root, Faults& faults);
  ~Disk() override;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  Disk(Disk&&) = delete;
  Disk& operator=(Disk&&) = delete;

  int before(os::Call& call) override;
  void after(const os::Call& call, long result) override;

  /// Everything is durable as it is.
  void sync_all() { load(); }

  /// Nobody can rename anything to this path (EBUSY), as to a file that is a mount point.
  void set_mount_point(std::string path) { mount_point_ = std::move(path); }

  /// Power is cut: the files become what is durable, or something between that and what
  /// they are. No process has any of them open.
  void cut_power(const Fault& how, Rng& rng);

  /// Every file below the root with its content, but for SQLite's shared memory; paths from the
  /// root on.
  [[nodiscard]] std::map<std::string, std::string> files() const;

 private:
  struct File {
    std::string durable;  ///< content as of the last sync
    std::string last;     ///< content when its last name went
    unsigned mode = 0600;
    bool directory = false;
  };

  using Names = std::map<std::string, std::shared_ptr<File>>;

  struct NameChange {
    std::string directory;
    std::string removed;  ///< empty: none
    std::string added;    ///< empty: none
    std::shared_ptr<File> file;
  };

  void load();
  void name_change(NameChange change);
  [[nodiscard]] std::string path_of(const os::Call& call) const;
  void synced(const std::string& path);
  [[nodiscard]] std::string after_cut(const std::string& path, File& file, bool torn, Rng& rng);

  std::string root_;
  Faults& faults_;
  os::Interposer* before_;
  std::string mount_point_;
  bool dies_after_ = false;
  std::map<int, std::string> open_;  ///< descriptor → path
  Names now_;
  Names durable_;
  std::vector<NameChange> unsynced_;  ///< in order
};

}  // namespace wesher::test
