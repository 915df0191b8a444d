#include "netns/support/flow_delay.h"

#include <csignal>
#include <ctime>
#include <deque>
#include <stdexcept>
#include <string>
#include <system_error>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns/support/process.h"

namespace wesher::netns {

namespace {

/// Frames wait in it while the relay is not run: some seconds of all flows.
constexpr int kSocketBuffer = 64 << 20;
/// A frame of 64 KiB that segmentation has not cut yet, and the header that says so: struct
/// virtio_net_hdr, 10 bytes, of a kernel header that is no C++.
constexpr std::size_t kFrame = 10 + 65'536 + 64;

std::int64_t now_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

[[noreturn]] void failed(const std::string& what) {
  throw std::runtime_error("the relay cannot " + what + ": " +
                           std::generic_category().message(errno));
}

/// Sees each frame that comes in on an interface, with what the kernel left to do on it
/// (checksum, segments): sent with the same header it is the same frame.
int open_tap(const std::string& interface) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) failed("open a packet socket");
  const int on = 1;
  for (const int option : {PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING})
    if (::setsockopt(fd, SOL_PACKET, option, &on, sizeof on) != 0) failed("set up its socket");
  for (const int buffer : {SO_RCVBUFFORCE, SO_SNDBUFFORCE})
    ::setsockopt(fd, SOL_SOCKET, buffer, &kSocketBuffer, sizeof kSocketBuffer);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    failed("listen on " + interface);
  return fd;
}

class Relay {
 public:
  explicit Relay(std::chrono::microseconds delay) : delay_(delay.count()) {}

  void add(int one, int other) {
    for (const auto& [in, out] : {std::pair{one, other}, std::pair{other, one}}) {
      polled_.push_back({in, POLLIN, 0});
      outlets_.push_back(out);
    }
  }

  [[noreturn]] void run() {
    for (;;) {
      const std::int64_t now = now_microseconds();
      while (!waiting_.empty() && waiting_.front().due <= now) {
        const Frame& frame = waiting_.front();
        static_cast<void>(::send(frame.out, frame.bytes.data(), frame.bytes.size(), 0));
        waiting_.pop_front();
      }
      const std::int64_t pause = waiting_.empty() ? 500'000 : waiting_.front().due - now;
      const timespec bound{0, pause * 1000};
      if (::ppoll(polled_.data(), polled_.size(), &bound, nullptr) <= 0) continue;
      for (std::size_t i = 0; i < polled_.size(); ++i)
        if (polled_[i].revents != 0) receive(polled_[i].fd, outlets_[i]);
    }
  }

  /// In the process that made it: the other one has them.
  void close_sockets() {
    for (const pollfd& each : polled_)
      ::close(each.fd);
  }

 private:
  struct Frame {
    std::int64_t due;
    int out;
    std::string bytes;
  };

  void receive(int in, int out) {
    for (;;) {
      const ssize_t size = ::recv(in, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size < 0) return;
      waiting_.push_back(
          {now_microseconds() + delay_, out, buffer_.substr(0, static_cast<std::size_t>(size))});
    }
  }

  std::int64_t delay_;
  std::vector<pollfd> polled_;
  std::vector<int> outlets_;
  std::deque<Frame> waiting_;
  std::string buffer_ = std::string(kFrame, '\0');
};

bool kernel_has_netem() {
  must_run({"ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"});
  const bool has =
      run({"tc", "qdisc", "add", "dev", "probe0", "root", "netem", "delay", "1ms"}).exit_code == 0;
  must_run({"ip", "link", "del", "probe0"});
  return has;
}

}  // namespace

DelayedCables delay_cables(const std::vector<Host*>& hosts, std::chrono::microseconds one_way) {
  if (kernel_has_netem()) {
    const auto netem = [&](const std::string& interface) {
      return std::vector<std::string>{"tc",    "qdisc",   "add",
                                      "dev",   interface, "root",
                                      "netem", "delay",   std::to_string(one_way.count()) + "us",
                                      "limit", "100000"};
    };
    for (Host* host : hosts) {
      must_run(netem(host->port()));
      const Output inside = host->exec(netem("eth0"));
      if (inside.exit_code != 0) throw std::runtime_error("netem in a host: " + inside.text());
    }
    return {};
  }
  Relay relay(one_way);
  for (Host* host : hosts) {
    const std::string here = host->port() + "r";
    const std::string bridged = host->port() + "b";
    must_run({"ip", "-batch", "-"}, {},
             "link set " + host->port() + " nomaster\n" +  //
                 "link add " + here + " type veth peer name " + bridged + "\n" + "link set " +
                 here + " addrgenmode none up\n" +  //
                 "link set " + bridged + " master br0 addrgenmode none up\n");
    relay.add(open_tap(host->port()), open_tap(here));
  }
  const pid_t pid = ::fork();
  if (pid < 0) failed("fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    relay.run();
  }
  relay.close_sockets();
  return {pid};
}

}  // namespace wesher::netns
