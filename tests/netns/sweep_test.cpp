// A sample of the sweep's points on the real binary and the real kernel: a daemon that has work to
// do at its start dies as it makes its n-th system call of a kind, and is started again.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "netns/support/ping.h"
#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

// Calls with an effect on disk, kernel, wireguard-go or the network.
constexpr const char* kCalls =
    "sendto,sendmsg,write,pwrite64,fsync,fdatasync,rename,unlink,ftruncate,fchmod";

// Dies as one of its threads makes its `count`-th call of that name: strace counts by thread.
struct Point {
  std::string call;
  int count = 0;

  [[nodiscard]] std::string text() const { return call + " number " + std::to_string(count); }
};

// What a host that was spoiled has to come back to.
struct Order {
  std::string key;
  std::vector<std::string> addresses;
  std::vector<std::string> routes;
  std::string hosts_file;
};

Order order_of(const Host& host) {
  const auto device = host.device();
  return {device ? device->public_key : "", host.addresses(), host.routes(), host.hosts_file()};
}

bool in_order(const Host& host, const Order& order) {
  const auto device = host.device();
  return device && device->public_key == order.key && device->peers.size() == 2 &&
         host.addresses() == order.addresses && host.routes() == order.routes &&
         host.hosts_file() == order.hosts_file &&
         host.wesher({"plan", "--detailed-exitcode"}).exit_code == 0;
}

// Work of every kind, none of it on the way to n1.
void spoil(const Host& host, const std::string& route) {
  REQUIRE(host.exec({"ip", "route", "del", route, "dev", "wgoverlay"}).exit_code == 0);
  REQUIRE(host.exec({"wg", "set", "wgoverlay", "peer", random_key()}).exit_code == 0);
  REQUIRE(
      host.exec({"sh", "-c", "grep -v n3 /etc/hosts >/etc/h; mv /etc/h /etc/hosts"}).exit_code ==
      0);
}

// The daemon under strace, which writes /run/trace.
Process start_traced(const Host& host, const std::vector<std::string>& options) {
  std::filesystem::remove(host.path("/run/trace"));
  std::vector<std::string> command = {"strace", "-f", "-qq", "-s", "0", "-o", "/run/trace"};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), {settings().wesher, "--backend", settings().backend});
  return host.start("traced", command);
}

// The daemon, which strace then follows.
void kill_traced(Rig& rig, Process& traced) {
  std::istringstream children(read_file("/proc/" + std::to_string(traced.pid()) + "/task/" +
                                        std::to_string(traced.pid()) + "/children"));
  pid_t daemon = 0;
  REQUIRE(children >> daemon);
  REQUIRE(::kill(daemon, SIGKILL) == 0);
  rig.require_soon("strace ends with what it traced", 10s, [&] { return !traced.running(); });
}

// Calls of each kind from the first to the last: where a thread got that far, it will again.
std::vector<Point> points_in(const std::string& trace) {
  static const std::regex call(R"(^(\d+) +([a-z0-9]+)\()");
  std::map<std::pair<std::string, std::string>, int> by_thread;
  std::map<std::string, int> most;
  std::istringstream lines(trace);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_search(line, found, call)) continue;
    const int count = ++by_thread[{found[1], found[2]}];
    most[found[2]] = std::max(most[found[2]], count);
  }
  std::vector<Point> points;
  for (const auto& [name, count] : most)
    for (const int at :
         std::set{1, std::max(1, count / 4), (count + 1) / 2, std::max(1, count - 1)})
      points.push_back({name, at});
  return points;
}

// Every n-th of them, so that slow machines have a share of each kind that they can manage.
std::vector<Point> sample(const std::vector<Point>& points, std::size_t wanted) {
  std::vector<Point> chosen;
  const std::size_t step = std::max<std::size_t>(1, (points.size() + wanted - 1) / wanted);
  for (std::size_t i = 0; i < points.size(); i += step)
    chosen.push_back(points[i]);
  return chosen;
}

}  // namespace

TEST_CASE("killed at any system call the daemon comes back to the same and costs no ping") {
  need_program("strace");
  Rig rig(3);
  rig.start_all();
  rig.require_mesh();
  Host& host = rig.host(2);
  const std::string other = host.address_in_hosts("n3");
  const Order order = order_of(host);
  REQUIRE(in_order(host, order));
  Pinger to(rig.host(1), "n2");
  Pinger from(host, "n1");
  rig.require_soon("pings are answered", 20s, [&] { return to.sent() >= 10; });
  host.stop_daemon(SIGKILL);

  spoil(host, other);
  Process traced = start_traced(host, {"-e", "trace=" + std::string(kCalls)});
  rig.require_soon("the traced daemon has put all in order", 60s,
                   [&] { return in_order(host, order) || !traced.running(); });
  if (!traced.running()) {
    const std::string why = read_file(host.path("/run/traced.err"));
    if (why.find("PTRACE") != std::string::npos) skip("strace cannot trace here: " + why);
    FAIL("the daemon ended: " + why);
  }
  kill_traced(rig, traced);
  const std::vector<Point> points =
      sample(points_in(read_file(host.path("/run/trace"))), settings().patience > 1 ? 8 : 24);
  REQUIRE(points.size() >= 6);

  int died = 0;
  for (const Point& point : points) {
    INFO("killed at " << point.text());
    spoil(host, other);
    Process dying = start_traced(
        host, {"-e", "trace=" + point.call, "-e",
               "inject=" + point.call + ":signal=KILL:when=" + std::to_string(point.count)});
    rig.require_soon("it dies or has put all in order", 60s,
                     [&] { return !dying.running() || in_order(host, order); });
    if (dying.running())
      kill_traced(rig, dying);
    else
      ++died;
    host.start_daemon({});
    rig.require_soon("all is in order after " + point.text(), 30s,
                     [&] { return in_order(host, order); });
    host.stop_daemon(SIGKILL);
  }
  WARN(died << " of " << points.size() << " points were reached");
  REQUIRE(died * 4 >= static_cast<int>(points.size()) * 3);

  host.start_daemon({});
  rig.require_soon("n1 sees n2 alive", 60s,
                   [&] { return rig.host(1).member_state("n2") == "alive"; });
  const int at_return = to.sent();
  rig.require_soon("pings go on", 20s, [&] { return to.sent() >= at_return + 10; });
  INFO(to.end() << from.end());
  REQUIRE(to.lost() == 0);
  REQUIRE(from.lost() == 0);
  rig.require_mesh();
  rig.require_exactly({1, 2, 3});
}

}  // namespace wesher::netns
