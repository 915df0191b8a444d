#include "daemon/notify.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using wesher::daemon::Notifier;

namespace {

/// A service manager's end of the notification socket, in the abstract namespace.
class Manager {
 public:
  Manager() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const std::string name = "wesher-notify-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
    ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  }

  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd_);
  }

  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// The next message that is waiting, or "".
  std::string next() const {
    std::array<char, 256> text{};
    const ssize_t n = ::recv(fd_, text.data(), text.size(), 0);
    return n > 0 ? std::string(text.data(), static_cast<std::size_t>(n)) : "";
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("readiness is told once and a status only when it changed", "[daemon][notify]") {
  const Manager manager;
  Notifier notifier;
  notifier.ready("db1 alone");
  notifier.ready("db1 alone");
  notifier.status("db1 alone");
  notifier.status("db1, 1 peer");
  CHECK(manager.next() == "READY=1");
  CHECK(manager.next() == "STATUS=db1 alone");
  CHECK(manager.next() == "STATUS=db1, 1 peer");
  CHECK(manager.next().empty());
}

TEST_CASE("without a service manager nothing is sent and nothing fails", "[daemon][notify]") {
  ::unsetenv("NOTIFY_SOCKET");
  Notifier notifier;
  notifier.ready("db1 alone");
  SUCCEED();
}
