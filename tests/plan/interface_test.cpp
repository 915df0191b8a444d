// judge_interface() and teardown().
#include <catch2/catch.hpp>

#include "tests/plan/support/builders.h"

namespace wesher::plan::test {
namespace {

Observed wireguard(std::vector<ObservedPeer> peers, LinkKind kind = LinkKind::kernel) {
  Observed o;
  o.link = {kind, kind == LinkKind::kernel ? "wireguard" : "tun", 3, true, 1420, ""};
  o.peers = std::move(peers);
  return o;
}

std::string refusal(const std::string& interface, const Observed& o) {
  const auto judged = judge_interface(interface, o, {key(1)});
  REQUIRE_FALSE(judged.has_value());
  CHECK(judged.error().code == Errc::exists);
  return judged.error().detail;
}

TEST_CASE("an absent interface is created") {
  CHECK(judge_interface("wg1", Observed{}, {}).value() == Ownership::create);
}

TEST_CASE("an interface with our alias is ours whatever is on it") {
  Observed o = wireguard({present(8), present(9)});
  o.link.alias = link_alias("wg1");
  CHECK(judge_interface("wg1", o, {}).value() == Ownership::ours);
}

TEST_CASE("the alias of another interface of ours does not make it ours") {
  Observed o = wireguard({present(8)});
  o.link.alias = link_alias("wg2");
  CHECK_FALSE(judge_interface("wg1", o, {}).has_value());
}

TEST_CASE("an interface without peers is adopted from kernel and userspace") {
  CHECK(judge_interface("wg1", wireguard({}), {}).value() == Ownership::adopt);
  Observed o = wireguard({}, LinkKind::userspace);
  o.device_key = key(77);
  CHECK(judge_interface("wg1", o, {}).value() == Ownership::adopt);
}

TEST_CASE("an interface whose key or a peer is in our state is adopted") {
  Observed o = wireguard({present(8)});
  o.device_key = key(1);
  CHECK(judge_interface("wg1", o, {key(1)}).value() == Ownership::adopt);
  o.device_key = key(7);
  CHECK(judge_interface("wg1", o, {key(1), key(8)}).value() == Ownership::adopt);
}

TEST_CASE("somebody else's interface is refused with the remedy") {
  CHECK(refusal("wg0", wireguard({present(7), present(8), present(9)})) ==
        "wg0 is a WireGuard interface with 3 peers that wesher did not make; choose another "
        "--interface or delete it");
  CHECK(refusal("wg0", wireguard({present(7)}, LinkKind::userspace)) ==
        "wg0 is a WireGuard interface with 1 peer that wesher did not make; choose another "
        "--interface or delete it");
}

TEST_CASE("a link that is no WireGuard interface is refused with its kind") {
  Observed o;
  o.link = {LinkKind::other, "veth", 2, true, 1500, link_alias("eth0")};
  CHECK(refusal("eth0", o) ==
        "eth0 is a link of kind veth, not a WireGuard interface; choose another --interface");
  o.link.kind_name.clear();
  CHECK(refusal("eth0", o) == "eth0 is not a WireGuard interface; choose another --interface");
}

TEST_CASE("an interrupted dump without a known key proves nothing") {
  Observed o = wireguard({});
  o.complete = false;
  const auto judged = judge_interface("wg1", o, {});
  REQUIRE_FALSE(judged.has_value());
  CHECK(judged.error().code == Errc::busy);
  CHECK(judged.error().detail == "wg1 is being changed by someone else; try again");
}

TEST_CASE("a teardown removes hosts lines and routes and nothing else") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  Plan plan = teardown(settled(d));
  plan.interface = "wg1";
  CHECK(to_text(plan) ==
        "wg1: 4 changes\n"
        "  - hosts a            10.0.0.1      everything of ours is taken down\n"
        "  - hosts b            10.0.0.2      everything of ours is taken down\n"
        "  - route 10.0.0.1/32  proto wesher  everything of ours is taken down\n"
        "  - route 10.0.0.2/32  proto wesher  everything of ours is taken down\n");
  CHECK(std::get<WriteHosts>(plan.actions.at(0).what).lines.empty());
}

TEST_CASE("a teardown of nothing is empty") {
  CHECK(teardown(Observed{}).empty());
  Observed o = settled(desired({wanted("a", 1)}));
  o.routes.clear();
  o.hosts.writable = false;
  CHECK(teardown(o).empty());
}

}  // namespace
}  // namespace wesher::plan::test
