// What the reconcile loop still has to store. It survives a database that can't be written (full
// disk, read-only file system) and one that vanishes: the loop goes on from memory, and the next
// write that succeeds brings everything up to date.
#pragma once

#include <map>
#include <string>

#include "daemon/log.h"
#include "plan/desired.h"
#include "store/database.h"
#include "store/paths.h"
#include "store/repository.h"

namespace wesher::daemon {

class Journal {
 public:
  /// `log` outlives it.
  Journal(store::Database database,
          store::Paths paths,
          std::string key_file_id,
          std::map<std::string, std::string> options,
          Log& log);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  [[nodiscard]] store::Repository& repository() { return repository_; }

  [[nodiscard]] store::Database& database() { return database_; }

  /// Goes out with the next write.
  [[nodiscard]] store::Batch& batch() { return batch_; }

  /// Desired rows that changed; the generation rises by one.
  void rows_changed(const plan::RowChanges& rows, const Desired& now);

  /// More than rows changed, or what is stored is not known: compared and written as a whole.
  void desired_unknown() { whole_desired_ = true; }

  /// One transaction for all that waits (two when desired state is written as a whole). False: it
  /// could not be written and waits on; what grows without a bound is cut.
  bool write(const plan::DesiredTable& table);

  /// Makes a database anew that was deleted, replaced or damaged under us; true if it did.
  /// Everything is written with the next `write`.
  [[nodiscard]] bool replace_vanished(const store::SelfRow& self);

  /// Of the desired state as it was handed over last.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  /// Why the state can't be stored at present; empty if it can.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  [[nodiscard]] bool write_whole_desired(const Desired& desired);
  bool failed(const Error& error);

  store::Database database_;
  store::Paths paths_;
  std::string key_file_id_;
  std::map<std::string, std::string> options_;
  Log& log_;
  store::Repository repository_;
  store::Batch batch_;
  std::uint64_t generation_ = 0;
  bool whole_desired_ = true;   ///< `batch_.desired` says nothing
  bool whole_members_ = false;  ///< what the database has of members is behind
  bool damaged_ = false;        ///< what the last write found of the file
  std::string problem_;
};

}  // namespace wesher::daemon
