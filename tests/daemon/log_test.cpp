#include "daemon/log.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

using wesher::daemon::kLogLinesPerGroup;
using wesher::daemon::Log;
using wesher::daemon::LogLevel;

namespace {

/// What `write` brings onto stderr.
std::string on_stderr(const std::function<void()>& write) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(pipe[1], STDERR_FILENO);
  write();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(pipe[1]);
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t n = 0; (n = ::read(pipe[0], chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  ::close(pipe[0]);
  return text;
}

}  // namespace

TEST_CASE("lifecycle lines appear at every level and others obey it", "[daemon][log]") {
  ::unsetenv("JOURNAL_STREAM");
  CHECK(on_stderr([] {
          Log log(LogLevel::error);
          log.lifecycle("started");
          log.warn("odd");
          log.info("news");
          log.error("lost");
        }) == "wesher: started\nwesher: lost\n");
}

TEST_CASE("under the journal a line begins with its priority", "[daemon][log]") {
  ::setenv("JOURNAL_STREAM", "8:1", 1);
  CHECK(on_stderr([] {
          Log log(LogLevel::debug);
          log.lifecycle("started");
          log.error("lost");
          log.warn("odd");
          log.debug("choice");
        }) == "<6>started\n<3>lost\n<4>odd\n<7>choice\n");
  ::unsetenv("JOURNAL_STREAM");
}

TEST_CASE("a kind of line is limited and the others are not", "[daemon][log]") {
  ::unsetenv("JOURNAL_STREAM");
  const std::string text = on_stderr([] {
    Log log(LogLevel::warn);
    for (int i = 0; i < 1000; ++i)
      log.line(LogLevel::warn, "flood", "again");
    log.line(LogLevel::warn, "other", "once");
  });
  CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<int>(kLogLinesPerGroup) + 1);
  CHECK(text.ends_with("wesher: once\n"));
}
