#include "netns/support/flow.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "netns/support/inside.h"
#include "netns/support/settings.h"
#include "netns/support/wait.h"

namespace wesher::netns {

namespace {

using std::chrono::microseconds;

/// 30 minutes at 1,000 a second; pages are taken as they are written.
constexpr std::uint32_t kCapacity = 1'800'000;
/// Flows of at most two directions.
constexpr std::size_t kStreams = 32;
/// Packets of both ends wait this long in a socket before one is dropped there: 8 MiB are some
/// seconds of a flow.
constexpr int kSocketBuffer = 8 << 20;
constexpr std::size_t kPayload = 64;
/// How often is looked, in µs: times are as exact as that. Where the machine is emulated, waking up
/// costs more than the packets do.
constexpr std::int64_t kTick = 1000;
constexpr std::int64_t kSlowTick = 20'000;
/// A process that was not run for longer sends less; it does not catch up with a burst.
constexpr std::int64_t kCatchUp = 40'000;

using Stamp = std::atomic<std::uint32_t>;  // µs since the board was made, 0 = not yet
static_assert(Stamp::is_always_lock_free);

}  // namespace

/// In memory that both processes map.
struct FlowBoard {
  struct Stream {
    std::atomic<std::uint32_t> sent;
    Stamp departed[kCapacity];
    Stamp arrived[kCapacity];
  };

  std::atomic<bool> full;
  Stream streams[kStreams];
};

namespace {

struct Packet {
  std::uint32_t stream = 0;
  std::uint32_t number = 0;
};

std::int64_t now_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

std::string error_text() {
  return std::generic_category().message(errno);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address parse_address(const std::string& text) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    address.size = sizeof *v6;
  } else {
    throw std::runtime_error("no address for a flow: '" + text + "'");
  }
  return address;
}

struct Socket {
  int fd = -1;
  Address address;
};

/// A socket in that namespace, on that address and a port of its own.
Socket open_socket(const FlowEnd& end) {
  Socket socket;
  socket.address = parse_address(end.address);
  inside_network(end.network_namespace, [&] {
    socket.fd =
        ::socket(socket.address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  });
  if (socket.fd < 0) throw std::runtime_error("no socket for a flow: " + error_text());
  for (const int buffer : {SO_RCVBUFFORCE, SO_SNDBUFFORCE})
    ::setsockopt(socket.fd, SOL_SOCKET, buffer, &kSocketBuffer, sizeof kSocketBuffer);
  if (::bind(socket.fd, socket.address.get(), socket.address.size) != 0 ||
      ::getsockname(socket.fd, socket.address.get(), &socket.address.size) != 0)
    throw std::runtime_error("a flow cannot use " + end.address + ": " + error_text());
  return socket;
}

/// The process of the flows: at each tick sends what is due and notes what has arrived, until it is
/// killed.
class Engine {
 public:
  Engine(const std::vector<Flow>& flows, FlowBoard& board)
      : board_(board), tick_(settings().patience > 1 ? kSlowTick : kTick) {
    if (2 * flows.size() > kStreams) throw std::runtime_error("too many flows");
    for (std::size_t i = 0; i < flows.size(); ++i) {
      const Socket from = open_socket(flows[i].from);
      const Socket to = open_socket(flows[i].to);
      const bool request = flows[i].kind == FlowKind::request;
      const auto stream = static_cast<std::uint32_t>(2 * i);
      inlets_.push_back({from.fd, false, to.address});
      inlets_.push_back({to.fd, request, from.address});
      sources_.push_back({stream, from.fd, to.address, 1'000'000 / flows[i].rate});
      if (flows[i].kind == FlowKind::both_ways)
        sources_.push_back({stream + 1, to.fd, from.address, 1'000'000 / flows[i].rate});
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces_[i] = {bytes_[i], kPayload};
      batch_[i].msg_hdr.msg_iov = &pieces_[i];
      batch_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[noreturn]] void run() {
    start_ = now_microseconds() - 1;
    std::int64_t next = now_microseconds() + tick_;
    for (Source& source : sources_)
      source.due = next;
    for (;;) {
      sleep_until(next);
      const std::int64_t now = now_microseconds();
      for (Source& source : sources_)
        send_due(source, now);
      for (const Inlet& inlet : inlets_)
        receive(inlet);
      next = std::max(next + tick_, now);
    }
  }

  /// In the process that made it: the other one has them.
  void close_sockets() {
    for (const Inlet& inlet : inlets_)
      ::close(inlet.fd);
  }

 private:
  struct Inlet {
    int fd;
    bool answers;
    Address other;
  };

  struct Source {
    std::uint32_t stream;
    int fd;
    Address to;
    std::int64_t period;
    std::int64_t due = 0;
  };

  static void sleep_until(std::int64_t moment) {
    const timespec until{moment / 1'000'000, moment % 1'000'000 * 1000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }

  [[nodiscard]] std::uint32_t stamp(std::int64_t now) const {
    return static_cast<std::uint32_t>(now - start_);
  }

  // A packet that cannot be sent is a lost one.
  void send_due(Source& source, std::int64_t now) {
    FlowBoard::Stream& stream = board_.streams[source.stream];
    const std::uint32_t first = stream.sent.load(std::memory_order_relaxed);
    source.due = std::max(source.due, now - kCatchUp);
    unsigned count = 0;
    for (; source.due <= now && count < kBatch; source.due += source.period) {
      if (first + count >= kCapacity) {
        board_.full = true;
        return;
      }
      const Packet packet{source.stream, first + count};
      std::memcpy(bytes_[count], &packet, sizeof packet);
      stream.departed[first + count].store(stamp(now), std::memory_order_relaxed);
      ++count;
    }
    if (count == 0) return;
    send_batch(source.fd, source.to, count);
    stream.sent.store(first + count, std::memory_order_release);
  }

  void send_batch(int fd, Address to, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      batch_[i].msg_hdr.msg_name = to.get();
      batch_[i].msg_hdr.msg_namelen = to.size;
    }
    // It stops at the first that fails.
    for (unsigned done = 0; done < count;) {
      const int sent = ::sendmmsg(fd, &batch_[done], count - done, 0);
      done += sent > 0 ? static_cast<unsigned>(sent) : 1;
    }
  }

  void receive(const Inlet& inlet) {
    for (;;) {
      for (mmsghdr& each : batch_)
        each.msg_hdr.msg_namelen = 0;
      const int count = ::recvmmsg(inlet.fd, batch_.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (count <= 0) return;
      if (inlet.answers) {
        send_batch(inlet.fd, inlet.other, static_cast<unsigned>(count));
        continue;
      }
      const std::uint32_t now = stamp(now_microseconds());
      for (int i = 0; i < count; ++i)
        note(bytes_[i], now);
    }
  }

  void note(const char* bytes, std::uint32_t now) {
    Packet packet;
    std::memcpy(&packet, bytes, sizeof packet);
    if (packet.stream >= kStreams || packet.number >= kCapacity) return;
    Stamp& arrived = board_.streams[packet.stream].arrived[packet.number];
    if (arrived.load(std::memory_order_relaxed) == 0) arrived.store(now, std::memory_order_release);
  }

  static constexpr unsigned kBatch = 64;

  FlowBoard& board_;
  std::int64_t tick_;
  std::int64_t start_ = 0;
  std::vector<Inlet> inlets_;
  std::vector<Source> sources_;
  char bytes_[kBatch][kPayload] = {};
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> batch_{};
};

FlowBoard* make_board() {
  void* memory = ::mmap(nullptr, sizeof(FlowBoard), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for flows: " + error_text());
  return static_cast<FlowBoard*>(memory);  // all zero, which is what it begins with
}

/// Counts one direction into `into`.
void count_stream(const FlowBoard::Stream& stream,
                  std::uint32_t since,
                  std::uint32_t until,
                  FlowCount& into) {
  std::vector<std::uint32_t> arrivals;
  std::uint32_t first_lost = 0;
  std::uint32_t last_lost = 0;
  std::uint64_t lost = 0;
  for (std::uint32_t number = since; number < until; ++number) {
    const std::uint32_t arrived = stream.arrived[number].load(std::memory_order_acquire);
    const std::uint32_t departed = stream.departed[number].load(std::memory_order_relaxed);
    if (arrived != 0) {
      arrivals.push_back(arrived);
      into.longest_delay = std::max(into.longest_delay, microseconds(arrived - departed));
      continue;
    }
    if (lost++ == 0) first_lost = departed;
    last_lost = departed;
  }
  into.sent += until - since;
  into.lost += lost;
  if (since == until) return;
  const std::uint32_t began = stream.departed[since].load(std::memory_order_relaxed);
  if (lost > 0)
    into.where += (into.where.empty() ? "" : ", ") + std::to_string(lost) + " sent between " +
                  std::to_string((first_lost - began) / 1000) + " and " +
                  std::to_string((last_lost - began) / 1000) + " ms";
  std::sort(arrivals.begin(), arrivals.end());
  // Nothing arrived before the first that could: a gap begins where the sender did.
  std::uint32_t before = arrivals.empty() ? began : std::min(began, arrivals.front());
  for (const std::uint32_t arrived : arrivals) {
    into.longest_gap = std::max(into.longest_gap, microseconds(arrived - before));
    before = arrived;
  }
  const std::uint32_t ended = stream.departed[until - 1].load(std::memory_order_relaxed);
  if (ended > before) into.longest_gap = std::max(into.longest_gap, microseconds(ended - before));
}

}  // namespace

Flows::Flows(const std::vector<Flow>& flows) : flows_(flows), board_(make_board()) {
  Engine engine(flows_, *board_);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("no process for the flows: " + error_text());
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    engine.run();
  }
  process_ = Process(pid);
  engine.close_sockets();
}

Flows::~Flows() {
  ::kill(process_.pid(), SIGKILL);
  ::munmap(board_, sizeof(FlowBoard));
}

FlowMark Flows::mark() const {
  if (board_->full) throw std::runtime_error("the flows have run for too long");
  FlowMark mark;
  for (const FlowBoard::Stream& stream : board_->streams)
    mark.push_back(stream.sent.load(std::memory_order_acquire));
  return mark;
}

bool Flows::wait_for_arrival(const FlowMark& since,
                             const FlowMark& until,
                             std::chrono::milliseconds bound) const {
  const auto all = [&](std::size_t stream) {
    const Stamp* arrived = board_->streams[stream].arrived;
    return std::all_of(arrived + since.at(stream), arrived + until.at(stream),
                       [](const Stamp& each) { return each.load(std::memory_order_acquire) != 0; });
  };
  std::size_t stream = 0;
  return wait_for(
      [&] {
        while (stream < kStreams && all(stream))
          ++stream;
        return stream == kStreams;
      },
      bound);
}

FlowCount Flows::count(std::size_t flow, const FlowMark& since, const FlowMark& until) const {
  FlowCount total;
  for (std::size_t stream = 2 * flow; stream < 2 * flow + 2; ++stream)
    count_stream(board_->streams[stream], since.at(stream), until.at(stream), total);
  return total;
}

}  // namespace wesher::netns
