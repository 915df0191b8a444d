// Namespaces for tests. See sandbox.h.
#include "tests/system/support/sandbox.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wesher::test {

namespace {

void must_mount(const char* source, const char* target, const char* type, unsigned long flags) {
  if (mount(source, target, type, flags, nullptr) != 0) {
    throw Unmet(std::string("mount on ") + target + " failed");
  }
}

void set_up_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const bool up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  if (!up) throw Unmet("loopback does not come up");
}

/// As process 1 of the new namespaces: an /etc of the few files that programs look for.
void furnish() {
  must_mount("none", "/", nullptr, MS_REC | MS_PRIVATE);
  must_mount("proc", "/proc", "proc", 0);
  std::map<std::string, std::string> files;
  for (const char* name : {"passwd", "group", "nsswitch.conf"}) {
    std::ifstream in(std::string("/etc/") + name);
    files[name].assign(std::istreambuf_iterator<char>(in), {});
  }
  files["hosts"] = "127.0.0.1\tlocalhost\n";
  must_mount("tmpfs", "/run", "tmpfs", 0);
  must_mount("tmpfs", "/etc", "tmpfs", 0);
  for (const auto& [name, text] : files)
    std::ofstream("/etc/" + name) << text;
  set_up_loopback();
}

[[noreturn]] void be_process_one(const std::function<void()>& body, int report_fd) {
  std::string said;
  try {
    furnish();
    body();
  } catch (const std::exception& error) {
    said = error.what();
    if (said.empty()) said = "an exception without text";
  }
  (void)!write(report_fd, said.data(), said.size());
  _exit(said.empty() ? 0 : 1);
}

std::string outcome(int status, const std::string& said) {
  if (!said.empty()) return said;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return "the sandbox ended with wait status " + std::to_string(status);
}

}  // namespace

bool can_sandbox() {
  if (geteuid() == 0) return true;
  std::cout << "SKIPPED: namespaces need root\n";
  return false;
}

std::string shell(const std::string& command) {
  std::string out;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      popen(("{ " + command + "\n} 2>&1").c_str(), "r"), &pclose);
  std::array<char, 4096> chunk{};
  while (pipe) {
    const std::size_t n = fread(chunk.data(), 1, chunk.size(), pipe.get());
    if (n == 0) break;
    out.append(chunk.data(), n);
  }
  return out;
}

std::string run_in_sandbox(const std::function<void()>& body) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "pipe failed";
  std::cout.flush();
  const pid_t outer = fork();
  if (outer == 0) {
    close(ends[0]);
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS) != 0) {
      constexpr std::string_view kText = "unshare failed";
      (void)!write(ends[1], kText.data(), kText.size());
      _exit(1);
    }
    const pid_t inner = fork();
    if (inner == 0) be_process_one(body, ends[1]);
    int status = 0;
    waitpid(inner, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
  }
  close(ends[1]);
  std::string said;
  std::array<char, 4096> chunk{};
  int status = 0;
  waitpid(outer, &status, 0);
  for (ssize_t n = 0; (n = read(ends[0], chunk.data(), chunk.size())) > 0;)
    said.append(chunk.data(), static_cast<std::size_t>(n));
  close(ends[0]);
  return outcome(status, said);
}

}  // namespace wesher::test
