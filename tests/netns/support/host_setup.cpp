// How a host of the rig comes into being: folders, namespaces, cable.
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns/support/host.h"
#include "netns/support/settings.h"

namespace wesher::netns {

namespace fs = std::filesystem;

namespace {

// What glibc, ip and wg read of /etc. The name service asks the hosts file alone: a rig has no DNS,
// and a name that nobody knows must fail at once.
constexpr const char* kCopiedFromEtc[] = {"passwd",    "group",    "services",
                                          "protocols", "iproute2", "ld.so.cache"};

void bind_mount(const std::string& from, const char* to) {
  if (::mount(from.c_str(), to, nullptr, MS_BIND, nullptr) != 0)
    throw std::runtime_error(std::string("cannot mount ") + to + ": " +
                             std::generic_category().message(errno));
}

int open_namespace(pid_t pid, const char* kind) {
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + kind;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot open " + path);
  return fd;
}

// Runs in a process of its own.
void become_host(const std::string& folder, const std::string& name) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS) != 0)
    throw std::runtime_error("cannot make namespaces");
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0 ||
      ::mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    throw std::runtime_error(std::string("cannot mount /sys: ") +
                             std::generic_category().message(errno));
  bind_mount(folder + "/etc", "/etc");
  bind_mount(folder + "/lib", "/var/lib");

  struct stat var_run {};

  if (::lstat("/var/run", &var_run) == 0 && S_ISDIR(var_run.st_mode))
    bind_mount(folder + "/run", "/var/run");
  bind_mount(folder + "/run", "/run");
  // Else a cable answers for the overlay address too, and what misses WireGuard arrives all the same.
  write_file("/proc/sys/net/ipv4/conf/all/arp_ignore", "1\n");
  if (::sethostname(name.data(), name.size()) != 0) throw std::runtime_error("cannot set hostname");
}

}  // namespace

Host::Host(std::string name, int number, Underlay underlay)
    : name_(std::move(name)),
      number_(number),
      folder_(std::string(kRigDirectory) + "/" + name_),
      underlay_address_((underlay == Underlay::ipv4 ? "172.31.0." : "fd77::") +
                        std::to_string(number)),
      program_(settings().wesher) {
  make_folders();
  make_namespaces();
  connect(underlay);
}

Host::~Host() {
  for (const int fd : {namespaces_.mnt, namespaces_.net, namespaces_.uts})
    if (fd >= 0) ::close(fd);
}

void Host::make_folders() {
  for (const char* part : {"etc", "run", "lib"})
    fs::create_directories(folder_ + "/" + part);
  for (const char* part : kCopiedFromEtc) {
    std::error_code missing;
    fs::copy(std::string("/etc/") + part, folder_ + "/etc/" + part,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks, missing);
  }
  write_file(folder_ + "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
  write_file(folder_ + "/etc/hostname", name_ + "\n");
  write_file(folder_ + "/etc/hosts",
             "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
}

void Host::make_namespaces() {
  int ready[2];
  int release[2];
  if (::pipe2(ready, O_CLOEXEC) != 0 || ::pipe2(release, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  setup_pid_ = ::fork();
  if (setup_pid_ < 0) throw std::runtime_error("fork failed");
  if (setup_pid_ == 0) {
    ::close(release[1]);
    std::string answer = "ok";
    try {
      become_host(folder_, name_);
    } catch (const std::exception& e) {
      answer = e.what();
    }
    if (::write(ready[1], answer.data(), answer.size()) < 0) ::_exit(1);
    // Stays until the cable is plugged in: `ip` names a network namespace by a process in it.
    char byte = 0;
    if (::read(release[0], &byte, 1) < 0) ::_exit(1);
    ::_exit(0);
  }
  ::close(ready[1]);
  ::close(release[0]);
  setup_pipe_ = release[1];
  char answer[256] = {};
  const ssize_t size = ::read(ready[0], answer, sizeof answer - 1);
  ::close(ready[0]);
  if (size <= 0 || std::string(answer) != "ok")
    throw std::runtime_error("host " + name_ + ": " + answer);
  namespaces_ = {open_namespace(setup_pid_, "mnt"), open_namespace(setup_pid_, "net"),
                 open_namespace(setup_pid_, "uts")};
}

void Host::connect(Underlay underlay) {
  must_run({"ip", "-batch", "-"}, {},
           "link add " + port() + " type veth peer name eth0 netns " + std::to_string(setup_pid_) +
               "\nlink set " + port() + " master br0 up\n");
  // No link-local addresses: they come when they like, and "nothing changed" is compared as text.
  std::string inside =
      "link set lo up\n"
      "link set eth0 addrgenmode none\n"
      "link set eth0 up\n";
  if (underlay == Underlay::ipv4)
    inside += "address add " + underlay_address_ + "/24 dev eth0\nroute add default dev eth0\n";
  else
    inside += "address add " + underlay_address_ + "/64 dev eth0 nodad\nroute add ::/0 dev eth0\n";
  SpawnOptions options;
  options.namespaces = namespaces_;
  must_run({"ip", "-batch", "-"}, options, inside);
  ::close(setup_pipe_);
  ::waitpid(setup_pid_, nullptr, 0);
}

}  // namespace wesher::netns
