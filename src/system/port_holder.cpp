// Who holds a port. See host.h and port_holder.h. Thread safe.
#include "system/port_holder.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "system/host.h"
#include "system/small_file.h"

namespace wesher::system {

namespace {

/// A host with many sockets has a long table; more than this is not searched.
constexpr std::size_t kTableMax = std::size_t{16} << 20;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(' '); at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(' ', end);
  }
  return words;
}

template <class T>
bool parse(std::string_view text, T& value, int base) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return ec == std::errc{} && end == text.data() + text.size();
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// Names in a directory that are numbers: processes of /proc, descriptors of a process.
std::vector<std::string> numbered_entries(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) return names;
  while (const dirent* entry = readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name(static_cast<const char*>(entry->d_name));
    if (name.find_first_not_of("0123456789") == std::string::npos) names.push_back(name);
  }
  return names;
}

bool holds_one_of(const std::string& process, const std::vector<std::uint64_t>& inodes) {
  const std::string descriptors = "/proc/" + process + "/fd/";
  for (const std::string& fd : numbered_entries(descriptors)) {
    struct stat info {};

    if (stat((descriptors + fd).c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) continue;
    if (std::find(inodes.begin(), inodes.end(), info.st_ino) != inodes.end()) return true;
  }
  return false;
}

}  // namespace

std::vector<std::uint64_t> inodes_on_port(std::string_view table,
                                          std::uint16_t port,
                                          bool listening_only) {
  // Columns: sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode ...
  constexpr std::size_t kLocal = 1;
  constexpr std::size_t kState = 3;
  constexpr std::size_t kInode = 9;
  std::vector<std::uint64_t> inodes;
  while (!table.empty()) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    const auto words = words_of(table.substr(0, end));
    table.remove_prefix(std::min(end + 1, table.size()));
    if (words.size() <= kInode) continue;
    const std::size_t colon = words[kLocal].rfind(':');
    std::uint16_t local = 0;
    std::uint64_t inode = 0;
    if (colon == std::string_view::npos || !parse(words[kLocal].substr(colon + 1), local, 16) ||
        local != port || !parse(words[kInode], inode, 10)) {
      continue;
    }
    if (!listening_only || words[kState] == "0A") inodes.push_back(inode);
  }
  return inodes;
}

PortUse port_use(std::uint16_t port, bool tcp) {
  PortUse use;
  std::vector<std::uint64_t> inodes;
  for (const char* suffix : {"", "6"}) {
    const std::string path = std::string("/proc/net/") + (tcp ? "tcp" : "udp") + suffix;
    const std::string table = read_small_file(path, kTableMax);
    use.known = use.known || !table.empty();
    const auto found = inodes_on_port(table, port, tcp);
    inodes.insert(inodes.end(), found.begin(), found.end());
  }
  use.held = !inodes.empty();
  if (!use.held) return use;
  for (const std::string& process : numbered_entries("/proc")) {
    if (!holds_one_of(process, inodes)) continue;
    use.program = read_small_file("/proc/" + process + "/comm");
    while (!use.program.empty() && use.program.back() == '\n')
      use.program.pop_back();
    parse(process, use.pid, 10);
    break;
  }
  return use;
}

std::string port_holder(std::uint16_t port, bool tcp) {
  const PortUse use = port_use(port, tcp);
  if (use.pid == 0) return "";
  return printable(use.program) + " (pid " + std::to_string(use.pid) + ")";
}

}  // namespace wesher::system
