#include "base/ip.h"

#include <set>

#include <catch2/catch.hpp>

#include "base/random.h"

namespace wesher {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST_CASE("an IPv4 address is four decimal parts without leading zeros") {
  CHECK(ip("0.0.0.0") == IpAddress());
  CHECK(ip("192.0.2.255") == IpAddress::v4(192, 0, 2, 255));
  for (const char* bad :
       {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8",
        "0x1.2.3.4", "1.2.3.", ".1.2.3", "a.b.c.d", "-1.2.3.4", "1.2.3.4%eth0"}) {
    CHECK_FALSE(IpAddress::parse(bad).has_value());
  }
}

TEST_CASE("what follows a zero byte is not ignored") {
  using std::string_view_literals::operator""sv;
  CHECK_FALSE(IpAddress::parse("1.2.3.4\0.5"sv).has_value());
  CHECK_FALSE(IpAddress::parse("::1\0"sv).has_value());
}

TEST_CASE("bad IPv6 text is refused") {
  for (const char* bad : {":", ":::", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8:9", "::1%lo",
                          "[::1]", "1:2:3:4:5:6:7", "::1.2.3", "::1.2.3.256"}) {
    CHECK_FALSE(IpAddress::parse(bad).has_value());
  }
}

TEST_CASE("IPv6 text is canonical as RFC 5952 has it") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"::", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"2001:0DB8::0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"fd00:0:0:0:0:0:0:0", "fd00::"},
      {"::102:304", "::102:304"},
      {"::1.2.3.4", "::102:304"},
      {"0:1::", "0:1::"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
  };
  for (const auto& [text, canonical] : cases)
    CHECK(ip(text).text() == canonical);
}

TEST_CASE("a mapped IPv4 address is held as IPv4 however it came") {
  CHECK(ip("::ffff:192.0.2.1") == IpAddress::v4(192, 0, 2, 1));
  CHECK(ip("::ffff:c000:201").text() == "192.0.2.1");
  const Bytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  const auto address = IpAddress::from_bytes(mapped);
  REQUIRE(address.has_value());
  CHECK(address->is_v4());
  CHECK(address->bits() == 32);
  CHECK(address->bytes().size() == 4);
}

TEST_CASE("an address from bytes needs 4 or 16 of them") {
  for (std::size_t n = 0; n < 20; ++n)
    CHECK(IpAddress::from_bytes(Bytes(n)).has_value() == (n == 4 || n == 16));
}

TEST_CASE("the text of any address parses to that address") {
  Rng rng = Rng::from_number(1);
  for (int i = 0; i < 3000; ++i) {
    Bytes bytes(rng.below(std::uint64_t{2}) == 0 ? 4 : 16);
    rng.fill(bytes);
    for (std::uint8_t& b : bytes) {
      if (rng.below(std::uint64_t{2}) == 0) b = 0;  // runs of zeros of all lengths
    }
    const IpAddress address = IpAddress::from_bytes(bytes).value();
    INFO(to_hex(bytes));
    REQUIRE(IpAddress::parse(address.text()) == address);
  }
}

TEST_CASE("addresses are told apart by their kind") {
  CHECK(ip("0.0.0.0").is_unspecified());
  CHECK(ip("::").is_unspecified());
  CHECK_FALSE(ip("::1").is_unspecified());
  CHECK(ip("127.255.0.1").is_loopback());
  CHECK(ip("::1").is_loopback());
  CHECK_FALSE(ip("1::1").is_loopback());
  CHECK_FALSE(ip("::").is_loopback());
  CHECK(ip("224.0.0.1").is_multicast());
  CHECK(ip("239.255.255.255").is_multicast());
  CHECK_FALSE(ip("240.0.0.1").is_multicast());
  CHECK(ip("ff02::1").is_multicast());
  CHECK(ip("169.254.1.1").is_link_local());
  CHECK(ip("fe80::1").is_link_local());
  CHECK(ip("febf::1").is_link_local());
  CHECK_FALSE(ip("fec0::1").is_link_local());
  CHECK(ip("255.255.255.255").is_broadcast());
  CHECK_FALSE(ip("255.255.255.254").is_broadcast());
}

TEST_CASE("private addresses are those of RFC 1918 and RFC 6598 and fc00 to fdff") {
  for (const char* yes : {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
                          "192.168.0.1", "100.64.0.0", "100.127.255.255", "fc00::", "fdff::1"}) {
    CHECK(ip(yes).is_private());
  }
  for (const char* no : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.0.1",
                         "192.169.0.0", "100.63.255.255", "100.128.0.0", "fbff::", "fe00::"}) {
    CHECK_FALSE(ip(no).is_private());
  }
}

TEST_CASE("IPv4 comes before IPv6 and both in numeric order") {
  const std::set<IpAddress> sorted = {ip("::1"),      ip("10.0.0.10"), ip("fd00::"),
                                      ip("10.0.0.9"), ip("255.0.0.0"), ip("::")};
  std::vector<std::string> texts;
  for (const IpAddress& address : sorted)
    texts.push_back(address.text());
  CHECK(texts ==
        std::vector<std::string>{"10.0.0.9", "10.0.0.10", "255.0.0.0", "::", "::1", "fd00::"});
}

TEST_CASE("an endpoint is parsed from the form that it prints") {
  for (const char* text : {"192.0.2.1:51820", "[2001:db8::1]:1", "[::]:0", "0.0.0.0:65535"}) {
    const auto endpoint = Endpoint::parse(text);
    REQUIRE(endpoint.has_value());
    CHECK(endpoint->text() == text);
  }
  for (const char* bad : {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1",
                          "192.0.2.1:+1", "192.0.2.1:1 ", "::1:1", "[192.0.2.1]:1", "[::1]",
                          "[::1]1", "[]:1", "host:1", "192.0.2.1:0x1"}) {
    CHECK_FALSE(Endpoint::parse(bad).has_value());
  }
}

TEST_CASE("a prefix is parsed with its host bits and printed so") {
  CHECK(Prefix::parse("10.1.2.3/8")->text() == "10.1.2.3/8");
  CHECK(Prefix::parse("fd00::1/128")->is_host());
  CHECK(Prefix::host(ip("10.0.0.1")).text() == "10.0.0.1/32");
  CHECK(Prefix::parse("0.0.0.0/0").has_value());
}

TEST_CASE("a bad prefix is refused with what is wrong") {
  const auto wrong = [](std::string_view text) { return Prefix::parse(text).error().detail; };
  CHECK(wrong("10.0.0.0") == "has no /LENGTH");
  CHECK(wrong("x/8") == "does not start with an IP address");
  for (const char* bad : {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8",
                          "10.0.0.0/4294967304"}) {
    CHECK(wrong(bad) == "needs a prefix length from 0 to 32");
  }
  CHECK(wrong("::/129") == "needs a prefix length from 0 to 128");
}

TEST_CASE("masking clears exactly the bits behind the length") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"255.255.255.255/0", "0.0.0.0/0"},
      {"255.255.255.255/1", "128.0.0.0/1"},
      {"255.255.255.255/8", "255.0.0.0/8"},
      {"255.255.255.255/9", "255.128.0.0/9"},
      {"255.255.255.255/31", "255.255.255.254/31"},
      {"255.255.255.255/32", "255.255.255.255/32"},
      {"ffff:ffff::1/17", "ffff:8000::/17"},
      {"fd00::1/127", "fd00::/127"},
      {"fd00::1/128", "fd00::1/128"},
  };
  for (const auto& [text, masked] : cases)
    CHECK(Prefix::parse(text)->masked().text() == masked);
}

TEST_CASE("a prefix contains the addresses that share its first bits") {
  const Prefix net = Prefix::parse("10.9.0.5/29").value();
  CHECK(net.contains(ip("10.9.0.0")));
  CHECK(net.contains(ip("10.9.0.7")));
  CHECK_FALSE(net.contains(ip("10.9.0.8")));
  CHECK_FALSE(net.contains(ip("::")));
  CHECK(Prefix::parse("0.0.0.0/0")->contains(ip("255.1.2.3")));
  CHECK_FALSE(Prefix::parse("::/0")->contains(ip("1.2.3.4")));
}

}  // namespace
}  // namespace wesher
