// contrib/migrate-from-go.md, command by command: its `sh` blocks are run on a host in the order in
// which they stand. What stands in for what a host of the rig has not: a program that looks from
// outside as the Go one does, and a systemctl that knows one unit.
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

/// Starts as the Go program does from its state file, and tells what it found there; then it holds
/// the gossip port.
constexpr const char* kGoProgram = R"pl(#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET;
my $path = '/var/lib/wesher/wgoverlay.json';
open(my $state, '<', $path) or die "no $path\n";
my $text = do { local $/; <$state> };
open(my $log, '>>', '/run/go.log'); print $log $text, "\n"; close $log;
my %at = (LocalAddr => '0.0.0.0', LocalPort => 7946);
my $tcp = IO::Socket::INET->new(%at, Listen => 5) or die "TCP: $!\n";
my $udp = IO::Socket::INET->new(%at, Proto => 'udp') or die "UDP: $!\n";
sleep 1 while 1;
)pl";

constexpr const char* kSystemctl = R"sh(#!/bin/sh
pid() { cat /run/unit.pid 2>/dev/null; }
running() { [ -n "$(pid)" ] && kill -0 "$(pid)" 2>/dev/null; }
for unit in "$@"; do :; done
[ "$unit" = wesher ] || exit 5
case "$1" in
start|restart)
  if running; then
    [ "$1" = restart ] || exit 0
    kill -TERM "$(pid)"
    while running; do sleep 0.1; done
  fi
  set -a; . /etc/default/wesher; set +a
  setsid /usr/local/sbin/wesher >>/run/unit.log 2>&1 </dev/null &
  echo $! >/run/unit.pid ;;
kill) [ "$2" = --signal=KILL ] && kill -KILL "$(pid)" ;;
*) exit 1 ;;
esac
)sh";

void install(const Host& host, const std::string& inside, const std::string& text) {
  const Output output = host.exec({"sh", "-c", "cat >" + inside + " && chmod 755 " + inside}, text);
  INFO(output.text());
  REQUIRE(output.exit_code == 0);
}

/// The fenced `sh` blocks of the guide, in order.
std::vector<std::string> blocks_of_guide() {
  std::istringstream guide(read_file(MIGRATION_GUIDE));
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(guide, line);) {
    if (line == "```sh") blocks.emplace_back();
    const bool fence = line.starts_with("```");
    if (inside && !fence) blocks.back() += line + "\n";
    if (fence) inside = line == "```sh";
  }
  return blocks;
}

/// A host on which the Go program runs, with the new program in root's folder.
void prepare(Rig& rig, Host& host) {
  const auto must = [&](const std::vector<std::string>& argv) {
    const Output output = host.exec(argv);
    INFO(output.text());
    REQUIRE(output.exit_code == 0);
  };
  must({"mount", "-t", "tmpfs", "tmpfs", "/usr/local/sbin"});
  must({"mkdir", "-p", "/run/bin", "/run/new", "/etc/default", "/var/lib/wesher"});
  must({"chmod", "700", "/var/lib/wesher"});
  must({"cp", settings().wesher, "/run/new/wesher"});
  install(host, "/run/bin/systemctl", kSystemctl);
  install(host, "/usr/local/sbin/wesher", kGoProgram);
  const nlohmann::ordered_json state{
      {"ClusterKey", rig.key()},
      {"Nodes", {{{"Name", "n2"}, {"Addr", rig.seed(2)}, {"Port", 7946}, {"Meta", ""}}}}};
  install(host, "/var/lib/wesher/wgoverlay.json", state.dump(2));
  must({"chmod", "600", "/var/lib/wesher/wgoverlay.json"});
  write_file(host.path("/etc/default/wesher"),
             "WESHER_LOG_LEVEL=info\nWESHER_BACKEND=" + settings().backend + "\n");
}

class Guide {
 public:
  explicit Guide(const Host& host) : host_(host), blocks_(blocks_of_guide()) {}

  [[nodiscard]] bool has_next() const { return next_ < blocks_.size(); }

  /// Runs the next block and gives what it said; it must succeed and be about this.
  std::string run(const std::string& about) {
    REQUIRE(has_next());
    const std::string& block = blocks_[next_++];
    INFO(block);
    REQUIRE(block.find(about) != std::string::npos);
    const Output output = host_.exec_with(
        {"PATH=/run/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"sh", "-euc", "cd /run/new\n" + block});
    INFO(output.text());
    INFO(read_file(host_.path("/run/unit.log")));
    REQUIRE(output.exit_code == 0);
    return output.out;
  }

 private:
  const Host& host_;
  std::vector<std::string> blocks_;
  std::size_t next_ = 0;
};

}  // namespace

TEST_CASE("the guide for operators of the Go program leads there and back", "[input]") {
  Rig rig(2);
  Host& host = rig.host(1);
  Host& other = rig.host(2);
  other.start_daemon({}, {"WESHER_CLUSTER_KEY=" + rig.key()});
  rig.require_soon("n2 has its address", 20s, [&] { return !other.addresses().empty(); });
  prepare(rig, host);
  REQUIRE(host.exec_with({"PATH=/run/bin:/usr/bin:/bin"}, {"/run/bin/systemctl", "start", "wesher"})
              .exit_code == 0);
  rig.require_soon("the Go program holds its port", 10s, [&] {
    return host.exec({"ss", "-Hltn", "sport", "=", "7946"}).out.find("7946") != std::string::npos;
  });
  Guide guide(host);

  const std::string doctor = guide.run("./wesher doctor");
  REQUIRE(doctor.find("warn  gossip port") != std::string::npos);
  REQUIRE(doctor.find("another wesher: the Go program?") != std::string::npos);
  REQUIRE(doctor.find("wgoverlay.json: cluster key and 1 node") != std::string::npos);
  REQUIRE(doctor.find("\nfail") == std::string::npos);
  (void)guide.run("wesher-go");
  (void)guide.run("--signal=KILL");
  const std::string status = guide.run("wesher wait");
  REQUIRE(status.find("n1") != std::string::npos);
  rig.require_mesh({1, 2});
  REQUIRE(host.wesher({"key", "show"}).out == rig.key() + "\n");
  (void)guide.run("WESHER_ON_STOP=keep");

  const std::string before = read_file(host.path("/run/go.log"));
  (void)guide.run("state export");
  REQUIRE_FALSE(guide.has_next());
  rig.require_soon("the Go program has started from what was exported", 10s,
                   [&] { return read_file(host.path("/run/go.log")).size() > before.size(); });
  const auto exported =
      nlohmann::json::parse(read_file(host.path("/run/go.log")).substr(before.size()));
  REQUIRE(exported.at("ClusterKey") == rig.key());
  REQUIRE(exported.at("Nodes").size() == 1);
  REQUIRE(exported.at("Nodes").at(0).at("Name") == "n2");
  REQUIRE(exported.dump().find(rig.seed(2)) != std::string::npos);
  REQUIRE_FALSE(host.has_link());
  rig.require_soon("n2 knows that n1 left", 20s,
                   [&] { return other.member_state("n1") == "left"; });
}

}  // namespace wesher::netns
