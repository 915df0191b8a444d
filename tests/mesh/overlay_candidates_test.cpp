#include "mesh/overlay_candidates.h"

#include <set>

#include <catch2/catch.hpp>

#include "base/random.h"
#include "mesh/overlay_address.h"

namespace wesher::mesh {

namespace {

Prefix net(const std::string& text) {
  return Prefix::parse(text).value();
}

OverlayCandidates candidates(const std::string& name, const Prefix& in) {
  return OverlayCandidates::of(name, in).value();
}

std::vector<std::string> first_of(const std::string& name, const std::string& in, int count) {
  std::vector<std::string> out;
  auto from = candidates(name, net(in));
  while (count-- > 0) {
    const auto address = from.next();
    out.push_back(address ? address->text() : "none");
  }
  return out;
}

std::string random_name(Rng& rng) {
  std::string name;
  for (std::uint64_t length = 1 + rng.below(20); length > 0; --length)
    name.push_back(static_cast<char>('a' + rng.below(26)));
  return name;
}

/// A name whose hash ends in that byte.
std::string name_ending(std::uint8_t last) {
  for (int i = 0;; ++i) {
    const std::string name = "host" + std::to_string(i);
    if (fnv1a_128(name).back() == last) return name;
  }
}

/// All usable addresses of `in`, by trying each.
std::size_t usable_of(const Prefix& in) {
  const Prefix pool = in.masked();
  std::uint32_t number = ByteReader(pool.address.bytes()).u32();
  std::size_t count = 0;
  for (std::uint64_t i = 0; i < std::uint64_t{1} << (32 - in.length); ++i, ++number) {
    Bytes bytes;
    ByteWriter(bytes).u32(number);
    if (is_usable_address(IpAddress::from_bytes(bytes).value(), in)) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("candidates of a small pool in their order") {
  // node1 hashes to …3b493c: host 12 of a /28, index 11 of 14; its step is 5 there.
  CHECK(first_of("node1", "192.0.2.64/28", 15) ==
        std::vector<std::string>{"192.0.2.76", "192.0.2.67", "192.0.2.72", "192.0.2.77",
                                 "192.0.2.68", "192.0.2.73", "192.0.2.78", "192.0.2.69",
                                 "192.0.2.74", "192.0.2.65", "192.0.2.70", "192.0.2.75",
                                 "192.0.2.66", "192.0.2.71", "none"});
  CHECK(first_of("node1", "10.0.0.0/8", 1) == std::vector<std::string>{"10.59.73.60"});
}

TEST_CASE("every usable host of an IPv4 pool comes exactly once whatever length and name") {
  Rng rng = Rng::from_number(1);
  for (unsigned length = 20; length <= 32; ++length) {
    const Prefix in{IpAddress::v4(10, 77, 93, 181), length};
    const std::size_t usable = usable_of(in);
    CHECK(usable == (length >= 31 ? 1U << (32 - length) : (1U << (32 - length)) - 2));
    for (int round = 0; round < 5; ++round) {
      const std::string name = random_name(rng);
      INFO(in.text() << " " << name);
      auto from = candidates(name, in);
      CHECK(from.size() == usable);
      std::set<IpAddress> seen;
      bool all_usable = true;
      while (const auto address = from.next()) {
        all_usable = all_usable && is_usable_address(*address, in);
        REQUIRE(seen.size() < usable);
        seen.insert(*address);
      }
      CHECK(all_usable);
      CHECK(seen.size() == usable);
      CHECK_FALSE(from.next());
    }
  }
}

TEST_CASE("every usable host of a small IPv6 pool comes exactly once") {
  Rng rng = Rng::from_number(2);
  for (unsigned length = 116; length <= 128; ++length) {
    const Prefix in{IpAddress::parse("fd00::7:77ff").value(), length};
    const std::size_t usable = length >= 127 ? 1U << (128 - length) : (1U << (128 - length)) - 1;
    auto from = candidates(random_name(rng), in);
    CHECK(from.size() == usable);
    std::set<IpAddress> seen;
    while (const auto address = from.next()) {
      REQUIRE(is_usable_address(*address, in));
      REQUIRE(seen.insert(*address).second);
    }
    CHECK(seen.size() == usable);
  }
}

TEST_CASE("the first ten thousand candidates of a large pool are different usable hosts") {
  Rng rng = Rng::from_number(3);
  for (const char* pool : {"fd00:1234:5678:9abc::/64", "fd00:1234::/32", "fd00::/8", "fd00::/65",
                           "fd00::/100", "10.0.0.0/8", "100.64.0.0/10"}) {
    const Prefix in = net(pool);
    INFO(pool);
    auto from = candidates(random_name(rng), in);
    std::set<IpAddress> seen;
    for (int i = 0; i < 10000; ++i) {
      const auto address = from.next();
      REQUIRE(address);
      REQUIRE(is_usable_address(*address, in));
      REQUIRE(seen.insert(*address).second);
    }
  }
}

TEST_CASE("the first candidate is the Go program's where a host can have it and next to it else") {
  CHECK(first_of(name_ending(0x00), "10.0.0.0/24", 1).front() == "10.0.0.1");
  CHECK(first_of(name_ending(0xff), "10.0.0.0/24", 1).front() == "10.0.0.254");
  CHECK(first_of(name_ending(0x01), "10.0.0.0/24", 1).front() == "10.0.0.1");
  CHECK(first_of(name_ending(0xfe), "10.0.0.0/24", 1).front() == "10.0.0.254");
  CHECK(first_of(name_ending(0x00), "fd00::/120", 1).front() == "fd00::1");
  CHECK(first_of(name_ending(0xff), "fd00::/120", 1).front() == "fd00::ff");
  Rng rng = Rng::from_number(4);
  for (int i = 0; i < 500; ++i) {
    const std::string name = random_name(rng);
    for (unsigned length = 8; length <= 128; ++length) {
      const Prefix in{length <= 32 && i % 2 == 0 ? IpAddress::v4(10, 77, 93, 181)
                                                 : IpAddress::parse("fd42:1:2:3:4:5:6:7").value(),
                      length};
      const auto go = overlay_address(name, in).value();
      const auto first = candidates(name, in).next().value();
      if (is_usable_address(go, in)) REQUIRE(first == go);
    }
  }
}

TEST_CASE("names that share their first address part at once") {
  // node3 and node70 meet in a /24.
  auto one = candidates("node3", net("10.0.0.0/24"));
  auto other = candidates("node70", net("10.0.0.0/24"));
  CHECK(one.next() == other.next());
  CHECK(one.next() != other.next());
}

TEST_CASE("a fixed address is the one candidate and networks that none can be in are refused") {
  CHECK(first_of("any", "10.1.2.0/32", 2) == std::vector<std::string>{"10.1.2.0", "none"});
  CHECK(first_of("any", "fd00::/128", 2) == std::vector<std::string>{"fd00::", "none"});
  CHECK_FALSE(OverlayCandidates::of("any", net("0.0.0.0/7")));
}

TEST_CASE("usable are all addresses of a network but its first and an IPv4 network's last") {
  const auto usable = [](const char* address, const char* in) {
    return is_usable_address(IpAddress::parse(address).value(), net(in));
  };
  CHECK_FALSE(usable("10.0.0.0", "10.0.0.0/30"));
  CHECK(usable("10.0.0.1", "10.0.0.0/30"));
  CHECK(usable("10.0.0.2", "10.0.0.0/30"));
  CHECK_FALSE(usable("10.0.0.3", "10.0.0.0/30"));
  CHECK_FALSE(usable("10.0.0.4", "10.0.0.0/30"));
  CHECK(usable("10.0.0.0", "10.0.0.0/31"));
  CHECK(usable("10.0.0.1", "10.0.0.0/31"));
  CHECK(usable("10.0.0.1", "10.0.0.1/32"));
  CHECK_FALSE(usable("fd00::", "fd00::/64"));
  CHECK(usable("fd00::ffff:ffff:ffff:ffff", "fd00::/64"));
  CHECK(usable("fd00::", "fd00::/127"));
  CHECK_FALSE(usable("fd00::1", "10.0.0.0/8"));
}

}  // namespace wesher::mesh
