// A cluster of gossip processes, each in a network namespace with an address of its own on one bridge,
// and how long it takes them to know each other. Groups of peers are commands in which {name},
// {address}, {port}, {join} and {key} (hex) are filled in. A peer tells on stdout who came: "alive NAME".
//
//   bench_cluster --count N --peer 'COMMAND' [--count N --peer 'COMMAND']... [--idle SECONDS]
//   [--bound SECONDS]
//
// Prints one line a figure: NAME VALUE. The first peer of all is up before the others start at
// once; then one more of each group joins.
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
  return "10.99." + std::to_string((number + 1) / 250) + "." + std::to_string((number + 1) % 250 + 1);
}

void must(const std::string& command) {
  if (std::system(command.c_str()) == 0) return;  // NOLINT(concurrency-mt-unsafe): one thread
  std::fprintf(stderr, "bench_cluster: failed: %s\n", command.c_str());
  std::exit(1);
}

// A network of our own, of which nobody else sees anything: a bridge, and named namespaces in a place
// that ends with this process.
void enter_own_network() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) {
    std::perror("bench_cluster: namespaces need root");
    std::exit(77);
  }
  must("mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && "
       "ip link set lo up && ip link add br0 type bridge && ip link set br0 up");
}

void add_host(std::size_t number) {
  const std::string n = std::to_string(number);
  must("ip netns add n" + n + " && ip link add v" + n + " type veth peer name eth0 netns n" + n +
       " && ip link set v" + n + " master br0 up && ip -n n" + n + " link set lo up && ip -n n" + n +
       " addr add " + address_of(number) + "/16 dev eth0 && ip -n n" + n + " link set eth0 up");
}

// Bytes that the hosts sent so far, frames of the link whole: what their ports received.
double sent_bytes() {
  std::ifstream file("/proc/self/net/dev");
  double sum = 0;
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(':');
    const std::size_t name = line.find_first_not_of(' ');
    if (at == std::string::npos || line[name] != 'v') continue;
    double bytes = 0;
    std::istringstream(line.substr(at + 1)) >> bytes;
    sum += bytes;
  }
  return sum;
}

class Cluster {
 public:
  Cluster(std::vector<Group> groups, seconds bound) : groups_(std::move(groups)), bound_(bound) {}

  void start();
  void join_one_more();
  void idle(seconds span);

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
  bool ready_ = false;
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
  ready_ = ready_ || line == "ready";
  if (!line.starts_with("alive ")) return;
  const std::string name = line.substr(6);
  if (name == name_of(child)) return;
  if (!known_[child].insert(name).second) return;
  complete_[child] = Clock::now();
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
      [this] { return ready_; });
  const auto from = Clock::now();
  for (std::size_t g = 0; g < groups_.size(); ++g)
    for (std::size_t i = g == first ? 1 : 0; i < groups_[g].count; ++i)
      start_peer(g);
  figures("all_pairs_ms.", from, wait_for_all());
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

void Cluster::idle(seconds span) {
  const auto nothing = [this](std::size_t child, const std::string& line) { take(child, line); };
  children_.read(Clock::now() + seconds(10), nothing, [] { return false; });
  std::vector<double> before(groups_.size());
  for (std::size_t i = 0; i < children_.size(); ++i)
    before[group_of_[i]] += children_.usage(i).cpu_seconds;
  const double bytes = sent_bytes();
  const auto from = Clock::now();
  children_.read(from + span, nothing, [] { return false; });
  const double passed = ms(Clock::now() - from) / 1000;
  const double sent = sent_bytes() - bytes;
  std::vector<double> cpu(groups_.size());
  std::vector<double> rss(groups_.size());
  std::vector<double> peers(groups_.size());
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const Usage usage = children_.usage(i);
    cpu[group_of_[i]] += usage.cpu_seconds;
    rss[group_of_[i]] += static_cast<double>(usage.rss_bytes);
    ++peers[group_of_[i]];
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (peers[g] == 0) continue;
    std::printf("idle_cpu_ms_per_minute.%zu %.3f\n", g,
                (cpu[g] - before[g]) * 1000 / passed * 60 / peers[g]);
    std::printf("rss_kb.%zu %.0f\n", g, rss[g] / 1024 / peers[g]);
  }
  std::printf("idle_bytes_per_second %.1f\n",
              sent / passed / static_cast<double>(children_.size()));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Group> groups;
  seconds idle{0};
  seconds bound{120};
  std::size_t count = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--count") count = std::stoul(argv[i + 1]);
    if (option == "--peer") groups.push_back({count, argv[i + 1]});
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
  if (idle > seconds(0)) cluster.idle(idle);
  return 0;
}
