// Hosts that run on copies of one state: an image that was started several times, a disk that was
// restored on other hardware.
#include <csignal>
#include <filesystem>
#include <set>

#include <catch2/catch.hpp>

#include "netns/support/rig.h"

namespace wesher::netns {

namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "/var/lib/wesher";

/// The state of one host, as an image has it, on another.
void copy_state(const Host& from, const Host& to) {
  fs::create_directories(to.path(kState));
  for (const auto& entry : fs::directory_iterator(from.path(kState)))
    fs::copy(entry.path(), fs::path(to.path(kState)) / entry.path().filename(),
             fs::copy_options::recursive);
  fs::permissions(to.path(kState), fs::perms(0700));
}

void be_machine(const Host& host, char digit) {
  fs::remove(host.path("/etc/machine-id"));
  write_file(host.path("/etc/machine-id"), std::string(32, digit) + "\n");
}

template <class Of>
std::size_t different(Rig& rig, int first, int last, Of of) {
  std::set<std::string> values;
  for (int n = first; n <= last; ++n)
    values.insert(of(rig.host(n)));
  return values.size();
}

std::string overlay_of(const Host& host) {
  const auto all = host.addresses();
  return all.size() == 1 ? all.front() : host.name() + " has none";
}

}  // namespace

TEST_CASE("five hosts of one image that start together become five members", "[input]") {
  Rig rig(6);
  be_machine(rig.host(2), 'a');
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  const std::string overlay = overlay_of(rig.host(2));
  rig.host(2).stop_daemon(SIGKILL);
  REQUIRE(rig.host(2).exec({"ip", "link", "delete", "wgoverlay"}).exit_code == 0);
  for (int n = 3; n <= 6; ++n)
    copy_state(rig.host(2), rig.host(n));
  for (int n = 2; n <= 6; ++n) {
    be_machine(rig.host(n), 'a');
    rig.host(n).start_daemon({});
  }
  rig.require_mesh({1, 2, 3, 4, 5, 6}, 120s);
  REQUIRE(different(rig, 1, 6, overlay_of) == 6);
  REQUIRE(different(rig, 1, 6, [](const Host& host) { return host.device()->public_key; }) == 6);
  // One of them is still who all were.
  std::size_t kept = 0;
  for (int n = 2; n <= 6; ++n)
    kept += overlay_of(rig.host(n)) == overlay;
  REQUIRE(kept == 1);
}

TEST_CASE("a disk that was restored on other hardware keeps key and address", "[input]") {
  Rig rig(3);
  be_machine(rig.host(3), 'a');
  rig.start_all();
  rig.require_mesh();
  const std::string overlay = overlay_of(rig.host(3));
  const std::string key = rig.host(3).device()->public_key;
  rig.host(3).stop_daemon(SIGKILL);
  be_machine(rig.host(3), 'b');
  rig.host(3).start_daemon({});
  rig.require_mesh();
  REQUIRE(overlay_of(rig.host(3)) == overlay);
  REQUIRE(rig.host(3).device()->public_key == key);
  REQUIRE(rig.host(3).daemon_err().find("the state comes from another machine") !=
          std::string::npos);
}

TEST_CASE("a renamed copy does not sign its original out", "[input]") {
  Rig rig(3);
  be_machine(rig.host(2), 'a');
  rig.start(1);
  rig.start(2);
  rig.require_mesh({1, 2});
  const std::string key = rig.host(2).device()->public_key;
  const std::string overlay = overlay_of(rig.host(2));
  copy_state(rig.host(2), rig.host(3));
  be_machine(rig.host(3), 'c');
  rig.host(3).start_daemon({});
  rig.require_mesh({1, 2, 3});
  REQUIRE(rig.host(2).device()->public_key == key);
  REQUIRE(overlay_of(rig.host(2)) == overlay);
  REQUIRE(rig.host(3).device()->public_key != key);
  REQUIRE(overlay_of(rig.host(3)) != overlay);
  const Output history = rig.host(1).wesher({"history", "n2"});
  INFO(history.text());
  REQUIRE(history.out.find("left") == std::string::npos);
}

}  // namespace wesher::netns
