// Runs the real binary with a state directory of its own and collects what it writes.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace wesher::cli::testing {

/// A directory under $TMPDIR or /tmp that goes with all it contains.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Ran {
  int exit_code = -1;  ///< -1: it did not end by itself
  std::string out;
  std::string error;
};

/// Runs WESHER_BINARY with these arguments and exactly this environment, and waits for its end.
/// `stdout_path`: where its output goes instead of into `Ran::out`.
[[nodiscard]] Ran run_wesher(const std::vector<std::string>& arguments,
                             const std::map<std::string, std::string>& environment,
                             const std::string& stdout_path = "");

}  // namespace wesher::cli::testing
