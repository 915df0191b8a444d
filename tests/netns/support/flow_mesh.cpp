#include "netns/support/flow_mesh.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netns/support/flow_delay.h"
#include "netns/support/inside.h"

namespace wesher::netns {

namespace {

/// A round trip of 50 ms.
constexpr std::chrono::milliseconds kFarOneWay{25};

constexpr int kLeastPriority = 19;

/// What keeps the clock of the flows goes before the compilers that may run beside this.
void go_first(pid_t pid) {
  sched_param real_time{};
  real_time.sched_priority = 1;
  const std::string threads = "/proc/" + std::to_string(pid) + "/task";
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(threads, gone))
    ::sched_setscheduler(std::stoi(thread.path().filename().string()), SCHED_RR, &real_time);
}

std::string lines_with(const std::string& what, const std::string& path) {
  std::string found;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);)
    if (line.find(what) != std::string::npos) found += line + "\n";
  return found;
}

void must_succeed(const Host& host, const std::vector<std::string>& argv) {
  const Output output = host.exec(argv);
  if (output.exit_code != 0)
    throw std::runtime_error(argv[0] + " on " + host.name() + ": " + output.text());
}

/// What a wireguard-go that waits for a processor can put off, instead of losing it for a reason
/// that no daemon has to do with: its UDP socket has room for some 200 packets else.
void widen_udp_sockets(const std::filesystem::path& process) {
  constexpr int kBuffer = 16 << 20;
  const int handle =
      static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(process.filename().string()), 0));
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(process / "fd", gone)) {
    const int fd = static_cast<int>(
        ::syscall(SYS_pidfd_getfd, handle, std::stoi(entry.path().filename().string()), 0));
    int kind = 0;
    socklen_t size = sizeof kind;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_DGRAM)
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer);
    ::close(fd);
  }
  ::close(handle);
}

void prepare_wireguard_go() {
  std::error_code gone;
  for (const auto& process : std::filesystem::directory_iterator("/proc", gone)) {
    if (read_file(process.path() / "comm") != "wireguard-go\n") continue;
    widen_udp_sockets(process.path());
  }
}

// 1,000 a second; but 11,000 packets a second through nine userspace devices, or an emulated kernel,
// are more than two cores carry beside everything else (0 % idle, packets lost with no event at
// all), so the routine asks these for less. A record for tests/bench/RESULTS.md has 1,000 everywhere.
int fast_rate() {
  const bool record = std::getenv("WESHER_LOSS_RECORD") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  return record || (uses_kernel() && settings().patience == 1) ? 1000 : 300;
}

}  // namespace

std::string FlowShape::name() const {
  const char* text = kind == FlowKind::one_way     ? "one-way"
                     : kind == FlowKind::both_ways ? "both-ways"
                                                   : "request";
  return std::string(text) + " " + std::to_string(rate) + "/s " + (far ? "50" : "0") + "ms";
}

const std::vector<FlowShape>& flow_shapes() {
  static const std::vector<FlowShape> shapes = [] {
    std::vector<FlowShape> all;
    for (const bool far : {false, true})
      for (const int rate : {100, fast_rate()})
        for (const FlowKind kind : {FlowKind::one_way, FlowKind::both_ways, FlowKind::request})
          all.push_back({kind, rate, far});
    return all;
  }();
  return shapes;
}

FlowMesh::FlowMesh(bool reversed) : reversed_(reversed) {
  // Under emulation the packets take most of the machine: daemons and tools get what they leave.
  if (settings().patience > 1) ::setpriority(PRIO_PROCESS, 0, kLeastPriority);
  const DelayedCables cables = delay_cables({&rig_.host(6), &rig_.host(7)}, kFarOneWay);
  std::cout << "a round trip of 50 ms is made by " << (cables.relay ? "a relay" : "netem") << "\n";
  if (cables.relay) go_first(*cables.relay);
  for (const int number : hubs())
    host(number).install_program();
  for (const int number : ends())
    rig_.start(number, {"--on-stop", "keep"});
  rig_.start(kBystander);
  std::vector<int> all = ends();
  all.push_back(kBystander);
  rig_.require_mesh(all, 60s);
  start_flows();
}

void FlowMesh::start_flows() {
  std::vector<Flow> flows;
  const std::vector<FlowShape>& shapes = flow_shapes();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    // Six pairs of three hubs and two partners, the fast flows spread over the partners.
    const int nth = static_cast<int>(i % 6);
    const int hub = 1 + nth % 3;
    const int partner = (shapes[i].far ? 6 : 4) + (nth / 3 + nth % 3) % 2;
    const bool from_hub = shapes[i].far == reversed_;
    const auto end = [&](int number) {
      return FlowEnd{host(number).network_namespace(), host(number).addresses().at(0)};
    };
    flows.push_back({end(from_hub ? hub : partner), end(from_hub ? partner : hub), shapes[i].kind,
                     shapes[i].rate});
  }
  flows_ = std::make_unique<Flows>(flows);
  go_first(flows_->pid());
  if (!uses_kernel()) {
    prepare_wireguard_go();
    for (const int number : ends())
      must_succeed(host(number), {"ip", "link", "set", "wgoverlay", "txqueuelen", "10000"});
  }
  // The first packets wait for the handshakes.
  let_flow(2s);
  counted_ = flows_->mark();
}

void FlowMesh::let_flow(std::chrono::milliseconds time) {
  // Stream 0 is that of the first shape.
  const auto wanted = flows_->mark().at(0) +
                      static_cast<std::uint32_t>(time.count() * flow_shapes().at(0).rate / 1000);
  rig_.require_soon("the flows send for " + std::to_string(time.count()) + " ms", 2 * time + 10s,
                    [&] { return flows_->mark().at(0) >= wanted; });
}

std::vector<FlowCount> FlowMesh::watch(const std::function<void(FlowMesh&)>& event,
                                       std::chrono::milliseconds after) {
  event(*this);
  let_flow(after);
  const FlowMark since = counted_;
  counted_ = flows_->mark();
  static_cast<void>(flows_->wait_for_arrival(since, counted_, 2s * settings().patience));
  std::vector<FlowCount> counts;
  for (std::size_t i = 0; i < flow_shapes().size(); ++i)
    counts.push_back(flows_->count(i, since, counted_));
  return counts;
}

void FlowMesh::replace_all_peers() {
  for (const int number : ends()) {
    const Output config = host(number).exec({"wg", "showconf", "wgoverlay"});
    if (config.exit_code != 0) throw std::runtime_error("wg showconf: " + config.text());
    write_file(host(number).path("/run/replace.conf"), config.out);
  }
  std::vector<std::vector<int>> steps{{6, 7}, hubs(), {4, 5}};
  if (reversed_) std::swap(steps.front(), steps.back());
  for (const std::vector<int>& step : steps) {
    std::vector<Process> running;
    for (const int number : step)
      running.push_back(
          host(number).start("replace", {"wg", "setconf", "wgoverlay", "/run/replace.conf"}));
    for (Process& each : running)
      if (!each.wait_for_end(20s) || each.exit_code() != 0)
        throw std::runtime_error("wg setconf: " +
                                 read_file(host(step[0]).path("/run/replace.err")));
    let_flow(500ms);
  }
}

std::string FlowMesh::drops() {
  std::string all = "per processor, the second number is packets dropped:\n" +
                    read_file("/proc/net/softnet_stat");
  for (const int number : ends())
    inside_network(host(number).network_namespace(), [&] {
      // Of this thread's namespace, which /proc/self is not.
      all += host(number).name() + ":\n" + lines_with("Udp:", "/proc/thread-self/net/snmp") +
             lines_with("wgoverlay:", "/proc/thread-self/net/dev") +
             lines_with("eth0:", "/proc/thread-self/net/dev");
    });
  return all;
}

}  // namespace wesher::netns
