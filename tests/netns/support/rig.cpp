#include "netns/support/rig.h"

#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <set>

#include <catch2/catch.hpp>
#include <sodium.h>
#include <unistd.h>

#include "base/key.h"

namespace wesher::netns {

namespace {

void need_wireguard() {
  if (settings().backend == "kernel") return;  // the daemons say it if there is none
  if (uses_kernel()) return;
  need_program("wireguard-go");
  if (::access("/dev/net/tun", R_OK | W_OK) != 0)
    skip("no /dev/net/tun, which wireguard-go needs; try: modprobe tun");
}

std::vector<std::string> numbered_names(int hosts) {
  std::vector<std::string> names;
  for (int number = 1; number <= hosts; ++number)
    names.push_back("n" + std::to_string(number));
  return names;
}

}  // namespace

std::string random_key() {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return to_base64(bytes);
}

Rig::Rig(int hosts, Underlay underlay) : Rig(numbered_names(hosts), underlay) {}

Rig::Rig(const std::vector<std::string>& names, Underlay underlay)
    : key_(random_key()), exceptions_at_start_(std::uncaught_exceptions()) {
  for (const char* tool : {"ip", "wg", "ping"})
    need_program(tool);
  need_wireguard();
  must_run({"ip", "-batch", "-"}, {},
           "link set lo up\n"
           "link add br0 type bridge mcast_snooping 0\n"
           "link set br0 addrgenmode none\n"
           "link set br0 up\n");
  for (const std::string& name : names)
    hosts_.push_back(std::make_unique<Host>(name, static_cast<int>(hosts_.size()) + 1, underlay));
}

Rig::~Rig() {
  if (std::uncaught_exceptions() <= exceptions_at_start_) return;
  for (const auto& host : hosts_)
    std::cout << host->report();
  std::cout.flush();
}

void Rig::start(int number, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = arguments;
  if (number != 1) all.insert(all.end(), {"--join", seed()});
  host(number).start_daemon(all, {"WESHER_CLUSTER_KEY=" + key_});
}

void Rig::start_all(const std::vector<std::string>& arguments) {
  for (int number = 1; number <= static_cast<int>(hosts_.size()); ++number)
    start(number, arguments);
}

void Rig::require_mesh(std::chrono::milliseconds bound) {
  std::vector<int> all;
  for (int number = 1; number <= static_cast<int>(hosts_.size()); ++number)
    all.push_back(number);
  require_mesh(all, bound);
}

void Rig::require_mesh(const std::vector<int>& numbers, std::chrono::milliseconds bound) {
  // Names are the last thing that a daemon writes, and the cheapest to look at.
  for (const int from : numbers)
    for (const int to : numbers) {
      if (from == to) continue;
      Host& here = host(from);
      const std::string& name = host(to).name();
      require_soon(here.name() + " has " + name + " in its hosts file", bound,
                   [&] { return !here.address_in_hosts(name).empty(); });
    }
  for (const int from : numbers)
    for (const int to : numbers) {
      if (from == to) continue;
      Host& here = host(from);
      const std::string& name = host(to).name();
      require_soon(here.name() + " pings " + name + " by name", bound,
                   [&] { return here.pings(name); });
    }
  std::set<std::string> keys;
  std::set<std::string> addresses;
  for (const int number : numbers) {
    const std::optional<Device> device = host(number).device();
    if (!device) fail(host(number).name() + " has no WireGuard interface");
    keys.insert(device->public_key);
    for (const std::string& address : host(number).addresses())
      addresses.insert(address);
  }
  if (keys.size() != numbers.size()) fail("two hosts have the same WireGuard key");
  if (addresses.size() != numbers.size()) fail("hosts do not have one overlay address each");
}

void Rig::require_alive(const std::vector<int>& numbers, std::chrono::milliseconds bound) {
  require_soon("everybody has everybody alive", bound, [&] {
    return std::all_of(numbers.begin(), numbers.end(), [&](int here) {
      const auto states = host(here).member_states();
      return std::all_of(numbers.begin(), numbers.end(), [&](int other) {
        const auto state = states.find(host(other).name());
        return other == here || (state != states.end() && state->second == "alive");
      });
    });
  });
}

void Rig::require_exactly(const std::vector<int>& numbers, std::chrono::milliseconds bound) {
  for (const int number : numbers) {
    Host& here = host(number);
    for (const auto& other : hosts_) {
      const bool member = std::any_of(numbers.begin(), numbers.end(), [&](int n) {
        return n != number && other->name() == host(n).name();
      });
      if (other->name() == here.name()) continue;
      require_soon(here.name() + (member ? " has " : " does not have ") + other->name() +
                       " in its hosts file",
                   bound, [&] { return here.address_in_hosts(other->name()).empty() != member; });
    }
    const std::size_t others = numbers.size() - 1;
    require_soon(
        here.name() + " has exactly " + std::to_string(others) + " peers and routes", bound, [&] {
          const std::optional<Device> device = here.device();
          return device && device->peers.size() == others && here.routes().size() == others;
        });
  }
}

void Rig::fail(const std::string& what) {
  FAIL(what);
}

void Rig::record(const std::string& what, std::chrono::nanoseconds took) {
  std::cout << "after " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
            << " ms: " << what << std::endl;
}

std::string Rig::bound_text(std::chrono::milliseconds bound) {
  return std::to_string(bound.count() / 1000) + "s";
}

}  // namespace wesher::netns
