#include "netns/support/inside.h"

#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

namespace wesher::netns {

void inside_network(int descriptor, const std::function<void()>& work) {
  const int own = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0 || ::setns(descriptor, CLONE_NEWNET) != 0)
    throw std::runtime_error("cannot enter a network namespace");
  work();
  const bool back = ::setns(own, CLONE_NEWNET) == 0;
  ::close(own);
  if (!back) throw std::runtime_error("cannot come back from a network namespace");
}

std::vector<std::string> interface_addresses(const std::string& interface) {
  std::vector<std::string> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (interface != entry->ifa_name || entry->ifa_addr == nullptr) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
      ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    }
    if (text[0] != '\0') found.emplace_back(text);
  }
  ::freeifaddrs(list);
  return found;
}

}  // namespace wesher::netns
