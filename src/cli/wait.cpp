// `wesher wait`. A commit of the daemon writes to the database's log, so a watch on the state
// directory wakes us; the kernel has no say there, so it is looked at now and then as well.
#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/state.h"

namespace wesher::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{1000};   ///< without any event: the interface makes none here
constexpr milliseconds kLookAtMost{100};   ///< least time between two looks; our own cause events
constexpr milliseconds kNoDirectory{200};  ///< between looks while there is nothing to watch

/// Tells of changes of the files in one directory, which may not exist yet.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(std::string directory)
      : directory_(std::move(directory)), fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

  ~DirectoryWatch() {
    if (fd_ >= 0) ::close(fd_);
  }

  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  /// Forgets what happened so far; what happens from here on ends a `wait`.
  void drain() {
    if (fd_ < 0) return;
    if (watch_ < 0) {
      watch_ = ::inotify_add_watch(fd_, directory_.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    }
    alignas(inotify_event) std::array<char, 4096> events{};
    ssize_t got = 0;
    while ((got = ::read(fd_, events.data(), events.size())) > 0) {
      // A directory that was removed takes its watch along.
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
        if ((event->mask & IN_IGNORED) != 0) watch_ = -1;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
  }

  /// Until something happens, or the time is over.
  void wait(milliseconds most) const {
    if (watch_ < 0) most = std::min(most, kNoDirectory);
    pollfd look{fd_, POLLIN, 0};
    (void)::poll(&look, watch_ < 0 ? 0 : 1, static_cast<int>(most.count()));
  }

 private:
  std::string directory_;
  int fd_;
  int watch_ = -1;
};

/// Whether an error may go by itself: no database yet, one that is being made or migrated.
bool may_pass(const Error& error) {
  return error.code != Errc::malformed && error.code != Errc::not_permitted;
}

/// What is missing now; an error that will not pass.
Result<std::string> look(const std::string& interface, const WaitFor& wanted) {
  const auto missing = [](const Error& error) -> Result<std::string> {
    if (may_pass(error)) return error.detail;
    return tl::unexpected(error);
  };
  const auto paths = find_state(interface);
  if (!paths) return missing(paths.error());
  // Without a daemon there is nothing to be read; opening the database would only make events.
  if (lock_holder(paths->lock_file()) == 0) return "the daemon is not running";
  const auto snapshot = load_snapshot(*paths);
  if (!snapshot) return missing(snapshot.error());
  return what_is_missing(*snapshot, wanted);
}

}  // namespace

Result<Output> wait_until_ready(const std::string& interface,
                                const WaitFor& wanted,
                                Duration timeout) {
  const auto deadline = steady_clock::now() + timeout;
  DirectoryWatch watch(store::state_directory());
  while (true) {
    watch.drain();
    const auto looked_at = steady_clock::now();
    const auto missing = look(interface, wanted);
    if (!missing) return tl::unexpected(missing.error());
    if (missing->empty()) return Output{};
    const auto rest = [&](steady_clock::time_point until) {
      const auto left = std::min(until, deadline) - steady_clock::now();
      return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(left));
    };
    if (steady_clock::now() >= deadline) {
      return fail(Errc::system, fmt::format("not ready after {}: {}", age_text(timeout), *missing));
    }
    watch.wait(rest(looked_at + kLookAgain));
    (void)::poll(nullptr, 0, static_cast<int>(rest(looked_at + kLookAtMost).count()));
  }
}

}  // namespace wesher::cli
