#include "system/knock.h"

#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "os/unique_fd.h"

namespace wesher::system {

namespace {

constexpr std::uint16_t kDiscardPort = 9;

/// A socket whose packets leave by this interface only; none on failure.
os::UniqueFd bound_socket(int family, const std::string& interface) {
  os::UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto size = static_cast<socklen_t>(interface.size());
  if (fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(), size) != 0)
    fd.reset();
  return fd;
}

void send_empty(int fd, const IpAddress& to) {
  const ByteView bytes = to.bytes();
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (to.is_v4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kDiscardPort);
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&storage, &address, size = sizeof(address));
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(kDiscardPort);
    std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&storage, &address, size = sizeof(address));
  }
  (void)::sendto(fd, nullptr, 0, 0, reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

void knock(const std::string& interface, const std::vector<IpAddress>& addresses) {
  os::UniqueFd v4;
  os::UniqueFd v6;
  for (const IpAddress& address : addresses) {
    os::UniqueFd& fd = address.is_v4() ? v4 : v6;
    if (!fd) fd = bound_socket(address.is_v4() ? AF_INET : AF_INET6, interface);
    if (fd) send_empty(fd.get(), address);
  }
}

}  // namespace wesher::system
