#include "netns/support/witness.h"

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <sys/inotify.h>
#include <unistd.h>

#include "base/bytes.h"
#include "netns/support/settings.h"

namespace wesher::netns {

namespace {

constexpr std::size_t kLogHeader = 32;
constexpr std::size_t kFrameHeader = 24;

std::string database_log(const Host& host) {
  return host.path("/var/lib/wesher/wgoverlay.db-wal");
}

}  // namespace

LogState read_log(const std::string& path) {
  const std::string text = read_file(path);
  ByteReader log(as_bytes(text));
  LogState state;
  log.take(8);
  const std::uint32_t page = log.u32();
  log.u32();
  state.salt = log.u64();
  log.take(8);
  if (!log.ok()) return {};
  while (log.left() >= kFrameHeader + page) {
    ByteReader frame(log.take(kFrameHeader + page));
    frame.u32();
    const std::uint32_t size_after_commit = frame.u32();
    if (frame.u64() != state.salt) break;  // left over from an earlier log
    if (size_after_commit != 0) ++state.commits;
  }
  return state;
}

Witness::Witness(Host& host) : host_(host), monitor_(host) {
  start_strace();
  watch_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (::inotify_add_watch(watch_, host.path("/etc/").c_str(), IN_MOVED_TO | IN_MODIFY) < 0)
    throw std::runtime_error("cannot watch the hosts file");
  begin();
}

Witness::~Witness() {
  if (watch_ >= 0) ::close(watch_);
}

void Witness::start_strace() {
  need_program("strace");
  for (const char* file : {"/run/strace.err", "/run/trace"})
    std::filesystem::remove(host_.path(file));
  std::vector<std::string> command = strace_command("/run/trace");
  command.insert(command.end(), {"-p", std::to_string(host_.daemon().pid())});
  strace_ = host_.start("strace", command);
  const auto said = [&] { return read_file(host_.path("/run/strace.err")); };
  const bool attached = wait_for(
      [&] { return said().find(" attached") != std::string::npos || !strace_.running(); }, 60s);
  if (attached && strace_.running()) return;
  if (said().find("PTRACE") != std::string::npos) skip("strace cannot trace here: " + said());
  throw std::runtime_error("strace: " + said());
}

int Witness::hosts_writes() const {
  int writes = 0;
  alignas(inotify_event) std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t size = ::read(watch_, buffer.data(), buffer.size());
    if (size <= 0) return writes;
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if (event.len > 0 && std::strcmp(buffer.data() + at + sizeof event, "hosts") == 0) ++writes;
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

void Witness::begin() {
  if (monitor_.available()) (void)monitor_.take();
  (void)hosts_writes();
  traced_before_ = read_file(host_.path("/run/trace")).size();
  log_ = read_log(database_log(host_));
}

Testimony Witness::tell() {
  Testimony told;
  const LogState log = read_log(database_log(host_));
  told.hosts_writes = hosts_writes();
  if (monitor_.available()) told.netlink = monitor_.take();
  strace_.signal(SIGINT);
  if (!strace_.wait_for_end(30s)) throw std::runtime_error("strace does not end");
  told.sent = changes_sent(read_file(host_.path("/run/trace")).substr(traced_before_));
  told.log_restarted = log.salt != log_.salt;
  told.transactions = log.commits - (told.log_restarted ? 0 : log_.commits);
  return told;
}

}  // namespace wesher::netns
