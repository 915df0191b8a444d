// A mesh of a thousand: what one more member costs, what a restart costs, how long a stop takes.
// Everything is counted from outside the daemon.
#include <csignal>
#include <filesystem>
#include <iostream>
#include <regex>
#include <sstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>
#include <unistd.h>

#include "netns/support/crowd.h"
#include "netns/support/inside.h"
#include "netns/support/rig.h"
#include "netns/support/witness.h"

namespace wesher::netns {

namespace {

using Clock = std::chrono::steady_clock;

// A member's announcement reaches database, device, routes and hosts file within 250 ms, and where
// many come at once, the last of them a millisecond later for each. The test leaves five times that
// to a busy machine, and ten times that where all the machine's code is emulated.
constexpr auto kReachBound = 5 * 250ms;
constexpr auto kReachPerMember = 5 * 1ms;
constexpr int kEmulationCosts = 10;

int slowness() {
  return settings().patience > 1 ? kEmulationCosts : 1;
}

int crowd_size() {
  return uses_kernel() ? 1000 : 200;
}

std::size_t count_lines(const std::string& text, const std::string& with) {
  std::size_t count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(with) != std::string::npos) ++count;
  return count;
}

// Seconds between the first and the last line of a trace that has this text.
double span_of(const std::string& trace, const std::string& with) {
  double first = 0;
  double last = 0;
  std::istringstream lines(trace);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(with) == std::string::npos) continue;
    std::istringstream words(line);
    std::string thread;
    words >> thread >> last;
    if (first == 0) first = last;
  }
  return last - first;
}

// Peers that the database wants, and whether all of it is applied.
struct Stored {
  int peers = 0;
  bool applied = false;
};

Stored stored(const Host& host) {
  try {
    SQLite::Database database(host.path("/var/lib/wesher/wgoverlay.db"), SQLite::OPEN_READONLY,
                              1000);
    SQLite::Statement query(database,
                            "SELECT (SELECT count(*) FROM desired_peer), desired.generation = "
                            "applied.generation FROM desired, applied");
    if (query.executeStep()) return {query.getColumn(0).getInt(), query.getColumn(1).getInt() == 1};
  } catch (const SQLite::Exception&) {
    // Not there yet.
  }
  return {};
}

// Routes of the daemon, by the table of the network namespace.
std::size_t route_count(const Host& host) {
  std::string table;
  inside_network(host.network_namespace(),
                 [&] { table = read_file("/proc/thread-self/net/route"); });
  return count_lines(table, "wgoverlay");
}

std::size_t peer_count(const Host& host) {
  return count_lines(host.exec({"wg", "show", "wgoverlay", "peers"}).out, "=");
}

// n1 is a daemon, n2 the home of a crowd that it has joined.
struct Mesh {
  explicit Mesh(int size) : rig(2), host(rig.host(1)), crowd(rig.host(2), rig.key(), size) {
    Crowd::make_reachable_from(host, rig.host(2));
    host.start_daemon({"--join", Crowd::underlay(1)}, {"WESHER_CLUSTER_KEY=" + rig.key()});
    require_all();
  }

  // What n1 lacks of the crowd; empty when every member is everywhere.
  [[nodiscard]] std::string missing() {
    const auto size = static_cast<std::size_t>(crowd.size());
    const Stored now = stored(host);
    if (now.peers != crowd.size()) return std::to_string(now.peers) + " members in the database";
    if (const std::size_t peers = peer_count(host); peers != size)
      return std::to_string(peers) + " peers";
    if (const std::size_t routes = route_count(host); routes != size)
      return std::to_string(routes) + " routes";
    if (const std::size_t names = count_lines(host.hosts_file(), "\tm"); names != size)
      return std::to_string(names) + " hosts lines";
    return now.applied ? "" : "the generation applied is not the one desired";
  }

  void require_all() {
    std::string lacks;
    const bool all =
        wait_for([&] { return (lacks = missing()).empty(); }, 60s * settings().patience);
    if (!all) FAIL("n1 does not get every one of " << crowd.size() << " members: " << lacks);
  }

  // Until nothing was written for a second: what follows an event late is still of that event.
  void require_quiet() {
    const std::string log = host.path("/var/lib/wesher/wgoverlay.db-wal");
    int commits = -1;
    Clock::time_point since;
    rig.require_soon("the daemon comes to rest", 30s, [&] {
      const int now = read_log(log).commits;
      if (now != commits) {
        commits = now;
        since = Clock::now();
      }
      return Clock::now() - since > 1s;
    });
  }

  // Milliseconds of processor time that the daemon has used.
  [[nodiscard]] long daemon_cpu() {
    // Fields 14 and 15 of proc(5), counted behind the name of the program.
    std::istringstream fields(read_file("/proc/" + std::to_string(host.daemon().pid()) + "/stat"));
    std::string word;
    while (fields >> word && word.back() != ')') {
    }
    for (int skipped = 3; skipped < 14; ++skipped)
      fields >> word;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return (user + system) * 1000 / ::sysconf(_SC_CLK_TCK);
  }

  // Milliseconds from then until every member is everywhere, looked at without a pause.
  long until_all(Clock::time_point from) {
    const auto bound = from + 60s * settings().patience;
    for (std::string lacks = missing(); !lacks.empty(); lacks = missing())
      if (Clock::now() > bound) FAIL("n1 does not get every member: " << lacks);
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - from).count();
  }

  Rig rig;
  Host& host;
  Crowd crowd;
};

std::string text_of(const Testimony& told) {
  std::ostringstream out;
  out << told.sent.wireguard.size() << " WireGuard, " << told.sent.routes.size() << " route, "
      << told.sent.others.size() << " other messages, " << told.hosts_writes
      << " writes of the hosts file, " << told.transactions << " transactions";
  if (told.netlink)
    out << "; by nlmon " << told.netlink->wireguard << ", " << told.netlink->routes << ", "
        << told.netlink->others << ", and " << told.netlink->reads << " reads";
  return out.str();
}

}  // namespace

TEST_CASE("one join among a thousand costs one message each and two transactions", "[alone]") {
  Mesh mesh(crowd_size());
  for (int round = 1; round <= 3; ++round) {
    Witness witness(mesh.host);
    mesh.require_quiet();
    witness.begin();
    mesh.crowd.join(mesh.host);
    mesh.require_all();
    mesh.require_quiet();
    const Testimony told = witness.tell();
    std::cout << "join " << mesh.crowd.size() << ": " << text_of(told) << std::endl;
    INFO(text_of(told) << "\n" << told.sent.text());
    CHECK(told.sent.wireguard.size() == 1);
    CHECK(told.sent.routes.size() == 1);
    CHECK(told.sent.others.empty());
    if (told.netlink) {
      CHECK(told.netlink->wireguard == 1);
      CHECK(told.netlink->routes == 1);
      CHECK(told.netlink->others == 0);
    }
    CHECK(told.hosts_writes <= 1);
    CHECK_FALSE(told.log_restarted);
    CHECK(told.transactions == 2);
  }
  CHECK(mesh.crowd.seen().pings > 0);
  CHECK(mesh.crowd.seen().accusations == 0);
}

TEST_CASE("a restart among a thousand sends no changing message", "[alone]") {
  Mesh mesh(crowd_size());
  Host& host = mesh.host;
  mesh.require_quiet();
  host.stop_daemon(SIGKILL);
  const auto hosts_written = std::filesystem::last_write_time(host.path("/etc/hosts"));
  const int contacts = mesh.crowd.seen().push_pulls;
  std::vector<std::string> command = strace_command("/run/trace");
  command.insert(command.end(), {"-qq", settings().wesher, "--backend", settings().backend,
                                 "--log-level", "info"});
  Process traced = host.start("traced", command);
  // The look at the start, what follows when the others are found, and the periodic look.
  mesh.rig.require_soon("the device is looked at over half a minute", 60s, [&] {
    return span_of(read_file(host.path("/run/trace")),
                   uses_kernel() ? "nlmsg_type=RTM_GETROUTE" : R"("get=1)") > 25 ||
           !traced.running();
  });
  REQUIRE(traced.running());
  mesh.require_all();
  CHECK(mesh.crowd.seen().push_pulls > contacts);
  const Changes changes = changes_sent(read_file(host.path("/run/trace")));
  std::cout << "restart: " << changes.all().size() << " changing messages" << std::endl;
  INFO(changes.text());
  CHECK(changes.all().empty());
  CHECK(std::filesystem::last_write_time(host.path("/etc/hosts")) == hosts_written);
}

TEST_CASE("members that join reach device and database and hosts file in time", "[alone]") {
  Mesh mesh(10);
  const auto in_time = [&](int count, const auto& join) {
    mesh.require_quiet();
    const long cpu = mesh.daemon_cpu();
    const long took = mesh.until_all(join());
    std::cout << count << " more, " << mesh.crowd.size() << " in all: everywhere after " << took
              << " ms, of which " << mesh.daemon_cpu() - cpu << " ms of the daemon's processor time"
              << std::endl;
    CHECK(took <= ((kReachBound + count * kReachPerMember) * slowness()).count());
  };
  const auto one = [&] { return mesh.crowd.join(mesh.host); };
  for (int round = 1; round <= 3; ++round)
    in_time(1, one);
  in_time(crowd_size(), [&] { return mesh.crowd.join_at_once(mesh.host, crowd_size()); });
  for (int round = 1; round <= 3; ++round)
    in_time(1, one);
}

TEST_CASE("a stop with a thousand peers is much faster than deleting the full interface",
          "[alone][kernel]") {
  if (!uses_kernel()) skip("only the kernel's WireGuard takes long to delete a full interface");
  Mesh mesh(crowd_size());
  Host& host = mesh.host;
  NetlinkMonitor monitor(host);
  if (!monitor.available()) skip("this kernel has no nlmon; try: modprobe nlmon");
  mesh.require_quiet();
  const std::string peers = host.exec({"wg", "showconf", "wgoverlay"}).out;
  std::string same =
      "link add wgoverlay type wireguard\nlink set wgoverlay up\n"
      "address add 10.77.250.250/32 dev wgoverlay\n";
  for (int member = 1; member <= mesh.crowd.size(); ++member)
    same += "route add " + Crowd::overlay(member) + " dev wgoverlay\n";

  (void)monitor.take();
  host.daemon().signal(SIGTERM);
  REQUIRE(host.daemon().wait_for_end(60s * settings().patience));
  REQUIRE_FALSE(host.has_link());
  const NetlinkCounts stop = monitor.take();

  REQUIRE(host.exec({"ip", "-batch", "-"}, same).exit_code == 0);
  REQUIRE(host.exec({"wg", "setconf", "wgoverlay", "/proc/self/fd/0"}, peers).exit_code == 0);
  REQUIRE(peer_count(host) == static_cast<std::size_t>(mesh.crowd.size()));
  (void)monitor.take();
  REQUIRE(host.exec({"ip", "link", "delete", "wgoverlay"}, "", 300s).exit_code == 0);
  const NetlinkCounts plain = monitor.take();

  REQUIRE(stop.until_link_deleted);
  REQUIRE(plain.until_link_deleted);
  std::cout << "stop with " << mesh.crowd.size() << " peers: " << *stop.until_link_deleted << " s ("
            << stop.wireguard << " WireGuard, " << stop.routes << " route, " << stop.others
            << " other messages; " << stop.until_last_set << " s before the peers, "
            << stop.until_delete - stop.until_last_set
            << " s for them); ip link delete of the same: " << *plain.until_link_deleted
            << " s; ratio " << *plain.until_link_deleted / *stop.until_link_deleted << std::endl;
  CHECK(stop.wireguard == 1);
  CHECK(*plain.until_link_deleted >= 20 * *stop.until_link_deleted);
}

}  // namespace wesher::netns
