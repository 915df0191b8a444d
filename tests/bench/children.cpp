#include "children.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wesher::bench {

namespace {

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

Children::~Children() {
  stop();
}

std::size_t Children::start(const std::vector<std::string>& argv) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) give_up("pipe2");
  std::vector<char*> args;
  for (const std::string& arg : argv)
    args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execvp(args[0], args.data());
    std::perror(args[0]);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::fcntl(out[0], F_SETFL, O_NONBLOCK);
  children_.push_back({pid, in[1], out[0], {}});
  return children_.size() - 1;
}

void Children::read(Clock::time_point until,
                    const std::function<void(std::size_t child, const std::string& line)>& line,
                    const std::function<bool()>& done) {
  std::vector<pollfd> polled;
  for (const Child& child : children_)
    polled.push_back({child.out, POLLIN, 0});
  char buffer[65536];
  while (!done()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return;
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      const ssize_t n = ::read(polled[i].fd, buffer, sizeof buffer);
      if (n == 0) polled[i].fd = -1;  // it ended
      if (n <= 0) continue;
      std::string& rest = children_[i].rest;
      rest.append(buffer, static_cast<std::size_t>(n));
      for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
        line(i, rest.substr(0, end));
    }
  }
}

Usage Children::usage(std::size_t child) const {
  const std::string folder = "/proc/" + std::to_string(children_.at(child).pid);
  // Nanoseconds on a processor, of each thread: proc(5), "schedstat".
  double nanoseconds = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(folder + "/task", gone)) {
    double of_thread = 0;
    std::ifstream(task.path() / "schedstat") >> of_thread;
    nanoseconds += of_thread;
  }
  std::size_t pages = 0;
  std::size_t resident = 0;
  std::ifstream(folder + "/statm") >> pages >> resident;
  return {nanoseconds / 1e9, resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))};
}

void Children::stop() {
  for (const Child& child : children_) {
    ::close(child.in);
    ::close(child.out);
    ::kill(child.pid, SIGKILL);
  }
  for (const Child& child : children_)
    ::waitpid(child.pid, nullptr, 0);
  children_.clear();
}

}  // namespace wesher::bench
