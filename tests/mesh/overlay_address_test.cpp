#include "mesh/overlay_address.h"

#include <map>

#include <catch2/catch.hpp>

namespace wesher::mesh {

namespace {

Prefix net(const std::string& text) {
  return Prefix::parse(text).value();
}

std::string address_in(const std::string& network, const std::string& name) {
  const auto address = overlay_address(name, net(network));
  return address ? address->text() : "refused: " + address.error().detail;
}

/// A name whose hash ends in `low` under `mask`.
std::string name_ending(std::uint8_t mask, std::uint8_t low) {
  for (int i = 0;; ++i) {
    const std::string name = "host" + std::to_string(i);
    const std::uint8_t last = overlay_address(name, net("10.0.0.0/8")).value().bytes()[3];
    if ((last & mask) == low) return name;
  }
}

}  // namespace

TEST_CASE("The byte at the boundary is combined under the mask") {
  // node1 hashes to …3b493c (recorded: 10.59.73.60 in a /8).
  CHECK(address_in("10.0.0.0/8", "node1") == "10.59.73.60");
  CHECK(address_in("10.32.0.0/12", "node1") == "10.43.73.60");
  CHECK(address_in("10.42.160.0/20", "node1") == "10.42.169.60");
  CHECK(address_in("192.0.2.64/28", "node1") == "192.0.2.76");
  CHECK(address_in("fd00::/8", "node1") == "fd7b:a486:5283:d94f:7081:2bd0:6e3b:493c");
  CHECK(address_in("fd00::/12", "node1") == "fd0b:a486:5283:d94f:7081:2bd0:6e3b:493c");
}

TEST_CASE("Host bits of the network are ignored") {
  CHECK(address_in("10.1.2.3/8", "node1") == "10.59.73.60");
  CHECK(address_in("10.42.175.255/20", "node1") == "10.42.169.60");
}

TEST_CASE(
    "A prefix shorter than 8 bits or longer than an address is refused with the usable range") {
  CHECK(address_in("10.0.0.0/7", "n") ==
        "refused: the overlay network 10.0.0.0/7 is not usable: /8 to /32 are");
  CHECK(address_in("::/0", "n") ==
        "refused: the overlay network ::/0 is not usable: /8 to /128 are");
  CHECK_FALSE(overlay_address("n", Prefix{IpAddress::v4(10, 0, 0, 0), 33}));
  CHECK_FALSE(overlay_address("n", Prefix{IpAddress{}, ~0U}));
}

TEST_CASE(
    "The network and the broadcast address give way to the first host in prefixes of our own") {
  CHECK(address_in("10.0.0.0/28", name_ending(0x0f, 0x00)) == "10.0.0.1");
  CHECK(address_in("10.0.0.16/28", name_ending(0x0f, 0x0f)) == "10.0.0.17");
  CHECK(address_in("fd00::20/124", name_ending(0x0f, 0x00)) == "fd00::21");
  CHECK(address_in("fd00::20/124", name_ending(0x0f, 0x0f)) == "fd00::2f");
}

TEST_CASE("The network and the broadcast address are given where the Go program gives them") {
  CHECK(address_in("10.0.0.0/24", name_ending(0xff, 0x00)) == "10.0.0.0");
  CHECK(address_in("10.0.0.0/24", name_ending(0xff, 0xff)) == "10.0.0.255");
}

TEST_CASE("A /31 has two addresses and a /32 one") {
  std::map<std::string, int> seen;
  for (int i = 0; i < 64; ++i)
    ++seen[address_in("10.0.0.4/31", "host" + std::to_string(i))];
  CHECK(seen.size() == 2);
  CHECK(seen.contains("10.0.0.4"));
  CHECK(seen.contains("10.0.0.5"));
  CHECK(address_in("10.0.0.4/32", "host1") == "10.0.0.4");
  CHECK(address_in("fd00::4/128", "host1") == "fd00::4");
}

TEST_CASE("Every address lies in its network and is a host of it whatever the length") {
  for (unsigned length = 8; length <= 32; ++length) {
    const Prefix v4{IpAddress::v4(10, 77, 93, 181), length};
    for (int i = 0; i < 200; ++i) {
      const auto address = overlay_address("n" + std::to_string(i), v4).value();
      INFO(v4.text() << " " << address.text());
      REQUIRE(v4.contains(address));
      if (length % 8 != 0) REQUIRE_FALSE(is_network_address(address, v4));
    }
  }
  const auto base = IpAddress::parse("fd42:1:2:3:4:5:6:7").value();
  for (unsigned length = 8; length <= 128; ++length) {
    const Prefix v6{base, length};
    REQUIRE(v6.contains(overlay_address("n", v6).value()));
  }
}

TEST_CASE("Only networks of four addresses and more have a network address") {
  CHECK(is_network_address(IpAddress::v4(10, 0, 0, 0), net("10.0.0.0/8")));
  CHECK(is_network_address(IpAddress::v4(10, 0, 0, 4), net("10.0.0.4/30")));
  CHECK_FALSE(is_network_address(IpAddress::v4(10, 0, 0, 4), net("10.0.0.4/31")));
  CHECK_FALSE(is_network_address(IpAddress::v4(10, 0, 0, 5), net("10.0.0.4/30")));
  CHECK_FALSE(is_network_address(IpAddress::v4(11, 0, 0, 0), net("10.0.0.0/8")));
}

}  // namespace wesher::mesh
