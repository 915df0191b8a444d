// The hosts file on disk: metadata, symbolic links, bind mounts, unwritable files.
#include "system/hosts_file.h"

#include <array>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/system/support/sandbox.h"

using namespace wesher;
using namespace wesher::system;
using wesher::test::must;
using wesher::test::shell;

namespace {

const std::string kLine = "10.1.1.1\ta\t# ! managed automatically by wesher interface wg0\n";

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<ObservedHostsLine> one_line() {
  return {{IpAddress::v4(10, 1, 1, 1), {"a"}}};
}

struct stat info_of(const std::string& path) {
  struct stat info {};

  EXPECT(lstat(path.c_str(), &info) == 0);
  return info;
}

HostsFile hosts(const std::string& path = "/etc/hosts") {
  return {path, {"wg0", false}};
}

}  // namespace

TEST_CASE("a replaced hosts file keeps mode and owner and extended attributes") {
  IN_SANDBOX([] {
    // The kernel of the sandbox may keep no attributes on tmpfs: then there is nothing to lose.
    EXPECT(chown("/etc/hosts", 12, 34) == 0 && chmod("/etc/hosts", 0640) == 0);
    const bool attributes = setxattr("/etc/hosts", "trusted.test", "x", 1, 0) == 0;
    const auto before = info_of("/etc/hosts");
    must(hosts().write(one_line()));
    const auto after = info_of("/etc/hosts");
    EXPECT(after.st_ino != before.st_ino);
    EXPECT_EQ(after.st_mode, before.st_mode);
    EXPECT_EQ(after.st_uid, 12U);
    EXPECT_EQ(after.st_gid, 34U);
    char value = 0;
    EXPECT(!attributes || getxattr("/etc/hosts", "trusted.test", &value, 1) == 1);
    EXPECT_EQ(content("/etc/hosts"), "127.0.0.1\tlocalhost\n" + kLine);
    EXPECT_EQ(shell("ls -A /etc | grep -c wesher"), "0\n");
  });
}

TEST_CASE("nothing is written when nothing changes") {
  IN_SANDBOX([] {
    must(hosts().write(one_line()));
    const auto before = info_of("/etc/hosts");
    must(hosts().write(one_line()));
    const auto after = info_of("/etc/hosts");
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
  });
}

TEST_CASE("a symbolic link stays and the file behind it is edited") {
  IN_SANDBOX([] {
    shell("mkdir /run/real && mv /etc/hosts /run/real/h && ln -s ../run/real/h /etc/hosts");
    auto file = hosts();
    EXPECT(file.observe().writable);
    must(file.write(one_line()));
    EXPECT(S_ISLNK(info_of("/etc/hosts").st_mode));
    EXPECT_EQ(content("/run/real/h"), "127.0.0.1\tlocalhost\n" + kLine);
  });
}

TEST_CASE("an edit made while we write is not lost") {
  IN_SANDBOX([] {
    // Long enough to write that the other editor, who starts when our temporary file appears,
    // comes in between.
    std::string large;
    while (large.size() < (std::size_t{8} << 20))
      large += "# a line of somebody else's, of which there are many\n";
    put("/etc/hosts", large);
    const int events = inotify_init1(IN_CLOEXEC);
    EXPECT(inotify_add_watch(events, "/etc", IN_CREATE) >= 0);
    const pid_t editor = fork();
    if (editor == 0) {
      std::array<char, 4096> buffer{};
      (void)!read(events, buffer.data(), buffer.size());
      const int fd = open("/etc/hosts", O_WRONLY | O_APPEND | O_CLOEXEC);
      constexpr std::string_view kEdit = "192.0.2.9 edited\n";
      _exit(write(fd, kEdit.data(), kEdit.size()) == ssize_t{kEdit.size()} ? 0 : 1);
    }
    must(hosts().write(one_line()));
    int status = 1;
    EXPECT(waitpid(editor, &status, 0) == editor && status == 0);
    const std::string text = content("/etc/hosts");
    EXPECT(text.find("192.0.2.9 edited\n") != std::string::npos);
    EXPECT(text.find(kLine) != std::string::npos);
    EXPECT(text.starts_with(large));
  });
}

TEST_CASE("a bind mounted hosts file is written in place and shrinks again") {
  IN_SANDBOX([] {
    put("/run/other", "127.0.0.1\tlocalhost\n192.0.2.1 foreign");
    EXPECT(mount("/run/other", "/etc/hosts", nullptr, MS_BIND, nullptr) == 0);
    const auto before = info_of("/etc/hosts");
    auto file = hosts();
    EXPECT(file.observe().writable);
    must(file.write(one_line()));
    EXPECT_EQ(content("/run/other"), "127.0.0.1\tlocalhost\n192.0.2.1 foreign\n" + kLine);
    EXPECT(file.current() == file.last_seen());
    must(file.write({}));
    EXPECT_EQ(content("/run/other"), "127.0.0.1\tlocalhost\n192.0.2.1 foreign\n");
    EXPECT_EQ(info_of("/etc/hosts").st_ino, before.st_ino);
    EXPECT_EQ(shell("ls -A /etc | grep -c wesher"), "0\n");
  });
}

TEST_CASE("a missing hosts file is not made and a read only one is named") {
  IN_SANDBOX([] {
    unlink("/etc/hosts");
    auto file = hosts();
    const ObservedHosts missing = file.observe();
    EXPECT(!missing.writable);
    EXPECT_EQ(missing.why_not, "/etc/hosts: No such file or directory");
    EXPECT(!file.write(one_line()));
    EXPECT(access("/etc/hosts", F_OK) != 0);

    put("/etc/hosts", kLine);
    EXPECT(mount("/etc", "/etc", nullptr, MS_BIND, nullptr) == 0);
    EXPECT(mount(nullptr, "/etc", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    const ObservedHosts read_only = hosts().observe();
    EXPECT(!read_only.writable);
    EXPECT_EQ(read_only.why_not, "/etc/hosts is not writable: Read-only file system");
    EXPECT_EQ(read_only.managed.size(), 1U);
    const auto written = hosts().write({});
    EXPECT(!written);
    EXPECT(written.error().code == Errc::not_permitted);
  });
}

TEST_CASE("a full disk leaves the hosts file as it was") {
  IN_SANDBOX([] {
    shell("mkdir /run/small && mount -t tmpfs -o size=8k tmpfs /run/small");
    put("/run/small/hosts", "127.0.0.1\tlocalhost\n");
    shell("head -c 4096 /dev/zero > /run/small/filler");
    auto file = hosts("/run/small/hosts");
    const auto written = file.write(one_line());
    EXPECT(!written);
    EXPECT_EQ(written.error().os_errno, ENOSPC);
    EXPECT_EQ(content("/run/small/hosts"), "127.0.0.1\tlocalhost\n");
  });
}

TEST_CASE("a file left over by a crash in mid write does no harm") {
  IN_SANDBOX([] {
    shell("ln -s /etc/passwd /etc/.hosts.wesher-wg0");
    const std::string passwd = content("/etc/passwd");
    must(hosts().write(one_line()));
    EXPECT_EQ(content("/etc/passwd"), passwd);
    EXPECT_EQ(content("/etc/hosts"), "127.0.0.1\tlocalhost\n" + kLine);
  });
}

TEST_CASE("a hosts file larger than any is left alone") {
  IN_SANDBOX([] {
    EXPECT(truncate("/etc/hosts", static_cast<off_t>(kHostsFileMax) + 1) == 0);
    const ObservedHosts seen = hosts().observe();
    EXPECT(!seen.writable);
    EXPECT_EQ(seen.why_not, "/etc/hosts is larger than 16 MiB");
    EXPECT(!hosts().write(one_line()));
  });
}

TEST_CASE("a name that is no hostname never reaches the hosts file") {
  IN_SANDBOX([] {
    for (const char* name : {"a b", "a\n6.6.6.6 bank", "a#", "", "a_b"}) {
      const auto written = hosts().write({{IpAddress::v4(10, 1, 1, 1), {name}}});
      EXPECT(!written);
      EXPECT(written.error().code == Errc::malformed);
    }
    EXPECT_EQ(content("/etc/hosts"), "127.0.0.1\tlocalhost\n");
  });
}

TEST_CASE("a writing in place that was interrupted is completed but not over what others wrote") {
  IN_SANDBOX([] {
    const std::string unfinished = "/etc/.hosts.wesher-wg0.unfinished";
    const std::string whole = "127.0.0.1 localhost\n" + kLine;
    put("/etc/hosts", "127.0.0.1 local");  // killed in the middle
    put(unfinished, whole);
    hosts().tidy();
    EXPECT(content("/etc/hosts") == whole);
    EXPECT(access(unfinished.c_str(), F_OK) != 0);

    const std::string edited = "127.0.0.1 localhost\n192.0.2.9 theirs\n";
    put(unfinished, whole);
    const std::array<timespec, 2> long_ago{{{1000, 0}, {1000, 0}}};
    EXPECT(utimensat(AT_FDCWD, unfinished.c_str(), long_ago.data(), 0) == 0);
    put("/etc/hosts", edited);
    hosts().tidy();
    EXPECT(content("/etc/hosts") == edited);
    EXPECT(access(unfinished.c_str(), F_OK) != 0);
  });
}
