#include "netns/support/refusal.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns/support/inside.h"
#include "netns/support/settings.h"

namespace wesher::netns {

namespace {

// Lines that are in one text and not in the other.
std::string difference(const std::string& before, const std::string& after) {
  std::string out;
  const auto missing = [&](const std::string& here, const std::string& there, const char* mark) {
    std::istringstream lines(here);
    for (std::string line; std::getline(lines, line);)
      if (("\n" + there).find("\n" + line + "\n") == std::string::npos) out += mark + line + "\n";
  };
  missing(before, after, "gone: ");
  missing(after, before, "new: ");
  return out;
}

}  // namespace

void require_refused(Host& host,
                     const std::vector<std::string>& arguments,
                     const Refusal& refusal) {
  const auto scope = refusal.compare_state ? Fingerprint::with_state : Fingerprint::without_state;
  const std::string before = host.fingerprint(scope);
  std::vector<std::string> argv = refusal.prefix;
  argv.insert(argv.end(), {settings().wesher, "--backend",
                           refusal.backend.empty() ? settings().backend : refusal.backend});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const Output output = host.exec_with(refusal.variables, argv);
  INFO(output.text());
  REQUIRE(output.exit_code == refusal.exit_code);
  REQUIRE(output.out.empty());
  REQUIRE(std::count(output.err.begin(), output.err.end(), '\n') == 1);
  REQUIRE(output.err.back() == '\n');
  for (const std::string& text : refusal.mentions)
    REQUIRE_THAT(output.err, Catch::Matchers::Contains(text));
  for (const std::string& text : refusal.never_mentions)
    REQUIRE_THAT(output.err, !Catch::Matchers::Contains(text));
  const std::string after = host.fingerprint(scope);
  INFO(difference(before, after));
  REQUIRE((after == before));
}

HeldPort::HeldPort(const Host& host, Port kind, std::uint16_t number) {
  bool held = false;
  inside_network(host.network_namespace(), [&] {
    fd_ = ::socket(AF_INET6, (kind == Port::tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    // As daemons do: connections of the one before that are still closing are in nobody's way.
    const int yes = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(number);
    held = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
           (kind == Port::udp || ::listen(fd_, 1) == 0);
  });
  if (!held) throw std::runtime_error("cannot hold port " + std::to_string(number));
}

HeldPort::~HeldPort() {
  ::close(fd_);
}

}  // namespace wesher::netns
