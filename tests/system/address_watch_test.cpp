// Which notices are about the addresses of the host, and what else of it an overlay address must
// keep clear of.
#include "system/address_watch.h"

#include <catch2/catch.hpp>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "system/host.h"
#include "system/netlink_message.h"
#include "system/rt_codec.h"
#include "tests/system/support/planes.h"

using namespace wesher;
using namespace wesher::system;
using namespace wesher::test;

namespace {

Bytes route_notice(std::uint16_t type, unsigned char length, const IpAddress& gateway) {
  MessageBuilder m(type, 0);
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_type = RTN_UNICAST;
  m.put_header(header);
  m.put(RTA_GATEWAY, gateway.bytes());
  m.put_u32(RTA_OIF, 2);
  return m.take();
}

const IpAddress gateway = IpAddress::v4(192, 0, 2, 1);

}  // namespace

TEST_CASE("a default route is news and any other route is none") {
  CHECK(changes_addresses(route_notice(RTM_NEWROUTE, 0, gateway)));
  CHECK(changes_addresses(route_notice(RTM_DELROUTE, 0, gateway)));
  CHECK_FALSE(changes_addresses(route_notice(RTM_NEWROUTE, 24, gateway)));
  CHECK_FALSE(changes_addresses(encode_add_route(5, Prefix::parse("10.0.0.3/32").value())));
  CHECK_FALSE(changes_addresses({}));
  CHECK_FALSE(changes_addresses(Bytes(7, 0xff)));
}

TEST_CASE("the gateway of a route is read") {
  const Bytes notice = route_notice(RTM_NEWROUTE, 0, gateway);
  const auto route = decode_route(ByteView(notice).subspan(sizeof(nlmsghdr)));
  REQUIRE(route);
  CHECK(route->gateways == std::vector{gateway});
  CHECK(route->links == std::vector<std::uint32_t>{2});
}

TEST_CASE("resolvers are the addresses behind the keyword nameserver") {
  const auto found = resolvers_in(
      "# nameserver 192.0.2.9\nnameserver 192.0.2.1\n nameserver "
      "192.0.2.8\nnameserver\t2001:db8::1 #"
      "x\nnameservers 192.0.2.7\nnameserver fe80::1%eth0\nnameserver\nsearch example\n"
      "nameserver 192.0.2.2");
  CHECK(found == std::vector{IpAddress::v4(192, 0, 2, 1), *IpAddress::parse("2001:db8::1"),
                             *IpAddress::parse("fe80::1"), IpAddress::v4(192, 0, 2, 2)});
  CHECK(resolvers_in("").empty());
}

TEST_CASE("a new address of the host is noticed, and it is one not to choose") {
  IN_SANDBOX([] {
    auto watch = AddressWatch::open();
    EXPECT(watch.has_value());
    shell("ip link add dev0 type veth peer name dev1; ip link set dev1 up; ip link set dev0 up");
    shell("ip addr add 192.0.2.7/24 dev dev0; ip route add default via 192.0.2.1");
    pollfd fd{watch->fd(), POLLIN, 0};
    EXPECT(poll(&fd, 1, 5000) == 1);
    EXPECT(watch->drain());
    const auto occupied = occupied_addresses("wgtest");
    for (const IpAddress& address : {IpAddress::v4(192, 0, 2, 7), gateway}) {
      EXPECT(std::find(occupied.begin(), occupied.end(), address) != occupied.end());
    }
    const auto without = occupied_addresses("dev0");
    EXPECT(std::find(without.begin(), without.end(), IpAddress::v4(192, 0, 2, 7)) == without.end());
    (void)watch->drain();
    shell("ip route add 198.51.100.0/24 via 192.0.2.1");
    EXPECT(!watch->drain());
    shell("ip addr del 192.0.2.7/24 dev dev0");
    EXPECT(poll(&fd, 1, 5000) == 1);
    EXPECT(watch->drain());
  });
}
