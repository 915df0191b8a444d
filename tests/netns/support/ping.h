// Ten pings a second beside the scenario, and how many of them were not answered.
#pragma once

#include <string>

#include "netns/support/host.h"

namespace wesher::netns {

class Pinger {
 public:
  /// Starts at once.
  Pinger(Host& host, const std::string& target);

  /// Sent so far: the last sequence number that was answered. Counts on only while answers come.
  [[nodiscard]] int sent() const;
  /// Ends it (again: nothing happens) and gives back its summary.
  const std::string& end();
  /// Sent and never answered; ends it. A second is left for the last answer.
  [[nodiscard]] int lost();

 private:
  Host& host_;
  std::string label_;
  Process process_;
  std::string summary_;
};

}  // namespace wesher::netns
