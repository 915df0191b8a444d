#include "interop/support/mixed_cluster.h"

#include <algorithm>
#include <csignal>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "netns/support/firewall.h"

namespace wesher::interop {

using namespace std::chrono_literals;
using netns::Host;

namespace {

std::set<std::string> peer_keys(const Host& host) {
  std::set<std::string> keys;
  if (const auto device = host.device())
    for (const netns::DevicePeer& peer : device->peers)
      keys.insert(peer.public_key);
  return keys;
}

}  // namespace

MixedCluster::MixedCluster(int hosts, std::string format)
    : rig_(hosts), format_(std::move(format)), nodes_(static_cast<std::size_t>(hosts)) {
  need_gopeer();
}

Runs MixedCluster::runs(int number) const {
  return nodes_.at(static_cast<std::size_t>(number - 1)).runs;
}

std::vector<int> MixedCluster::running() const {
  std::vector<int> numbers;
  for (int number = 1; number <= static_cast<int>(nodes_.size()); ++number)
    if (runs(number) != Runs::nothing) numbers.push_back(number);
  return numbers;
}

GoPeer& MixedCluster::go(int number) {
  return *nodes_.at(static_cast<std::size_t>(number - 1)).go;
}

std::vector<std::string> MixedCluster::seeds(int number, const std::vector<int>& members) const {
  std::vector<std::string> found;
  for (const int other : members)
    if (other != number && runs(other) != Runs::nothing)
      found.push_back(rig_.hosts()[static_cast<std::size_t>(other - 1)]->underlay_address());
  return found;
}

void MixedCluster::start_go(int number,
                            const std::string& cluster_key,
                            std::vector<std::string> join) {
  Node& node = nodes_.at(static_cast<std::size_t>(number - 1));
  REQUIRE(node.runs == Runs::nothing);
  GoPeerSettings settings;
  settings.format = format_;
  settings.acts_on_host = true;
  settings.join = std::move(join);
  node.go = std::make_unique<GoPeer>(host(number), cluster_key, settings);
  node.runs = Runs::go;
}

void MixedCluster::start_go(int number) {
  start_go(number, rig_.key(), seeds(number, running()));
}

void MixedCluster::start_go_elsewhere(int number,
                                      const std::string& key,
                                      const std::vector<int>& members) {
  start_go(number, key, seeds(number, members));
}

void MixedCluster::restart_go(int number) {
  start_go(number, "", {});
}

void MixedCluster::start_ours(int number,
                              const std::vector<std::string>& arguments,
                              const std::vector<std::string>& variables) {
  Node& node = nodes_.at(static_cast<std::size_t>(number - 1));
  REQUIRE(node.runs == Runs::nothing);
  host(number).start_daemon(arguments, variables);
  node.runs = Runs::ours;
}

void MixedCluster::start_ours_with_key(int number) {
  std::vector<std::string> arguments;
  for (const std::string& seed : seeds(number, running()))
    arguments.insert(arguments.end(), {"--join", seed});
  start_ours(number, arguments, {"WESHER_CLUSTER_KEY=" + rig_.key()});
}

void MixedCluster::stop(int number) {
  Node& node = nodes_.at(static_cast<std::size_t>(number - 1));
  if (node.runs == Runs::ours) REQUIRE(host(number).stop_daemon(SIGTERM) == 0);
  if (node.runs == Runs::go) node.go->terminate();
  node = Node{};
}

void MixedCluster::kill(int number) {
  Node& node = nodes_.at(static_cast<std::size_t>(number - 1));
  if (node.runs == Runs::ours) REQUIRE(host(number).stop_daemon(SIGKILL) == 128 + SIGKILL);
  if (node.runs == Runs::go) node.go->crash();
  node = Node{};
}

void MixedCluster::split(const std::vector<int>& side, const std::vector<int>& other) {
  for (const int a : side)
    for (const int b : other) {
      netns::cut(host(a), host(b).underlay_address());
      netns::cut(host(b), host(a).underlay_address());
      split_.insert({a, b});
    }
}

void MixedCluster::heal() {
  for (const int number : split_)
    netns::unblock(host(number));
  split_.clear();
}

std::string MixedCluster::key(int number) {
  if (runs(number) == Runs::go) return go(number).key();
  const auto device = host(number).device();
  return device ? device->public_key : "";
}

bool MixedCluster::knows_all(const std::vector<int>& numbers) {
  std::set<std::string> keys;
  for (const int number : numbers)
    keys.insert(key(number));
  if (keys.contains("") || keys.size() != numbers.size()) return false;
  return std::all_of(numbers.begin(), numbers.end(), [&](int number) {
    std::set<std::string> known = peer_keys(host(number));
    known.insert(key(number));
    return std::includes(known.begin(), known.end(), keys.begin(), keys.end());
  });
}

void MixedCluster::ping(std::vector<Way>& ways) {
  std::vector<netns::Process> pings;
  for (const Way& way : ways) {
    const std::string address = host(way.from).address_in_hosts(host(way.to).name());
    std::vector<std::string> argv{"ping", "-n", "-q", "-c", "1", "-W", "1", address};
    if (address.empty()) argv = {"false"};
    pings.push_back(host(way.from).start("ping", argv));
  }
  std::vector<Way> left;
  for (std::size_t i = 0; i < ways.size(); ++i)
    if (!pings[i].wait_for_end(20s) || pings[i].exit_code() != 0) left.push_back(ways[i]);
  ways = left;
}

void MixedCluster::require_keys(const std::string& when,
                                std::chrono::milliseconds bound,
                                std::vector<int> numbers) {
  if (numbers.empty()) numbers = running();
  rig_.require_soon(when + ": all know each other's keys", bound,
                    [&] { return knows_all(numbers); });
}

std::chrono::milliseconds MixedCluster::require_reach(const std::string& when,
                                                      std::chrono::milliseconds bound,
                                                      std::vector<int> numbers) {
  if (numbers.empty()) numbers = running();
  const auto began = std::chrono::steady_clock::now();
  require_keys(when, bound, numbers);
  std::vector<Way> ways;
  for (const int from : numbers)
    for (const int to : numbers)
      if (from != to) ways.push_back({from, to});
  const bool all = netns::wait_for(
      [&] {
        ping(ways);
        return ways.empty();
      },
      bound * netns::settings().patience);
  std::string silent;
  for (const Way& way : ways)
    silent += fmt::format(" n{} to n{}", way.from, way.to);
  INFO(when << ": no ping passes from" << silent);
  REQUIRE(all);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               began);
}

void MixedCluster::require_lasting(std::chrono::seconds time,
                                   const std::vector<std::vector<int>>& groups) {
  const bool lost = netns::wait_for(
      [&] {
        return !std::all_of(groups.begin(), groups.end(),
                            [&](const auto& group) { return knows_all(group); });
      },
      time);
  REQUIRE_FALSE(lost);
  for (const std::vector<int>& group : groups)
    require_reach("after " + std::to_string(time.count()) + " s", 10s, group);
}

}  // namespace wesher::interop
