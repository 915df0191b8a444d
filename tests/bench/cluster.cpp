// A cluster of gossip processes on one loopback interface of its own, and how long it takes them to
// know each other. Groups of peers are commands in which {name}, {port}, {join}, {key} (hex) and
// {key64} (base64) are filled in. A peer tells on stdout who came: "alive NAME", or, as serf does,
// "EventMemberJoin: NAME".
//
//   bench_cluster --count N --peer 'COMMAND' [--count N --peer 'COMMAND']... [--idle SECONDS]
//   [--bound SECONDS]
//
// Prints one line a figure: NAME VALUE. The first peer of all is up before the others start at
// once; then one more of each group joins.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "children.h"

namespace {

using namespace wesher::bench;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kFirstPort = 20001;
constexpr const char* kKeyHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kKeyBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Group {
  std::size_t count = 0;
  std::string command;
};

double ms(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// A network namespace in which there is loopback and nothing else.
void enter_own_network() {
  if (::unshare(CLONE_NEWNET) != 0) {
    std::perror("bench_cluster: a network namespace needs root");
    std::exit(77);
  }
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (::ioctl(fd, SIOCSIFFLAGS, &request) != 0) std::perror("bench_cluster: lo");
  ::close(fd);
}

// Bytes that passed the loopback interface of this namespace.
double loopback_bytes() {
  std::ifstream file("/proc/self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find("lo:");
    if (at == std::string::npos) continue;
    double bytes = 0;
    std::istringstream(line.substr(at + 3)) >> bytes;
    return bytes;
  }
  return 0;
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
  std::vector<std::string> argv;
  std::istringstream words(groups_[group].command);
  const std::string port = std::to_string(kFirstPort + number);
  for (std::string word; words >> word;) {
    for (const auto& [name, value] :
         {std::pair<std::string, std::string>{"{name}", "node" + port},
          {"{port}", port},
          {"{join}", number == 0 ? "" : "127.0.0.1:" + std::to_string(kFirstPort)},
          {"{key64}", kKeyBase64},
          {"{rpc}", std::to_string(kFirstPort + 20000 + number)},
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
  ready_ = ready_ || line == "ready" || line.find("running!") != std::string::npos;
  std::string name;
  if (line.starts_with("alive ")) {
    name = line.substr(6);
  } else if (const std::size_t at = line.find("EventMemberJoin: "); at != std::string::npos) {
    std::istringstream(line.substr(at + 17)) >> name;
  }
  if (name.empty() || name == "node" + std::to_string(kFirstPort + child)) return;
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
  const double bytes = loopback_bytes();
  const auto from = Clock::now();
  children_.read(from + span, nothing, [] { return false; });
  const double passed = ms(Clock::now() - from) / 1000;
  const double sent = loopback_bytes() - bytes;
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
  Cluster cluster(groups, bound);
  cluster.start();
  cluster.join_one_more();
  if (idle > seconds(0)) cluster.idle(idle);
  return 0;
}
