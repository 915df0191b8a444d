#include "tests/sweep/support/scenarios.h"

#include <algorithm>
#include <fstream>

namespace wesher::test {

using daemon::StopKind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr const char* kForeignHosts =
    "127.0.0.1 localhost\n"
    "::1 localhost ip6-localhost # by hand\n";

void write_hosts(World& world, const std::string& text) {
  std::ofstream(world.hosts_path(), std::ios::binary) << text;
  world.disk.sync_all();
}

/// Handshakes have been made with all peers.
void flows_begin(World& world) {
  for (auto& [key, peer] : world.kernel.state.peers)
    peer.session = true;
}

/// A host that has run for a while with members 1 to 3.
void settled(World& world) {
  write_hosts(world, kForeignHosts);
  world.start();
  for (std::uint8_t n = 1; n <= 3; ++n)
    world.say(member(n), "joined");
  world.synced();
  world.run(seconds(30));
  flows_begin(world);
  world.stop(StopKind::keep);
}

void runs(World& world) {
  world.start();
  world.say_all();
  world.run(seconds(3));
}

/// Long enough for one change and its removals to be made and reported.
void work(World& world) {
  world.run(milliseconds(700));
}

Member moved(std::uint8_t n, std::uint8_t to) {
  Member m = member(n);
  m.incarnation = 2;
  m.meta->overlay = IpAddress::v4(10, 0, 0, to);
  return m;
}

Member rekeyed(std::uint8_t n) {
  Member m = member(n);
  m.incarnation = 2;
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(static_cast<std::uint8_t>(n + 100));
  m.meta->key = PublicKey(key);
  return m;
}

Member gone(std::uint8_t n) {
  Member m = member(n);
  m.state = MemberState::left;
  m.standing = Standing::seed;
  return m;
}

void damage(const std::string& path) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(100);
  file << std::string(900, '\xa5');
}

std::vector<Scenario> make() {
  const auto nothing = [](World&) {};
  std::vector<Scenario> all;
  all.push_back({"first-start", [](World& w) { write_hosts(w, kForeignHosts); }, nothing,
                 [](World& w) {
                   w.start();
                   work(w);
                 }});
  all.push_back({"restart", settled, nothing, [](World& w) {
                   w.start();
                   w.say_all();
                   work(w);
                 }});
  all.push_back({"join", settled, runs, [](World& w) {
                   w.say(member(4), "joined");
                   work(w);
                   w.say(member(5), "joined");
                   w.say(member(6), "joined");
                   work(w);
                 }});
  all.push_back({"leave-of-member", settled, runs, [](World& w) {
                   w.say(gone(2), "left");
                   work(w);
                   w.forget("node2");
                   work(w);
                 }});
  all.push_back({"move", settled, runs, [](World& w) {
                   w.say(moved(2, 9), "moved");
                   work(w);
                 }});
  all.push_back({"exchange", settled, runs, [](World& w) {
                   // Two members exchange their addresses; a third one's flow goes on.
                   w.say(moved(1, 2), "moved");
                   w.say(moved(2, 1), "moved");
                   work(w);
                 }});
  all.push_back({"new-key", settled, runs, [](World& w) {
                   w.say(rekeyed(2), "has another key");
                   work(w);
                 }});
  all.push_back({"hosts", settled, runs, [](World& w) {
                   // Somebody writes behind our lines, and takes one of them away.
                   std::string text = content_of(w.hosts_path());
                   const auto line = text.find("10.0.0.2");
                   if (line != std::string::npos)
                     text.erase(line, text.find('\n', line) + 1 - line);
                   write_hosts(w, text + "192.0.2.99 printer\n");
                   w.notice();
                   work(w);
                   w.say(member(4), "joined");
                   work(w);
                   w.say(gone(1), "left");
                   work(w);
                 }});
  all.push_back({"hosts-in-place", settled, runs,
                 [](World& w) {
                   write_hosts(w, content_of(w.hosts_path()) + "192.0.2.99 printer\n");
                   w.say(member(4), "joined");
                   work(w);
                   w.say(gone(1), "left");
                   w.say(gone(4), "left");
                   work(w);
                 },
                 [](World& w) { w.disk.set_mount_point(w.hosts_path()); }});
  all.push_back({"corrupt-database",
                 [](World& w) {
                   settled(w);
                   damage(w.state_path("wgtest.db"));
                 },
                 nothing,
                 [](World& w) {
                   w.start();
                   w.say_all();
                   w.run(seconds(25));
                 }});
  all.push_back({"own-address", settled, nothing,
                 [](World& w) {
                   w.start();
                   w.say_all();
                   work(w);
                 },
                 [](World& w) {
                   w.options.overlay_net = *Prefix::parse("10.0.0.0/16");
                   w.own_address_may_change = true;
                 }});
  all.push_back({"clock-back", settled, runs,
                 [](World& w) {
                   w.set_clock(-hours(1));
                   w.run(seconds(2));
                 },
                 [](World& w) { w.own_key_may_change = true; }, true});
  all.push_back({"incarnations", settled, runs, [](World& w) {
                   w.reserve_incarnations(5000);
                   work(w);
                   w.reserve_incarnations(6000);
                   work(w);
                 }});
  all.push_back({"drift", settled, runs, [](World& w) {
                   // Others take away what is ours, and what they took comes back.
                   w.kernel.state.link->up = false;
                   w.kernel.state.routes.erase(*Prefix::parse("10.0.0.2/32"));
                   w.kernel.state.peers.erase(member(2).meta->key);
                   w.notice();
                   work(w);
                 }});
  all.push_back({"stop-keep", settled, runs, [](World& w) {
                   w.stop(StopKind::keep);
                   w.start();
                 }});
  all.push_back(
      {"stop-leave", settled, runs, [](World& w) { w.stop(StopKind::leave); }, nothing, true});
  all.push_back({"resign", settled, runs,
                 [](World& w) {
                   w.ask("leave");
                   w.run(seconds(2));
                   w.stop(StopKind::resign);
                 },
                 [](World& w) { w.own_address_may_change = true; }, true});
  for (Scenario& scenario : all) {
    if (!scenario.setting) scenario.setting = nothing;
  }
  return all;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make();
  return all;
}

}  // namespace wesher::test
