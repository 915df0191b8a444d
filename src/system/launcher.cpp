// Starts a userspace WireGuard program. See launcher.h.
#include "system/launcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "os/error.h"
#include "os/unique_fd.h"

namespace wesher::system {

namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where in the new program its error texts go until it is up: 3 is the pipe that closes at exec.
constexpr int kStatusFd = 3;

std::string environment_or(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return value != nullptr && *value != '\0' ? value : otherwise;
}

bool is_executable(const std::string& path) {
  struct stat info {};

  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

/// What the child between fork and exec needs, prepared before the fork: there it may call
/// async-signal-safe functions only.
struct ChildPlan {
  const char* path;
  char* const* argv;
  char* const* envp;
  int null_fd;
  int output_fd;
  int status_fd;
};

/// What the child reports through the status pipe.
struct ChildReport {
  int os_errno = 0;
  pid_t pid = 0;
};

/// A report that does not arrive is missed by the parent, which then reads the end of the pipe.
void send_report(int fd, const ChildReport& report) {
  const ssize_t written = write(fd, &report, sizeof report);
  static_cast<void>(written);
}

[[noreturn]] void become_program(const ChildPlan& plan) {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2}) {
    (void)::signal(signal, SIG_DFL);
  }
  ChildReport report{0, getpid()};
  send_report(plan.status_fd, report);
  umask(022);
  if (chdir("/") == 0 && dup2(plan.null_fd, 0) >= 0 && dup2(plan.output_fd, 1) >= 0 &&
      dup2(plan.output_fd, 2) >= 0 && dup2(plan.status_fd, kStatusFd) >= 0) {
    fcntl(kStatusFd, F_SETFD, FD_CLOEXEC);
    // Old kernels have no close_range; everything we open is close-on-exec anyway.
    (void)syscall(SYS_close_range, kStatusFd + 1, ~0U, 0);
    execve(plan.path, plan.argv, plan.envp);
  }
  report.os_errno = errno;
  send_report(kStatusFd, report);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts)
    out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Descriptors 0–3 are overwritten in the child, so ours must lie above.
Result<os::UniqueFd> above_standard(int fd, std::string_view what) {
  const os::UniqueFd low(fd);
  if (!low) return os::refused(what, errno);
  os::UniqueFd high(fcntl(low.get(), F_DUPFD_CLOEXEC, 10));
  if (!high) return os::refused(what, errno);
  return high;
}

/// Forks twice, so that the program becomes init's child. The process id, or why exec failed.
Result<pid_t> spawn(const Launch& what, int output_fd) {
  auto null_fd = above_standard(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
  if (!null_fd) return tl::unexpected(null_fd.error());
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return os::refused("pipe", errno);
  const os::UniqueFd read_end(ends[0]);
  auto write_end = above_standard(ends[1], "pipe");
  if (!write_end) return tl::unexpected(write_end.error());

  std::vector<std::string> arguments{what.path, what.interface};
  std::vector<std::string> environment = clean_environment(environ);
  environment.emplace_back("LOG_LEVEL=error");  // else wireguard-go in the background says nothing
  std::vector<char*> argv = pointers(arguments);
  std::vector<char*> envp = pointers(environment);
  const ChildPlan plan{what.path.c_str(), argv.data(), envp.data(),
                       null_fd->get(),    output_fd,   write_end->get()};
  const pid_t middle = fork();
  if (middle < 0) return os::refused("cannot start " + what.path, errno);
  if (middle == 0) {
    setsid();
    const pid_t child = fork();
    if (child == 0) become_program(plan);
    if (child < 0) {
      const ChildReport report{errno, 0};
      send_report(plan.status_fd, report);
    }
    _exit(0);
  }
  write_end->reset();
  while (waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_t pid = 0;
  ChildReport report;
  while (read(read_end.get(), &report, sizeof report) == sizeof report) {
    if (report.os_errno != 0) return os::refused("cannot execute " + what.path, report.os_errno);
    pid = report.pid;
  }
  return pid;
}

/// What follows "ERROR: (INTERFACE) DATE TIME " in a line of wireguard-go, or the line as it is.
std::string_view without_prefix(std::string_view line) {
  if (!line.starts_with("ERROR: (")) return line;
  std::string_view rest = line;
  for (int word = 0; word < 4; ++word) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return line;
    rest.remove_prefix(space + 1);
  }
  return rest;
}

std::string said_by(int output_fd) {
  std::string text(2048, '\0');
  const ssize_t n = pread(output_fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  // The reason is on the last line; what comes before is a banner, in a frame.
  constexpr std::string_view kFrame = "\xe2\x94";  // begins each of its characters in UTF-8
  std::istringstream lines(text);
  std::string reason;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with(kFrame)) reason = line;
  }
  return printable(without_prefix(reason));
}

void drain(int inotify_fd) {
  std::array<char, 4096> buffer{};
  while (read(inotify_fd, buffer.data(), buffer.size()) > 0) {
  }
}

struct Attempt {
  Result<void> ready;
  bool ended = false;  ///< without an interface
};

/// Waits for readiness, for the end of the program, or for the time limit. Those that go into the
/// background end before they are up, wireguard-go with its interface made: on a busy machine the
/// rest takes seconds.
Attempt await_ready(const Launch& what, pid_t pid, int inotify_fd, int output_fd) {
  const auto deadline = std::chrono::steady_clock::now() + what.timeout;
  // A program that is gone already has no pidfd: then only the directory is waited for.
  os::UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  bool ended = !process && errno == ESRCH;
  std::optional<std::chrono::steady_clock::time_point> grace;
  while (!what.ready()) {
    const auto now = std::chrono::steady_clock::now();
    if (ended && !grace) grace = now + std::chrono::milliseconds(500);
    const bool given_up = grace && now >= *grace && if_nametoindex(what.interface.c_str()) == 0;
    if (now >= deadline || given_up) {
      const std::string said = said_by(output_fd);
      const std::string failed = given_up ? " ended and made no " + what.interface
                                          : " did not bring up " + what.interface + " in time";
      const std::string why = what.path + failed + (said.empty() ? "" : ", it said: " + said);
      return {fail(Errc::system, why), given_up};
    }
    // The short limit covers the moment between a socket's file and its first listen.
    std::array<pollfd, 2> fds{{{inotify_fd, POLLIN, 0}, {process.get(), POLLIN, 0}}};
    (void)poll(fds.data(), process ? 2 : 1, 20);
    drain(inotify_fd);
    if (process && (fds[1].revents & POLLIN) != 0) {
      ended = true;
      process.reset();
    }
  }
  return {};
}

Attempt launch_once(const Launch& what) {
  auto output = above_standard(memfd_create("wireguard-start", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                               "memory file");
  if (!output) return {tl::unexpected(output.error())};
  const os::UniqueFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify || inotify_add_watch(inotify.get(), what.watch_directory.c_str(),
                                    IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0) {
    return {os::refused("cannot watch " + what.watch_directory, errno)};
  }
  const auto pid = spawn(what, output->get());
  if (!pid) return {tl::unexpected(pid.error())};
  auto attempt = await_ready(what, *pid, inotify.get(), output->get());
  // A program that goes on writing must not fill memory: from here on its writes fail.
  (void)fcntl(output->get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK);
  return attempt;
}

}  // namespace

std::string userspace_program() {
  return environment_or("WG_QUICK_USERSPACE_IMPLEMENTATION", "wireguard-go");
}

std::string find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return is_executable(program) ? program : "";
  const std::string path = environment_or("PATH", kDefaultPath);
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    std::string candidate = path.substr(at, end - at) + "/" + program;
    if (end > at && is_executable(candidate)) return candidate;
    at = end + 1;
  }
  return "";
}

std::vector<std::string> clean_environment(char** environment) {
  std::vector<std::string> out;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view name = entry.substr(0, entry.find('='));
    const bool plain = name == "PATH" || name == "HOME" || name == "LANG" || name == "TZ";
    if (plain || name.starts_with("WG_") || name.starts_with("GO")) out.emplace_back(entry);
  }
  return out;
}

Result<void> launch(const Launch& what) {
  auto attempt = launch_once(what);
  if (attempt.ended) attempt = launch_once(what);
  return attempt.ready;
}

}  // namespace wesher::system
