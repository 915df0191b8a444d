// Starting a userspace WireGuard program: what it inherits, and what is said when it fails.
#include "system/launcher.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/support/planes.h"

using namespace wesher;
using namespace wesher::system;
using namespace wesher::test;

namespace {

/// Writes an executable script that stands in for the program.
void script(const std::string& text) {
  std::ofstream("/run/program") << "#!/bin/sh\n" << text;
  EXPECT(chmod("/run/program", 0755) == 0);
}

Launch request(std::function<bool()> ready) {
  return {"/run/program", "wgtest", "/run", std::move(ready), std::chrono::seconds(5)};
}

bool exists(const char* path) {
  return access(path, F_OK) == 0;
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("the program gets a clean environment") {
  std::array<const char*, 9> given{
      "PATH=/bin", "NOTIFY_SOCKET=/run/n", "WESHER_CLUSTER_KEY=k", "LOG_LEVEL=debug",
      "WG_TUN=1",  "GOMAXPROCS=1",         "AWS_SECRET=x",         "HOME=/root",
      nullptr};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): environ has this type
  CHECK(clean_environment(const_cast<char**>(given.data())) ==
        std::vector<std::string>{"PATH=/bin", "WG_TUN=1", "GOMAXPROCS=1", "HOME=/root"});
}

TEST_CASE("the program inherits no descriptor and no directory and a session of its own") {
  IN_SANDBOX([] {
    script(
        "cd /proc/self && ls -l /proc/$$/fd > /run/fds; pwd -P > /run/ignored; "
        "readlink /proc/$$/cwd > /run/cwd; cut -d' ' -f4,6 /proc/$$/stat > /run/session\n"
        "echo $1 > /run/argument; : > /run/up\n");
    // Deliberately without O_CLOEXEC, and above the numbers that are used anyway.
    const int low = open("/etc/hosts", O_RDONLY);
    const int leaked = fcntl(low, F_DUPFD, 30);
    close(low);
    must(launch(request([] { return exists("/run/up"); })));
    close(leaked);
    const std::string fds = content("/run/fds");
    EXPECT(fds.find("/etc/hosts") == std::string::npos);
    EXPECT(fds.find("socket:") == std::string::npos);
    EXPECT(fds.find("0 -> /dev/null") != std::string::npos);
    EXPECT_EQ(content("/run/argument"), "wgtest\n");
    // Parent: process 1 of the sandbox, which stands in for init. Session: not ours.
    std::istringstream session(content("/run/session"));
    int parent = 0;
    int id = 0;
    session >> parent >> id;
    EXPECT_EQ(parent, 1);
    EXPECT(id != getsid(0));
  });
}

TEST_CASE("a program that fails is quoted and one that can't be executed is named") {
  IN_SANDBOX([] {
    script("echo banner; echo 'no tun device here' >&2; exit 1\n");
    const auto failed = launch(request([] { return false; }));
    EXPECT(!failed);
    EXPECT_EQ(failed.error().detail,
              "/run/program ended and made no wgtest, it said: no tun device here");
    std::ofstream("/run/program") << "#!/no/such/interpreter\n";
    const auto missing = launch(request([] { return false; }));
    EXPECT(!missing);
    EXPECT_EQ(missing.error().detail, "cannot execute /run/program: No such file or directory");
  });
}

// wireguard-go prints a banner, goes into the background, and says there why it failed.
TEST_CASE("a program is asked for its errors and its banner is no reason") {
  IN_SANDBOX([] {
    const std::string banner = "echo '┌─┐'; echo '│ not required │'; echo '└─┘'\n";
    script(banner + "exit 1\n");
    EXPECT_EQ(launch(request([] { return false; })).error().detail,
              "/run/program ended and made no wgtest");
    script(banner +
           "echo \"ERROR: (wgtest) 2026/11/28 10:58:29 $LOG_LEVEL: too many files\" & exit 0\n");
    EXPECT_EQ(launch(request([] { return false; })).error().detail,
              "/run/program ended and made no wgtest, it said: error: too many files");
  });
}

TEST_CASE("a program that went into the background is waited for while it has its interface") {
  IN_SANDBOX([] {
    script("exit 0\n");
    const auto ready_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
    const auto ready = [=] { return std::chrono::steady_clock::now() >= ready_at; };
    Launch what = request(ready);
    EXPECT(!launch(what));
    what.interface = "lo";
    EXPECT(launch(what).has_value());
  });
}

// As wireguard-go does when the one before it is still ending and removes its socket.
TEST_CASE("a program that ended at once is run a second time and no third") {
  IN_SANDBOX([] {
    script("echo run >> /run/runs; test -e /run/once && : > /run/up; : > /run/once\n");
    must(launch(request([] { return exists("/run/up"); })));
    EXPECT_EQ(content("/run/runs"), "run\nrun\n");
    EXPECT(!launch(request([] { return false; })));
    EXPECT_EQ(content("/run/runs"), "run\nrun\nrun\nrun\n");
  });
}

TEST_CASE("a program that never gets ready is given up at the time limit") {
  IN_SANDBOX([] {
    script("exec sleep 60\n");
    Launch what = request([] { return false; });
    what.timeout = std::chrono::milliseconds(200);
    const auto launched = launch(what);
    EXPECT(!launched);
    EXPECT_EQ(launched.error().detail, "/run/program did not bring up wgtest in time");
  });
}

TEST_CASE("a program that is not installed is no WireGuard and both remedies are named") {
  IN_SANDBOX([] {
    setenv("WG_QUICK_USERSPACE_IMPLEMENTATION", "no-such-program", 1);
    DataPlaneConfig config;
    config.interface = "wgtest";
    config.backend = BackendChoice::userspace;
    const auto plane = DataPlane::open(config);
    EXPECT(!plane);
    EXPECT(plane.error().code == Errc::no_wireguard);
    EXPECT(plane.error().detail.starts_with("no-such-program is not installed: install"));
    if (backends().size() > 1) return;  // this kernel has WireGuard
    config.backend = BackendChoice::automatic;
    const auto automatic = DataPlane::open(config);
    EXPECT(!automatic);
    EXPECT(automatic.error().code == Errc::no_wireguard);
    EXPECT(automatic.error().detail.find("modprobe wireguard") != std::string::npos);
    EXPECT(automatic.error().detail.find("install no-such-program") != std::string::npos);
    config.backend = BackendChoice::kernel;
    const auto kernel = DataPlane::open(config);
    EXPECT(!kernel);
    EXPECT(kernel.error().code == Errc::no_wireguard);
  });
}
