// A state directory of its own for a test, and work done as another user or under a limit.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/paths.h"

namespace wesher::store::test {

/// The id of the key file that the databases of the tests belong to.
inline const std::string kId = "0123456789abcdef0123456789abcdef";

/// A new directory (0700), removed with all in it at the end.
class Place {
 public:
  Place();
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  [[nodiscard]] Paths paths() const { return {directory_, "wgoverlay"}; }

  [[nodiscard]] const std::string& directory() const { return directory_; }

  /// Path of a file in it.
  [[nodiscard]] std::string operator()(std::string_view name) const;
  /// Names of the files in it, sorted.
  [[nodiscard]] std::vector<std::string> files() const;

 private:
  std::string directory_;
};

[[nodiscard]] std::string slurp(const std::string& path);
void spill(const std::string& path, std::string_view bytes);
/// Permission bits.
[[nodiscard]] unsigned mode_of(const std::string& path);

/// Runs `work` in a child process and gives the text it returned.
[[nodiscard]] std::string in_child(const std::function<std::string()>& work);
/// In a child without root's rights: the directory is given to an ordinary user first, and the
/// child is that user. For a test that does not run as root, simply in a child.
[[nodiscard]] std::string as_ordinary_user(const Place& place,
                                           const std::function<std::string()>& work);
/// In a child that is an ordinary user, and the place is not its own. Empty when the test is not
/// run by root and so can't become another user.
[[nodiscard]] std::string as_stranger(const std::function<std::string()>& work);

}  // namespace wesher::store::test
