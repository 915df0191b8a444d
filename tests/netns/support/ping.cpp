#include "netns/support/ping.h"

#include <csignal>
#include <regex>
#include <stdexcept>

namespace wesher::netns {

Pinger::Pinger(Host& host, const std::string& target)
    : host_(host),
      label_("ping-" + target),
      process_(host.start(label_, {"ping", "-n", "-i", "0.1", "-W", "2", target})) {}

int Pinger::sent() const {
  const std::string text = read_file(host_.path("/run/" + label_ + ".out"));
  const std::size_t last = text.rfind("icmp_seq=");
  return last == std::string::npos ? 0 : std::stoi(text.substr(last + 9));
}

const std::string& Pinger::end() {
  if (!summary_.empty()) return summary_;
  process_.signal(SIGINT);
  if (!process_.wait_for_end(10s)) throw std::runtime_error("ping does not end");
  const std::string text = read_file(host_.path("/run/" + label_ + ".out"));
  const std::size_t at = text.rfind("---\n");
  summary_ = at == std::string::npos ? "(no summary)" : text.substr(at + 4);
  return summary_;
}

int Pinger::lost() {
  static const std::regex counts("([0-9]+) packets transmitted, ([0-9]+) received");
  std::smatch found;
  const std::string text = end();
  if (!std::regex_search(text, found, counts)) throw std::runtime_error("ping said: " + text);
  // The one in flight when it was ended is nobody's loss.
  const int missing = std::stoi(found[1]) - std::stoi(found[2]);
  return std::stoi(found[1]) - 1 == sent() && missing == 1 ? 0 : missing;
}

}  // namespace wesher::netns
