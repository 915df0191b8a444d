// The lock of one interface's state: whoever holds it may create, migrate or reset. Freed by the
// kernel when the process ends, however it ends.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"
#include "os/unique_fd.h"

namespace wesher::store {

class Lock {
 public:
  /// Takes the lock (flock, not inherited by children). Errc::busy names the process that holds it
  /// ("wgoverlay is managed by another wesher (pid 812)"); other errors name the path and the
  /// remedy. Creates the directory with mode 0700.
  [[nodiscard]] static Result<Lock> take(const std::string& path, const std::string& interface);
  ~Lock();
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&& other) noexcept;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  explicit Lock(os::UniqueFd file) : file_(std::move(file)) {}

  os::UniqueFd file_;
};

}  // namespace wesher::store
