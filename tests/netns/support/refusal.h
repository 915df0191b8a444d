// Starts that have to be refused, and what gets in their way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netns/support/host.h"

namespace wesher::netns {

struct Refusal {
  std::vector<std::string> prefix = {};  ///< words before the program, e.g. setpriv
  int exit_code = 1;
  std::vector<std::string> mentions = {};        ///< all of them in the one line
  std::vector<std::string> never_mentions = {};  ///< e.g. a secret
  std::vector<std::string> variables = {};
  std::string backend{};      ///< empty: the one of this run
  bool compare_state = true;  ///< false where a running daemon writes its own
};

/// Runs the daemon with these arguments and fails the scenario unless it ends by itself with that
/// exit code, one line on stderr and nothing on stdout, and has changed nothing on the host.
void require_refused(Host& host, const std::vector<std::string>& arguments, const Refusal& refusal);

enum class Port { tcp, udp };

/// A port of a host that the scenario's own process holds while this object lives.
class HeldPort {
 public:
  HeldPort(const Host& host, Port kind, std::uint16_t number);
  ~HeldPort();
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace wesher::netns
