#include "daemon/log.h"

#include <cstdlib>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace wesher::daemon {

namespace {

/// syslog(3) priorities, as journald reads them from the start of a line.
const char* priority(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warn:
      return "<4>";
    case LogLevel::error:
      return "<3>";
  }
  return "";
}

}  // namespace

Log::Log(LogLevel level)
    : level_(level),
      journal_(std::getenv("JOURNAL_STREAM") !=
               nullptr),  // NOLINT(concurrency-mt-unsafe): at start
      logger_(std::make_shared<spdlog::logger>("wesher",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_pattern(journal_ ? "%v" : "wesher: %v");
  logger_->set_level(spdlog::level::trace);  // what is shown is decided here
  logger_->flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::lifecycle(const std::string& text) {
  write(LogLevel::info, text);
}

void Log::line(LogLevel level, const std::string& group, const std::string& text) {
  if (level < level_) return;
  std::uint64_t held_back = 0;
  if (!group.empty() && !admit(group, held_back)) return;
  if (held_back > 0) {
    write(level, text + " (" + std::to_string(held_back) + " more lines of this kind held back)");
  } else {
    write(level, text);
  }
}

bool Log::admit(const std::string& group, std::uint64_t& held_back) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  Window& window = windows_[group];
  if (now - window.start >= kLogGroupWindow) {
    held_back = window.suppressed;
    window = {now, 0, 0};
  }
  if (window.lines >= kLogLinesPerGroup) {
    ++window.suppressed;
    return false;
  }
  ++window.lines;
  return true;
}

void Log::write(LogLevel level, const std::string& text) {
  logger_->log(spdlog::level::info, "{}{}", journal_ ? priority(level) : "", text);
}

}  // namespace wesher::daemon
