// rtnetlink messages: golden bytes, and what is read from notifications.
#include "system/rt_codec.h"

#include <catch2/catch.hpp>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "system/netlink.h"
#include "system/watch.h"

using namespace wesher;
using namespace wesher::system;

namespace {

Bytes link_message(std::uint16_t type, int index, std::string_view name) {
  MessageBuilder m(type, 0);
  ifinfomsg header{};
  header.ifi_index = index;
  m.put_header(header);
  m.put_text(IFLA_IFNAME, name);
  return m.take();
}

/// The same message as if caused by the request of a socket.
Bytes caused_by(Bytes message, std::uint32_t port_id) {
  auto header = *struct_at<nlmsghdr>(message);
  header.nlmsg_pid = port_id;
  std::memcpy(message.data(), &header, sizeof header);
  return message;
}

ByteView payload_of(const Bytes& message) {
  return ByteView(message).subspan(sizeof(nlmsghdr));
}

}  // namespace

TEST_CASE("a route of ours is added with exactly these bytes") {
  // Request, create and exclusive; main table, protocol 97, scope link, unicast.
  CHECK(to_hex(encode_add_route(5, Prefix::parse("10.0.0.3/32").value())) ==
        "2c000000"
        "1800"
        "0106"
        "00000000"
        "00000000"
        "02200000"
        "fe61fd01"
        "00000000"
        "08000100"
        "0a000003"
        "08000400"
        "05000000");
  CHECK(to_hex(encode_delete_route(5, Prefix::parse("10.0.0.3/32").value())) ==
        "2c000000"
        "1900"
        "0100"
        "00000000"
        "00000000"
        "02200000"
        "fe61fd01"
        "00000000"
        "08000100"
        "0a000003"
        "08000400"
        "05000000");
}

TEST_CASE("an IPv6 address is added without duplicate address detection and an IPv4 one plainly") {
  const auto six = encode_add_address(5, Prefix::parse("fd00::1/128").value());
  bool nodad = false;
  for (const Attr& attr : Attrs(behind<ifaddrmsg>(payload_of(six))))
    nodad = nodad || (attr.type == IFA_FLAGS && attr.u32() == IFA_F_NODAD);
  CHECK(nodad);
  CHECK(to_hex(encode_add_address(5, Prefix::parse("10.0.0.1/32").value())) ==
        "28000000"
        "1400"
        "0105"
        "00000000"
        "00000000"
        "02200000"
        "05000000"
        "08000200"
        "0a000001"
        "08000100"
        "0a000001");
}

TEST_CASE("an added route and address are read back as they were written") {
  const auto prefix =
      GENERATE(as<std::string>{}, "10.0.0.3/32", "10.0.0.0/8", "fd00::/64", "::1/128");
  const Prefix written = Prefix::parse(prefix).value();
  const Bytes added = encode_add_route(7, written);
  const auto route = decode_route(payload_of(added));
  REQUIRE(route);
  CHECK(route->destination == written);
  CHECK(route->protocol == 97);
  CHECK(route->table == RT_TABLE_MAIN);
  CHECK(route->links == std::vector<std::uint32_t>{7});
  const Bytes given = encode_add_address(7, written);
  const auto address = decode_address(payload_of(given));
  REQUIRE(address);
  CHECK(address->address == written);
  CHECK(address->index == 7);
}

TEST_CASE("every next hop of a multipath route is seen") {
  MessageBuilder m(RTM_NEWROUTE, 0);
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_type = RTN_UNICAST;
  header.rtm_table = RT_TABLE_MAIN;
  m.put_header(header);
  Bytes hops;
  for (const int index : {3, 9}) {
    rtnexthop hop{};
    hop.rtnh_len = sizeof hop;
    hop.rtnh_ifindex = index;
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&hop);
    hops.insert(hops.end(), raw, raw + sizeof hop);
  }
  m.put(RTA_MULTIPATH, hops);
  const Bytes message = m.take();
  const auto route = decode_route(payload_of(message));
  REQUIRE(route);
  CHECK(route->destination.text() == "0.0.0.0/0");
  CHECK(route->links == std::vector<std::uint32_t>{3, 9});
}

TEST_CASE("a prefix longer than its address is no address and no route") {
  Bytes route = encode_add_route(1, Prefix::parse("10.0.0.3/32").value());
  route[sizeof(nlmsghdr) + 1] = 33;
  CHECK_FALSE(decode_route(payload_of(route)));
  Bytes address = encode_add_address(1, Prefix::parse("10.0.0.3/32").value());
  address[sizeof(nlmsghdr) + 1] = 33;
  CHECK_FALSE(decode_address(payload_of(address)));
}

TEST_CASE("notifications about our interface concern us and others do not") {
  WatchContext context{"wg0", 0, 77};
  CHECK_FALSE(concerns_us(link_message(RTM_NEWLINK, 4, "eth0"), context));
  CHECK(concerns_us(link_message(RTM_NEWLINK, 5, "wg0"), context));
  CHECK(context.link_index == 5);
  const Bytes ours = encode_add_route(5, Prefix::parse("10.0.0.3/32").value());
  CHECK(concerns_us(ours, context));
  CHECK_FALSE(concerns_us(caused_by(ours, 77), context));
  CHECK(concerns_us(caused_by(ours, 78), context));
  CHECK_FALSE(concerns_us(encode_add_route(4, Prefix::parse("10.0.0.3/32").value()), context));
  const Bytes address = encode_add_address(5, Prefix::parse("10.0.0.1/32").value());
  CHECK(concerns_us(address, context));
  CHECK_FALSE(concerns_us(caused_by(address, 77), context));
  CHECK(concerns_us(link_message(RTM_NEWLINK, 5, "renamed"), context));
  CHECK(context.link_index == 0);
  CHECK(concerns_us(link_message(RTM_NEWLINK, 6, "wg0"), context));
  CHECK(concerns_us(link_message(RTM_DELLINK, 6, "wg0"), context));
  CHECK(context.link_index == 0);
  CHECK_FALSE(concerns_us(ours, context));
}

TEST_CASE("an interrupted dump is tried again a few times and then counts as incomplete") {
  int calls = 0;
  CHECK(dump_with_retries([&]() -> Result<bool> { return ++calls == 3; }).value());
  CHECK(calls == 3);
  calls = 0;
  CHECK_FALSE(dump_with_retries([&]() -> Result<bool> { return ++calls < 0; }).value());
  CHECK(calls == kDumpTries);
  calls = 0;
  CHECK_FALSE(dump_with_retries([&]() -> Result<bool> {
    ++calls;
    return fail(Errc::not_found, "no such device");
  }));
  CHECK(calls == 1);
}
