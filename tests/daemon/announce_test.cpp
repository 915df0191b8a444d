#include "daemon/announce.h"

#include <catch2/catch.hpp>

using wesher::IpAddress;
using wesher::daemon::announced_bytes;
using wesher::daemon::choose_announced;
using wesher::daemon::Options;
using wesher::system::HostAddress;

namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

HostAddress on(const char* interface, const char* address, bool default_route = false) {
  return {interface, ip(address), 24, default_route, false};
}

const IpAddress kOwnOverlay = ip("10.9.9.9");

std::string chosen(const std::vector<HostAddress>& host, const Options& options = {}) {
  const auto announced = choose_announced(host, options, kOwnOverlay);
  return announced ? announced->address.text() : "none";
}

}  // namespace

TEST_CASE("a public address is announced before a private one", "[daemon][announce]") {
  CHECK(chosen({on("lo", "127.0.0.1"), on("eth0", "192.168.1.2", true),
                on("eth1", "203.0.113.5")}) == "203.0.113.5");
}

TEST_CASE("without a public address the one with the default route is announced",
          "[daemon][announce]") {
  CHECK(chosen({on("eth0", "192.168.1.2"), on("eth1", "192.168.7.2", true)}) == "192.168.7.2");
}

TEST_CASE("IPv4 comes before IPv6 of the same kind", "[daemon][announce]") {
  CHECK(chosen({on("eth0", "2001:db8::5"), on("eth0", "203.0.113.5")}) == "203.0.113.5");
  CHECK(chosen({on("eth0", "fd00::5", true), on("eth0", "192.168.1.5", true)}) == "192.168.1.5");
  CHECK(chosen({on("eth0", "fd00::5", true)}) == "fd00::5");
}

TEST_CASE("loopback and link local and tunnel addresses are never announced",
          "[daemon][announce]") {
  HostAddress tunnel = on("wg0", "203.0.113.9");
  tunnel.tunnel = true;
  CHECK(chosen({on("lo", "127.0.0.1"), on("eth0", "fe80::1"), on("eth0", "169.254.1.1"), tunnel,
                on("wgoverlay", "203.0.113.10"), on("eth0", "10.9.9.9")}) == "none");
}

TEST_CASE("an address inside the overlay network is announced only when there is no other",
          "[daemon][announce]") {
  CHECK(chosen({on("eth0", "10.1.2.3", true), on("eth1", "192.168.1.2")}) == "192.168.1.2");
  CHECK(chosen({on("eth0", "10.1.2.3", true)}) == "10.1.2.3");
}

TEST_CASE("the operator's address stands above everything", "[daemon][announce]") {
  Options options;
  options.advertise_addr = ip("198.51.100.1");
  options.bind_addr = ip("192.168.1.2");
  CHECK(chosen({on("eth0", "203.0.113.5")}, options) == "198.51.100.1");
}

TEST_CASE("a bind address that the host does not have is announced with a warning",
          "[daemon][announce]") {
  Options options;
  options.bind_addr = ip("192.168.1.2");
  const auto missing = choose_announced({on("eth0", "203.0.113.5")}, options, kOwnOverlay);
  REQUIRE(missing);
  CHECK(missing->address == ip("192.168.1.2"));
  CHECK(missing->warning.find("192.168.1.2") != std::string::npos);
  const auto there = choose_announced({on("eth0", "192.168.1.2")}, options, kOwnOverlay);
  REQUIRE(there);
  CHECK(there->warning.empty());
}

TEST_CASE("binding to all addresses leaves the choice of what to announce", "[daemon][announce]") {
  Options options;
  options.bind_addr = ip("0.0.0.0");
  CHECK(chosen({on("eth0", "203.0.113.5")}, options) == "203.0.113.5");
}

TEST_CASE("a bind interface gives its own address or an error that names it",
          "[daemon][announce]") {
  Options options;
  options.bind_iface = "eth1";
  CHECK(chosen({on("eth0", "203.0.113.5"), on("eth1", "192.168.7.2")}, options) == "192.168.7.2");
  const auto none = choose_announced({on("eth0", "203.0.113.5")}, options, kOwnOverlay);
  REQUIRE_FALSE(none);
  CHECK(none.error().detail == "--bind-iface eth1 has no usable address");
}

TEST_CASE("a detected private IPv4 address takes the mapped form of Go and no other does",
          "[daemon][announce]") {
  const auto form = [](const std::vector<HostAddress>& host, const Options& options = {}) {
    return choose_announced(host, options, kOwnOverlay)->mapped_form;
  };
  CHECK(form({on("eth0", "192.168.1.2", true)}));
  CHECK_FALSE(form({on("eth0", "203.0.113.5", true)}));
  CHECK_FALSE(form({on("eth0", "fd00::5", true)}));
  Options bound;
  bound.bind_addr = ip("192.168.1.2");
  CHECK_FALSE(form({on("eth0", "192.168.1.2", true)}, bound));
}

TEST_CASE("the announced bytes are 4 or 16 by family and form", "[daemon][announce]") {
  CHECK(wesher::to_hex(announced_bytes(ip("192.0.2.1"), false)) == "c0000201");
  CHECK(wesher::to_hex(announced_bytes(ip("192.0.2.1"), true)) ==
        "00000000000000000000ffffc0000201");
  CHECK(announced_bytes(ip("fd00::1"), true).size() == 16);
}
