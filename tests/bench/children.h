// Child processes of a benchmark: started together, read together, and what they cost.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace wesher::bench {

using Clock = std::chrono::steady_clock;

/// What a process has used since its start.
struct Usage {
  double cpu_seconds = 0;
  std::size_t rss_bytes = 0;
};

class Children {
 public:
  Children() = default;
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// Starts a program found on PATH with stdin and stdout as pipes of ours; its number. Ends the
  /// benchmark when there is no such program.
  std::size_t start(const std::vector<std::string>& argv);

  [[nodiscard]] std::size_t size() const { return children_.size(); }

  /// Reads lines of all children until `until` or until `done`; each line with the child's number
  /// and when it was read.
  void read(Clock::time_point until,
            const std::function<void(std::size_t child, const std::string& line)>& line,
            const std::function<bool()>& done);

  [[nodiscard]] Usage usage(std::size_t child) const;
  /// Closes their stdin, then kills whatever is still there, and forgets them all.
  void stop();

 private:
  struct Child {
    pid_t pid = -1;
    int in = -1;
    int out = -1;
    std::string rest;  ///< of a line that has not ended
  };

  std::vector<Child> children_;
};

}  // namespace wesher::bench
