// A cluster of gossip processes, each in a network namespace with an address of its own on one
// bridge, and how long it takes them to know each other. Groups of peers are commands in which
// {name}, {address}, {port}, {join} and {key} (hex) are filled in. A peer tells on stdout who came,
// "alive NAME", or logs it as serf's agent does.
//
//   bench_cluster --count N --peer 'COMMAND' [--count N --peer 'COMMAND']... [--settle SECONDS]
//   [--idle SECONDS] [--bound SECONDS]
//
// Prints one line a figure, NAME.GROUP VALUE. The first peer of all is up before the others start
// at once; then one more of each group joins. Idle peers are watched for --idle seconds, --settle
// (10) seconds after that.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <sched.h>
#include <unistd.h>

#include "children.h"

namespace {

using namespace wesher::bench;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPort = "7946";
constexpr const char* kKeyHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

std::string name_of(std::size_t number) {
  return "node" + std::to_string(number);
}

struct Group {
  std::size_t count = 0;
  std::string command;
};

double ms(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

std::string address_of(std::size_t number) {
  return "10.99." + std::to_string((number + 1) / 250) + "." +
         std::to_string((number + 1) % 250 + 1);
}

void must(const std::string& command) {
  if (std::system(command.c_str()) == 0) return;  // NOLINT(concurrency-mt-unsafe): one thread
  std::fprintf(stderr, "bench_cluster: failed: %s\n", command.c_str());
  std::exit(1);
}

// A network of our own, of which nobody else sees anything: a router, which is this namespace, and
// named namespaces in a place that ends with this process.
void enter_own_network() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) {
    std::perror("bench_cluster: namespaces need root");
    std::exit(77);
  }
  must(
      "mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && "
      "ip link set lo up && echo 1 >/proc/sys/net/ipv4/ip_forward");
}

// Each host has one neighbour, the router: the kernel's table of neighbours is one for all
// namespaces and holds 1,024, which on a common link would be those of 32 hosts.
void add_host(std::size_t number) {
  const std::string n = std::to_string(number);
  const std::string host = "ip -n n" + n + " ";
  must("ip netns add n" + n + " && ip link add v" + n + " type veth peer name eth0 netns n" + n +
       " && ip addr add 169.254.0.1/32 dev v" + n + " && ip link set v" + n +
       " up && ip route add " + address_of(number) + " dev v" + n + " && " + host +
       "link set lo up && " + host + "addr add " + address_of(number) + "/32 dev eth0 && " + host +
       "link set eth0 up && " + host + "route add 169.254.0.1 dev eth0 && " + host +
       "route add default via 169.254.0.1");
}

// Bytes that each host sent so far, frames of the link whole: what its port received.
std::vector<double> sent_bytes(std::size_t hosts) {
  std::ifstream file("/proc/self/net/dev");
  std::vector<double> sent(hosts);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(':');
    const std::size_t name = line.find_first_not_of(' ');
    if (at == std::string::npos || line[name] != 'v') continue;
    const std::size_t number = std::stoul(line.substr(name + 1));
    if (number < hosts) std::istringstream(line.substr(at + 1)) >> sent[number];
  }
  return sent;
}

// Whom a line of output tells to have come; empty: nobody.
std::string who_came(const std::string& line) {
  for (const std::string mark : {"alive ", "EventMemberJoin: "}) {
    const std::size_t at = line.find(mark);
    if (at == std::string::npos) continue;
    const std::string rest = line.substr(at + mark.size());
    return rest.substr(0, rest.find(' '));
  }
  return {};
}

class Cluster {
 public:
  Cluster(std::vector<Group> groups, seconds bound) : groups_(std::move(groups)), bound_(bound) {}

  void start();
  void join_one_more();
  void idle(seconds settle, seconds span);

 private:
  std::size_t start_peer(std::size_t group);
  void take(std::size_t child, const std::string& line);
  // Waits until every peer knows every other; when the last of each group did.
  std::vector<Clock::time_point> wait_for_all();
  void figures(const char* what, Clock::time_point from, const std::vector<Clock::time_point>& at);

  std::vector<Group> groups_;
  seconds bound_;
  Children children_;
  std::vector<std::size_t> group_of_;
  std::vector<std::set<std::string>> known_;
  std::vector<Clock::time_point> complete_;  ///< when a peer last learned of somebody
  std::vector<Clock::time_point> learned_;   ///< when each of the pairs did, one way
  std::vector<Clock::time_point> ready_;     ///< when each of the peers was
  std::size_t whole_ = 0;  ///< peers that know all others
};

std::size_t Cluster::start_peer(std::size_t group) {
  const std::size_t number = children_.size();
  std::vector<std::string> argv{"ip", "netns", "exec", "n" + std::to_string(number)};
  std::istringstream words(groups_[group].command);
  for (std::string word; words >> word;) {
    for (const auto& [name, value] :
         {std::pair<std::string, std::string>{"{name}", name_of(number)},
          {"{address}", address_of(number)},
          {"{port}", kPort},
          {"{join}", number == 0 ? "" : address_of(0) + ":" + kPort},
          {"{key}", kKeyHex}}) {
      const std::size_t at = word.find(name);
      if (at != std::string::npos) word.replace(at, name.size(), value);
    }
    argv.push_back(word);
  }
  group_of_.push_back(group);
  known_.emplace_back();
  complete_.emplace_back();
  return children_.start(argv);
}

void Cluster::take(std::size_t child, const std::string& line) {
  if (line == "ready" || line.find("agent running") != std::string::npos)
    ready_.push_back(Clock::now());
  const std::string name = who_came(line);
  if (name.empty() || name == name_of(child)) return;
  if (!known_[child].insert(name).second) return;
  complete_[child] = Clock::now();
  learned_.push_back(complete_[child]);
  whole_ += known_[child].size() == children_.size() - 1 ? 1 : 0;
}

std::vector<Clock::time_point> Cluster::wait_for_all() {
  whole_ = 0;
  for (const auto& names : known_)
    whole_ += names.size() == children_.size() - 1 ? 1 : 0;
  children_.read(
      Clock::now() + bound_,
      [this](std::size_t child, const std::string& line) { take(child, line); },
      [this] { return whole_ == children_.size(); });
  std::vector<Clock::time_point> last(groups_.size());
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto& of_group = last[group_of_[i]];
    if (known_[i].size() < children_.size() - 1) {
      of_group = Clock::time_point::max();
    } else {
      of_group = std::max(of_group, complete_[i]);
    }
  }
  return last;
}

void Cluster::figures(const char* what,
                      Clock::time_point from,
                      const std::vector<Clock::time_point>& at) {
  for (std::size_t g = 0; g < at.size(); ++g) {
    if (groups_[g].count == 0) continue;
    if (at[g] == Clock::time_point::max()) {
      std::printf("%s%zu never\n", what, g);
    } else {
      std::printf("%s%zu %.1f\n", what, g, ms(at[g] - from));
    }
  }
}

void Cluster::start() {
  const std::size_t first = groups_.front().count > 0 ? 0 : 1;
  start_peer(first);
  children_.read(
      Clock::now() + seconds(10),
      [this](std::size_t child, const std::string& line) { take(child, line); },
      [this] { return !ready_.empty(); });
  const auto from = Clock::now();
  for (std::size_t g = 0; g < groups_.size(); ++g)
    for (std::size_t i = g == first ? 1 : 0; i < groups_[g].count; ++i)
      start_peer(g);
  figures("all_pairs_ms.", from, wait_for_all());
  // How much of that is the start of the processes, and how much a few late pairs. For one group.
  if (groups_.size() > 1 || ready_.empty() || learned_.empty()) return;
  std::printf("last_start_ms.0 %.1f\n", ms(ready_.back() - from));
  const auto late = learned_.begin() + static_cast<std::ptrdiff_t>(learned_.size() * 99 / 100);
  std::printf("pairs_99_percent_ms.0 %.1f\n", ms(*late - from));
}

void Cluster::join_one_more() {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].count == 0) continue;
    children_.read(
        Clock::now() + seconds(5),
        [this](std::size_t child, const std::string& line) { take(child, line); },
        [] { return false; });
    const auto from = Clock::now();
    start_peer(g);
    const std::string what = "join_of_" + std::to_string(g) + "_ms.";
    figures(what.c_str(), from, wait_for_all());
  }
}

void Cluster::idle(seconds settle, seconds span) {
  std::puts("idle");
  std::fflush(stdout);
  const auto nothing = [this](std::size_t child, const std::string& line) { take(child, line); };
  children_.read(Clock::now() + settle, nothing, [] { return false; });
  std::vector<double> cpu(groups_.size());
  std::vector<double> bytes(groups_.size());
  std::vector<double> rss(groups_.size());
  std::vector<double> peers(groups_.size());
  const auto add = [&](double sign) {
    const std::vector<double> sent = sent_bytes(children_.size());
    for (std::size_t i = 0; i < children_.size(); ++i) {
      cpu[group_of_[i]] += sign * children_.usage(i).cpu_seconds;
      bytes[group_of_[i]] += sign * sent[i];
    }
  };
  add(-1);
  const auto from = Clock::now();
  children_.read(from + span, nothing, [] { return false; });
  const double passed = ms(Clock::now() - from) / 1000;
  add(1);
  for (std::size_t i = 0; i < children_.size(); ++i) {
    rss[group_of_[i]] += static_cast<double>(children_.usage(i).rss_bytes);
    ++peers[group_of_[i]];
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (peers[g] == 0) continue;
    std::printf("idle_cpu_ms_per_minute.%zu %.3f\n", g, cpu[g] * 1000 / passed * 60 / peers[g]);
    std::printf("idle_bytes_per_second.%zu %.1f\n", g, bytes[g] / passed / peers[g]);
    std::printf("rss_kb.%zu %.0f\n", g, rss[g] / 1024 / peers[g]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Group> groups;
  seconds settle{10};
  seconds idle{0};
  seconds bound{120};
  std::size_t count = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--count") count = std::stoul(argv[i + 1]);
    if (option == "--peer") groups.push_back({count, argv[i + 1]});
    if (option == "--settle") settle = seconds(std::stol(argv[i + 1]));
    if (option == "--idle") idle = seconds(std::stol(argv[i + 1]));
    if (option == "--bound") bound = seconds(std::stol(argv[i + 1]));
  }
  if (groups.empty()) {
    std::fputs("bench_cluster --count N --peer COMMAND ...\n", stderr);
    return 2;
  }
  enter_own_network();
  std::size_t hosts = 0;
  for (const Group& group : groups)
    hosts += group.count + (group.count > 0 ? 1 : 0);
  for (std::size_t number = 0; number < hosts; ++number)
    add_host(number);
  Cluster cluster(groups, bound);
  cluster.start();
  cluster.join_one_more();
  if (idle > seconds(0)) cluster.idle(settle, idle);
  return 0;
}
