// The log: one line per event on stderr, which is where journald reads. Lifecycle lines appear at
// every level; everything else obeys --log-level and a limit per kind of line, so that no peer can
// fill a disk. Thread safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "daemon/options.h"

namespace spdlog {
class logger;
}

namespace wesher::daemon {

inline constexpr unsigned kLogLinesPerGroup = 10;  ///< per minute
inline constexpr std::chrono::minutes kLogGroupWindow{1};

class Log {
 public:
  /// Lines begin with "wesher: " on a terminal or in a file, with a priority like "<6>" when stderr
  /// is connected to the journal ($JOURNAL_STREAM).
  explicit Log(LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Started, joined, address chosen, conflict, left, stopped: shown at every level.
  void lifecycle(const std::string& text);
  /// `group` names the kind of line for the limit; empty = no limit (nothing a peer can trigger).
  void line(LogLevel level, const std::string& group, const std::string& text);

  void error(const std::string& text) { line(LogLevel::error, "", text); }

  void warn(const std::string& text) { line(LogLevel::warn, "", text); }

  void info(const std::string& text) { line(LogLevel::info, "", text); }

  void debug(const std::string& text) { line(LogLevel::debug, "", text); }

 private:
  struct Window {
    std::chrono::steady_clock::time_point start;
    unsigned lines = 0;
    std::uint64_t suppressed = 0;
  };

  /// Whether a line of this group may go out; tells how many were held back before.
  bool admit(const std::string& group, std::uint64_t& held_back);
  void write(LogLevel level, const std::string& text);

  LogLevel level_;
  bool journal_;
  std::shared_ptr<spdlog::logger> logger_;
  std::mutex mutex_;
  std::map<std::string, Window> windows_;
};

}  // namespace wesher::daemon
