#include "netns/support/inside.h"

#include <filesystem>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns/support/process.h"

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

pid_t userspace_program(int descriptor) {
  struct stat wanted {};

  if (::fstat(descriptor, &wanted) != 0) return 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string folder = entry.path().string();
    if (read_file(folder + "/comm") != "wireguard-go\n") continue;

    struct stat in {};

    if (::stat((folder + "/ns/net").c_str(), &in) == 0 && in.st_ino == wanted.st_ino)
      return std::stoi(entry.path().filename().string());
  }
  return 0;
}

}  // namespace wesher::netns
