#include "netns/support/process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns/support/settings.h"

namespace wesher::netns {

using namespace std::chrono_literals;

namespace {

// Between fork and exec only: an open file in place of a standard descriptor.
void redirect(int fd, const std::string& path, int flags) {
  const int file = ::open(path.empty() ? "/dev/null" : path.c_str(), flags | O_CLOEXEC, 0644);
  if (file < 0 || ::dup2(file, fd) < 0) ::_exit(126);
}

void enter(int fd, int kind) {
  if (fd >= 0 && ::setns(fd, kind) != 0) ::_exit(125);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// A file of its own for every captured stream, on the tmpfs that goes with the scenario.
std::string scratch_file() {
  std::string path = std::string(kRigDirectory) + "/capture-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("cannot write to " + path);
  ::close(fd);
  return path;
}

std::string take_file(const std::string& path) {
  std::string text = read_file(path);
  ::unlink(path.c_str());
  return text;
}

}  // namespace

Process spawn(const std::vector<std::string>& argv, const SpawnOptions& options) {
  static const std::vector<std::string> plain = {std::string("PATH=") + kToolPath, "HOME=/root"};
  const std::vector<std::string>& environment =
      options.environment.empty() ? plain : options.environment;
  std::vector<char*> arguments = pointers(argv);
  std::vector<char*> variables = pointers(environment);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    // Files first: they are named as the scenario's mount namespace sees them.
    redirect(STDIN_FILENO, options.in, O_RDONLY);
    redirect(STDOUT_FILENO, options.out, O_WRONLY | O_CREAT | O_APPEND);
    redirect(STDERR_FILENO, options.err, O_WRONLY | O_CREAT | O_APPEND);
    enter(options.namespaces.net, CLONE_NEWNET);
    enter(options.namespaces.uts, CLONE_NEWUTS);
    enter(options.namespaces.mnt, CLONE_NEWNS);
    if (::setpgid(0, 0) != 0 || ::chdir("/") != 0) ::_exit(124);
    // The program itself is looked up on the rig's PATH, not on the one the child is given.
    ::execvpe(arguments[0], arguments.data(), variables.data());
    const std::string why = std::string("cannot run ") + arguments[0] + ": " +
                            std::generic_category().message(errno) + "\n";
    if (::write(STDERR_FILENO, why.data(), why.size()) < 0) ::_exit(126);
    ::_exit(127);
  }
  Process process(pid);
  process.ended_ = false;
  return process;
}

bool Process::running() {
  if (ended_) return false;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0) return true;
  ended_ = true;
  if (got == pid_ && WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
  if (got == pid_ && WIFSIGNALED(status)) exit_code_ = 128 + WTERMSIG(status);
  return false;
}

void Process::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

bool Process::wait_for_end(std::chrono::milliseconds bound) {
  const auto until = std::chrono::steady_clock::now() + bound;
  while (running()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::string Output::text() const {
  return "exit code " + std::to_string(exit_code) + "\nstdout: " + out + "\nstderr: " + err;
}

Output run(const std::vector<std::string>& argv,
           const SpawnOptions& options,
           const std::string& input,
           std::chrono::milliseconds bound) {
  SpawnOptions captured = options;
  captured.out = scratch_file();
  captured.err = scratch_file();
  if (!input.empty()) {
    captured.in = scratch_file();
    write_file(captured.in, input);
  }
  Process process = spawn(argv, captured);
  const bool ended = process.wait_for_end(bound);
  if (!ended) {
    process.signal(SIGKILL);
    while (process.running())
      std::this_thread::sleep_for(5ms);
  }
  if (!input.empty()) ::unlink(captured.in.c_str());
  Output output{process.exit_code(), take_file(captured.out), take_file(captured.err)};
  if (!ended) output.err += "\n(killed: it did not end in time)";
  return output;
}

std::string must_run(const std::vector<std::string>& argv,
                     const SpawnOptions& options,
                     const std::string& input) {
  Output output = run(argv, options, input);
  if (output.exit_code == 0) return output.out;
  std::string line;
  for (const std::string& word : argv)
    line += word + " ";
  throw std::runtime_error(line + "failed: " + output.text());
}

std::string read_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace wesher::netns
