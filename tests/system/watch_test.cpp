// Notices of foreign changes, rights, ports, and the host's addresses.
#include "system/watch.h"

#include <chrono>
#include <fstream>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/host.h"
#include "system/port_holder.h"
#include "tests/system/support/planes.h"

using namespace wesher;
using namespace wesher::system;
using namespace wesher::plan;
using namespace wesher::test;

namespace {

/// Whether the descriptor gets readable; generous, as it only waits that long on failure.
bool readable(const DataPlane& plane) {
  pollfd fd{plane.watch_fd(), POLLIN, 0};
  return poll(&fd, 1, 5000) == 1;
}

bool quiet(const DataPlane& plane) {
  pollfd fd{plane.watch_fd(), POLLIN, 0};
  return poll(&fd, 1, 0) == 0;
}

/// Binds a UDP port and keeps it until the sandbox ends; waits for its former holder to let go.
void hold_port(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    EXPECT(std::chrono::steady_clock::now() < deadline);
}

}  // namespace

TEST_CASE("a foreign change of our interface is noticed and our own routes are not") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    bring_up(*plane);
    apply(*plane, peer(2));
    (void)must(plane->observe());
    EXPECT(plane->drain_watch());
    EXPECT(quiet(*plane));

    // The kernel may tell of the link's carrier whenever it likes: one silent round is enough.
    bool silent = false;
    for (int i = 0; i < 20 && !silent; ++i) {
      (void)plane->drain_watch();
      apply(*plane, RemoveRoute{prefix("10.9.0.2/32")});
      apply(*plane, AddRoute{prefix("10.9.0.2/32")});
      apply(*plane, RemoveAddress{prefix("10.9.0.7/32")});
      apply(*plane, AddAddress{prefix("10.9.0.7/32")});
      silent = !plane->drain_watch();
    }
    EXPECT(silent);
    shell("ip link add elsewhere type veth peer name other; ip addr add 10.1.1.1/24 dev lo");
    EXPECT(readable(*plane));

    for (const char* change : {"ip route del 10.9.0.2", "ip addr del 10.9.0.7/32 dev wgtest",
                               "ip link set wgtest mtu 1300", "ip link del wgtest"}) {
      EXPECT_EQ(shell(change), "");
      EXPECT(readable(*plane));
      EXPECT(plane->drain_watch());
    }
  });
}

TEST_CASE("a foreign edit of the hosts file is noticed and our own is not") {
  IN_SANDBOX([] {
    const auto plane = open_plane(BackendChoice::userspace);
    (void)must(plane->observe());
    (void)plane->drain_watch();
    apply(*plane, WriteHosts{{{IpAddress::v4(10, 9, 0, 2), {"node2"}}}, {}});
    EXPECT(readable(*plane));
    EXPECT(!plane->drain_watch());
    EXPECT_EQ(must(plane->observe()).hosts.managed.size(), 1U);

    std::ofstream("/etc/unrelated") << "x";
    EXPECT(!plane->drain_watch());
    std::ofstream("/etc/hosts", std::ios::app) << "192.0.2.1 foreign\n";
    EXPECT(readable(*plane));
    EXPECT(plane->drain_watch());
    EXPECT(must(plane->observe()).hosts.foreign_names.front() == "foreign");
    EXPECT(!plane->drain_watch());
    shell("cp /etc/hosts /etc/h2 && echo 192.0.2.2 two >> /etc/h2 && mv /etc/h2 /etc/hosts");
    EXPECT(readable(*plane));
    EXPECT(plane->drain_watch());
  });
}

TEST_CASE("with hosts switched off our old lines can go but no new ones come") {
  IN_SANDBOX([] {
    {
      const auto before = open_plane(BackendChoice::userspace);
      apply(*before, WriteHosts{{{IpAddress::v4(10, 9, 0, 2), {"node2"}}}, {}});
    }
    DataPlaneConfig config;
    config.interface = "wgtest";
    config.backend = BackendChoice::userspace;
    config.hosts = false;
    const auto plane = must(DataPlane::open(config));
    const ObservedHosts seen = must(plane->observe()).hosts;
    EXPECT_EQ(seen.managed.size(), 1U);
    const auto added = plane->apply({WriteHosts{seen.managed, {}}, ""}, secret(1));
    EXPECT(!added);
    EXPECT(added.error().code == Errc::unsupported);
    apply(*plane, WriteHosts{{}, {}});
    EXPECT(must(plane->observe()).hosts.managed.empty());
  });
}

TEST_CASE("a port in use is named with its holder before anything claims to be up") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    hold_port(51820);
    const auto plane = open_plane(backend);
    apply(*plane, CreateLink{"wgtest", 1420});
    auto result = plane->apply({ConfigureDevice{key_of(1), 51820}, ""}, secret(1));
    // A device that is down takes the port and refuses to come up.
    if (result) result = plane->apply({SetLinkUp{}, ""}, secret(1));
    EXPECT(!result);
    EXPECT(result.error().code == Errc::busy);
    EXPECT(result.error().detail.starts_with("WireGuard port 51820 is in use by "));
    EXPECT(result.error().detail.find("(pid 1)") != std::string::npos);
  });
}

TEST_CASE("a port that was lost while the link was down is noticed when it comes up") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    if (backend == BackendChoice::userspace) return;  // wireguard-go keeps its sockets then
    const auto plane = open_plane(backend);
    bring_up(*plane);
    shell("ip link set wgtest down");
    hold_port(51820);
    const auto result = plane->apply({SetLinkUp{}, ""}, secret(1));
    EXPECT(!result);
    EXPECT(result.error().code == Errc::busy);
    EXPECT(!must(plane->observe()).link.up);
  });
}

TEST_CASE("a configured key must belong to the private key at hand") {
  ON_EACH_BACKEND([](BackendChoice backend) {
    const auto plane = open_plane(backend);
    apply(*plane, CreateLink{"wgtest", 1420});
    EXPECT(!plane->apply({ConfigureDevice{key_of(2), 51820}, ""}, secret(1)));
    EXPECT(!must(plane->observe()).device_key);
  });
}

TEST_CASE("without the capability the refusal names it and the remedy") {
  IN_SANDBOX([] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    EXPECT(has_net_admin());
    EXPECT(syscall(SYS_capset, &header, none.data()) == 0);
    EXPECT(!has_net_admin());
    DataPlaneConfig config;
    config.interface = "wgtest";
    const auto plane = DataPlane::open(config);
    EXPECT(!plane);
    EXPECT(plane.error().code == Errc::not_permitted);
    EXPECT(plane.error().detail.find("setcap cap_net_admin+ep /") != std::string::npos);
  });
}

TEST_CASE("the addresses of the host come with their interface and default route") {
  IN_SANDBOX([] {
    shell(
        "ip link add up0 type veth peer name down0; ip link set up0 up;"
        "ip addr add 192.0.2.5/24 dev up0; ip addr add 192.0.2.6/24 dev down0;"
        "ip route add default via 192.0.2.1; ip addr add 2001:db8::5/64 dev up0 nodad");
    const auto plane = open_plane(BackendChoice::userspace);
    bring_up(*plane);
    std::string seen;
    for (const HostAddress& address : must(host_addresses())) {
      if (address.address.is_link_local()) continue;
      seen += address.interface + " " + address.address.text() + "/" +
              std::to_string(address.prefix_length) + (address.default_route ? " default" : "") +
              (address.tunnel ? " tunnel" : "") + "\n";
    }
    EXPECT_EQ(seen,
              "lo 127.0.0.1/8\nup0 192.0.2.5/24 default\nwgtest 10.9.0.1/32 tunnel\n"
              "lo ::1/128\nup0 2001:db8::5/64\n");
    EXPECT(link_exists("up0"));
    EXPECT(!link_exists("up1"));
    EXPECT_EQ(boot_id().size(), 36U);
    EXPECT_EQ(port_holder(51820, false).find("wireguard-go (pid "), 0U);
    EXPECT_EQ(port_holder(1, false), "");
  });
}

TEST_CASE("the inodes on a port are read from the kernel's table") {
  const std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode ref pointer drops\n"
      "  123: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
      "4711 2 0000000000000000 0\n"
      "  124: 0100007F:CA6C 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 "
      "4712 2 0000000000000000 0\n"
      "  125: 0100007F:CA6D 0100007F:1234 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4713 2 0000000000000000 0\n  126: short\n";
  CHECK(inodes_on_port(table, 51820, false) == std::vector<std::uint64_t>{4711, 4712});
  CHECK(inodes_on_port(table, 51820, true).empty());
  CHECK(inodes_on_port(table, 51821, true) == std::vector<std::uint64_t>{4713});
}
