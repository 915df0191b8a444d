// Looks at a host from outside for a while and tells what its daemon changed: messages to the
// kernel and to wireguard-go (strace, and nlmon where the kernel has it), writes of the hosts file
// (inotify), transactions (the write-ahead log of the database).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "netns/support/host.h"
#include "netns/support/monitor.h"
#include "netns/support/trace.h"

namespace wesher::netns {

struct Testimony {
  Changes sent;                          ///< by strace
  std::optional<NetlinkCounts> netlink;  ///< by nlmon; nothing where there is none
  int hosts_writes = 0;                  ///< renames over the file, and writes into it
  int transactions = 0;
  bool log_restarted = false;  ///< the write-ahead log began anew: `transactions` is too low
};

/// Commits in the write-ahead log, and which log that is.
struct LogState {
  std::uint64_t salt = 0;
  int commits = 0;
};

/// Reads the frames of a write-ahead log (sqlite.org/fileformat2.html, "WAL File Format").
[[nodiscard]] LogState read_log(const std::string& path);

class Witness {
 public:
  /// Takes its place; returns when it sees everything. Skips the scenario where strace cannot
  /// trace.
  explicit Witness(Host& host);
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  /// What happened until now does not count.
  void begin();
  /// What happened since; ends it.
  [[nodiscard]] Testimony tell();

 private:
  void start_strace();
  [[nodiscard]] int hosts_writes() const;

  Host& host_;
  NetlinkMonitor monitor_;
  Process strace_;
  int watch_ = -1;
  LogState log_;
  std::size_t traced_before_ = 0;
};

}  // namespace wesher::netns
