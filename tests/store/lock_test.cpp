// The interface lock.
#include "store/lock.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/store/support/place.h"

using namespace wesher;
using namespace wesher::store;
using namespace wesher::store::test;

namespace {

std::string take_text(const std::string& path) {
  const auto lock = Lock::take(path, "wgoverlay");
  return lock ? "taken" : lock.error().detail;
}

}  // namespace

TEST_CASE("a held lock is refused with the process that holds it") {
  const Place place;
  const std::string path = place.paths().lock_file();
  {
    const auto lock = Lock::take(path, "wgoverlay");
    REQUIRE(lock);
    CHECK(mode_of(path) == 0600);
    const auto second = Lock::take(path, "wgoverlay");
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::busy);
    const std::string want =
        "wgoverlay is managed by another wesher (pid " + std::to_string(::getpid()) + ")";
    CHECK(second.error().detail == want);
    CHECK(in_child([&] { return take_text(path); }) == want);
  }
  CHECK(in_child([&] { return take_text(path); }) == "taken");
  CHECK(slurp(path).empty());
}

TEST_CASE("a lock is free when its holder was killed") {
  const Place place;
  const std::string path = place.paths().lock_file();
  (void)in_child([&]() -> std::string {
    auto lock = Lock::take(path, "wgoverlay");
    if (lock) ::_exit(0);  // nothing is released by us
    return "not taken";
  });
  CHECK(slurp(path) != "");  // its pid is still there, and does not count
  CHECK(Lock::take(path, "wgoverlay"));
}

TEST_CASE("a lock moves with its object and is not inherited by programs") {
  const Place place;
  const std::string path = place.paths().lock_file();
  auto lock = Lock::take(path, "wgoverlay");
  REQUIRE(lock);
  {
    Lock moved = std::move(*lock);
    CHECK_FALSE(Lock::take(path, "wgoverlay"));
    bool all_closed_on_exec = true;
    for (int fd = 3; fd < 64; ++fd) {
      struct stat open_file {};

      struct stat named {};

      if (::fstat(fd, &open_file) != 0 || ::stat(path.c_str(), &named) != 0) continue;
      if (open_file.st_ino != named.st_ino) continue;
      all_closed_on_exec = all_closed_on_exec && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
    }
    CHECK(all_closed_on_exec);
  }
  CHECK(Lock::take(path, "wgoverlay"));
}

TEST_CASE("junk in a held lock file names nobody") {
  const Place place;
  const std::string path = place.paths().lock_file();
  const auto lock = Lock::take(path, "wgoverlay");
  REQUIRE(lock);
  spill(path, "\x1b[31mroot");
  CHECK(take_text(path) == "wgoverlay is managed by another wesher");
}

TEST_CASE("a lock file that is a link is refused") {
  const Place place;
  REQUIRE(::symlink("elsewhere", place.paths().lock_file().c_str()) == 0);
  CHECK_THAT(take_text(place.paths().lock_file()), Catch::Contains("is a symbolic link"));
}

TEST_CASE("taking a lock makes the directory with mode 0700") {
  const Place place;
  REQUIRE(Lock::take(place("new/wgoverlay.lock"), "wgoverlay"));
  CHECK(mode_of(place("new")) == 0700);
}
