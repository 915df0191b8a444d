#include "netns/support/sandbox.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns/support/process.h"
#include "netns/support/settings.h"

namespace wesher::netns {

namespace {

constexpr int kBroken = 70;  // EX_SOFTWARE: the rig itself failed

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

[[noreturn]] void broken(const char* step) {
  std::fprintf(stderr, "the rig cannot %s: %s\n", step,
               std::generic_category().message(errno).c_str());
  std::_Exit(kBroken);
}

void mount_or_die(const char* what, const char* where, const char* type, unsigned long flags) {
  if (::mount(what, where, type, flags, nullptr) != 0) broken(where);
}

// Runs as PID 1 of the sandbox: a scenario as its child, and everybody's orphans reaped. When this
// returns, the kernel kills whatever still runs in here.
int be_init(const std::function<int()>& scenario) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  mount_or_die("none", "/", nullptr, MS_REC | MS_PRIVATE);
  mount_or_die("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mount_or_die("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV);
  if (::mkdir(kRigDirectory, 0755) != 0) broken("make its directory");
  const pid_t child = ::fork();
  if (child < 0) broken("fork");
  if (child == 0) {
    // exit() would flush and destroy what belongs to the parent's copies of the same objects.
    const int code = scenario();
    std::fflush(nullptr);
    std::_Exit(code);
  }
  for (;;) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == child) return exit_code_of(status);
    if (ended < 0 && errno != EINTR) return kBroken;
  }
}

}  // namespace

pid_t start_sandbox(const std::string& output_path, const std::function<int()>& scenario) {
  std::fflush(nullptr);
  const pid_t keeper = ::fork();
  if (keeper != 0) return keeper;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!output_path.empty()) {
    const int file = ::open(output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || ::dup2(file, STDOUT_FILENO) < 0 || ::dup2(file, STDERR_FILENO) < 0)
      broken("write the output file");
  }
  if (::unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) != 0) {
    if (errno == EPERM) skip("making namespaces needs root");
    broken("make namespaces");
  }
  const pid_t init = ::fork();
  if (init < 0) broken("fork");
  if (init == 0) std::_Exit(be_init(scenario));
  int status = 0;
  while (::waitpid(init, &status, 0) < 0)
    if (errno != EINTR) broken("wait");
  std::_Exit(exit_code_of(status));
}

}  // namespace wesher::netns
