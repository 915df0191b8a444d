#include "netns/support/trace.h"

#include <regex>
#include <sstream>

namespace wesher::netns {

std::vector<std::string> strace_command(const std::string& output) {
  return {"strace", "-f",   "-ttt",
          "-s",     "4096", "-o",
          output,   "-e",   "trace=sendto,sendmsg,sendmmsg,write,writev"};
}

std::vector<std::string> Changes::all() const {
  std::vector<std::string> lines = wireguard;
  lines.insert(lines.end(), routes.begin(), routes.end());
  lines.insert(lines.end(), others.begin(), others.end());
  return lines;
}

std::string Changes::text() const {
  std::string text;
  for (const std::string& line : all())
    text += line + "\n";
  return text;
}

Changes changes_sent(const std::string& trace) {
  // A message that carries several is a line with several headers.
  static const std::regex rtnetlink(R"(nlmsg_type=RTM_(NEW|DEL|SET)([A-Z]+))");
  // Generic netlink is shown as a header and a quoted payload that begins with the command:
  // WG_CMD_SET_DEVICE = 1 (linux/wireguard.h). The userspace protocol begins with "set=1".
  static const std::regex wireguard(R"(nlmsg_type=(wireguard|0x[0-9a-f]+)[^\[]*\}, "\\(x01|1)\\)");
  static const std::regex userspace(R"("set=1)");
  Changes found;
  std::istringstream lines(trace);
  for (std::string line; std::getline(lines, line);) {
    const std::string shown = line.substr(0, 300);
    if (std::regex_search(line, wireguard) || std::regex_search(line, userspace))
      found.wireguard.push_back(shown);
    for (auto at = std::sregex_iterator(line.begin(), line.end(), rtnetlink);
         at != std::sregex_iterator(); ++at)
      ((*at)[2] == "ROUTE" ? found.routes : found.others).push_back(shown);
  }
  return found;
}

}  // namespace wesher::netns
