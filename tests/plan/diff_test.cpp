// diff() by examples: the plan's text, exactly as people see it.
#include <catch2/catch.hpp>

#include "tests/plan/support/builders.h"

namespace wesher::plan::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string text(const Desired& d, const Observed& o, DiffOptions options = {}) {
  options.now = kNow;
  return "\n" + to_text(diff(d, o, options));
}

TEST_CASE("a settled host gives an empty plan that counts what is there") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  CHECK(text(d, settled(d)) == "\nwg1: nothing to do (2 peers, 2 routes, 2 hosts lines)\n");
  const Desired one = desired({wanted("a", 1)});
  CHECK(text(one, settled(one)) == "\nwg1: nothing to do (1 peer, 1 route, 1 hosts line)\n");
}

TEST_CASE("an empty host gets link and device and address before peers and routes and hosts") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  CHECK(text(d, Observed{}) == R"(
wg1: 10 changes
  + link wg1               WireGuard, mtu 1420           there is no such link
  ~ device                 key ZGRk…, port 51820         new link
  ~ link wg1               down -> up                    new link
  + address 10.0.0.100/32                                new link
  + peer a (AQEB…)         10.0.0.1/32, 192.0.2.1:51820  member since yesterday, missing in the device
  + peer b (AgIC…)         10.0.0.2/32, 192.0.2.2:51820  member since yesterday, missing in the device
  + route 10.0.0.1/32      proto wesher                  address of member a, no route to it
  + route 10.0.0.2/32      proto wesher                  address of member b, no route to it
  + hosts a                10.0.0.1                      member since yesterday, missing in the file
  + hosts b                10.0.0.2                      member since yesterday, missing in the file
)");
}

TEST_CASE("a host that drifted in every way gets all repairs in order") {
  Desired d = desired({wanted("a", 1), wanted("b", 2), wanted("c", 3)});
  d.interface.mtu = 1380;
  Observed o = settled(d);
  o.link.up = false;
  o.link.mtu = 1420;
  o.link.alias = "mine";
  o.device_key = key(50);
  o.listen_port = 4000;
  o.addresses = {prefix("10.0.0.77/32")};
  o.peers = {present(2), present(3), present(8), present(9)};
  o.peers[0].allowed_ips = {prefix("10.9.0.0/16")};
  o.peers[1].endpoint = endpoint("203.0.113.9:40000");
  o.peers[2].allowed_ips = {prefix("10.0.0.1/32")};
  o.routes = {prefix("10.0.0.2/32"), prefix("10.0.0.3/32"), prefix("10.0.0.9/32")};
  o.hosts.managed = {{ip("10.0.0.9"), {"old"}}, {ip("10.0.0.9"), {"b"}}, {ip("10.0.0.3"), {"c"}}};
  Member old = member("old", 9);
  old.state = MemberState::left;
  old.standing = Standing::seed;
  old.state_since = ago(minutes{4});
  const std::vector<Member> members = {member("a", 1), old};
  DiffOptions options;
  options.members = members;
  CHECK(text(d, o, options) == R"(
wg1: 16 changes
  ~ link wg1               alias -> managed by wesher (wg1)  adopted: it bears another alias
  ~ link wg1               mtu 1420 -> 1380                  as given by --mtu
  ~ device                 key ZGRk…, port 51820             its key is MjIy…, it listens on 4000
  ~ link wg1               down -> up                        it is down
  + address 10.0.0.100/32                                    missing on the link
  + peer a (AQEB…)         10.0.0.1/32, 192.0.2.1:51820      member alive since 12d, missing in the device
  ~ peer b (AgIC…)         10.0.0.2/32                       allowed IPs are 10.9.0.0/16
  ~ peer c (AwMD…)         192.0.2.3:51820                   endpoint is 203.0.113.9:40000, never a handshake
  + route 10.0.0.1/32      proto wesher                      address of member a, no route to it
  + hosts a                10.0.0.1                          member alive since 12d, missing in the file
  ~ hosts b                10.0.0.2                          our line said 10.0.0.9
  - hosts old              10.0.0.9                          member old left 4m ago
  - peer a (CAgI…)                                           member a has another key now
  - peer old (CQkJ…)                                         member old left 4m ago
  - route 10.0.0.9/32      proto wesher                      member old left 4m ago
  - address 10.0.0.77/32                                     our address is 10.0.0.100/32
)");
}

TEST_CASE("a link of ours that is down is set up") {
  const Desired d = desired({});
  Observed o = settled(d);
  o.link.up = false;
  CHECK(text(d, o) == R"(
wg1: 1 change
  ~ link wg1  down -> up  someone else set it down
)");
}

TEST_CASE("another MTU stays unless --mtu was given") {
  Desired d = desired({});
  Observed o = settled(d);
  o.link.mtu = 1280;
  CHECK(diff(d, o, {}).empty());
  d.interface.mtu = 1280;
  CHECK(diff(d, o, {}).empty());
  d.interface.mtu = 1300;
  CHECK(diff(d, o, {}).actions.size() == 1);
}

TEST_CASE("a link is created with the MTU given by --mtu") {
  Desired d = desired({});
  d.interface.mtu = 1380;
  const Plan plan = diff(d, Observed{}, {});
  CHECK(std::get<CreateLink>(plan.actions.at(0).what).mtu == 1380);
}

TEST_CASE("a device without key and port gets both before it is set up") {
  const Desired d = desired({});
  Observed o = settled(d);
  o.link.up = false;
  o.link.alias.clear();
  o.device_key.reset();
  o.listen_port = 0;
  CHECK(text(d, o) == R"(
wg1: 3 changes
  ~ link wg1  alias -> managed by wesher (wg1)  adopted: it bears no alias yet
  ~ device    key ZGRk…, port 51820             it has no key, it has no port
  ~ link wg1  down -> up                        it is down
)");
}

TEST_CASE("a device with one of key and port wrong gets that one") {
  const Desired d = desired({});
  Observed o = settled(d);
  o.listen_port = 1;
  CHECK(text(d, o) == "\nwg1: 1 change\n  ~ device  port 51820  it listens on 1\n");
  o = settled(d);
  o.device_key = key(3);
  CHECK(text(d, o) == "\nwg1: 1 change\n  ~ device  key ZGRk…  its key is AwMD…\n");
}

TEST_CASE("what the desired interface leaves open is neither set nor removed") {
  Desired d = desired({});
  const Observed o = settled(d);
  d.interface.key = PublicKey();
  d.interface.listen_port = 0;
  CHECK(diff(d, o, {}).empty());
}

TEST_CASE("a node without an overlay address has none on its link") {
  Desired d = desired({});
  const std::string own = Prefix::host(d.interface.overlay).text();
  Observed o = settled(d);
  d.interface.overlay = IpAddress();
  CHECK(text(d, o) == "\nwg1: 1 change\n  - address " + own + "    we have no address\n");
  o.addresses.clear();
  CHECK(diff(d, o, {}).empty());
}

TEST_CASE("an endpoint is left to WireGuard while a handshake is younger than 180 s") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = settled(d);
  o.peers[0].endpoint = endpoint("198.51.100.7:1024");
  DiffOptions options;
  options.now = kNow;
  const auto actions_at = [&](WallTime handshake) {
    o.peers[0].last_handshake = handshake;
    return diff(d, o, options).actions.size();
  };
  CHECK(actions_at(ago(seconds{0})) == 0);
  CHECK(actions_at(ago(std::chrono::milliseconds{179'999})) == 0);
  CHECK(actions_at(ago(seconds{180})) == 1);
  CHECK(actions_at(ago(seconds{-179})) == 0);
  CHECK(actions_at(ago(hours{-1})) == 1);
  o.peers[0].last_handshake = ago(minutes{5});
  CHECK(
      text(d, o) ==
      "\nwg1: 1 change\n"
      "  ~ peer a (AQEB…)  192.0.2.1:51820  endpoint is 198.51.100.7:1024, no handshake for 5m\n");
}

TEST_CASE("a peer that moved is looked for where it is, unless WireGuard knows better") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = settled(d);
  o.peers[0].last_handshake = ago(seconds{1});
  o.peers[0].endpoint = endpoint("192.0.2.77:51820");
  DiffOptions options;
  options.now = kNow;
  CHECK(diff(d, o, options).empty());
  options.moved.emplace(o.peers[0].key, endpoint("192.0.2.77:51820"));
  CHECK(text(d, o, options) ==
        "\nwg1: 1 change\n  ~ peer a (AQEB…)  192.0.2.1:51820  "
        "endpoint is 192.0.2.77:51820, which it announced before\n");
  o.peers[0].endpoint = endpoint("198.51.100.7:1024");
  CHECK(diff(d, o, options).empty());
}

TEST_CASE("a peer that the device has where another member is gets its own endpoint") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  Observed o = settled(d);
  o.peers[0].last_handshake = kNow;
  o.peers[0].endpoint = o.peers[1].endpoint;
  DiffOptions options;
  options.now = kNow;
  CHECK(text(d, o, options) ==
        "\nwg1: 1 change\n  ~ peer a (AQEB…)  192.0.2.1:51820  "
        "endpoint is 192.0.2.2:51820, where another member is\n");
}

TEST_CASE("a peer without any endpoint gets the announced one") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = settled(d);
  o.peers[0].endpoint.reset();
  CHECK(text(d, o) == "\nwg1: 1 change\n  ~ peer a (AQEB…)  192.0.2.1:51820  it has no endpoint\n");
}

TEST_CASE("a keepalive that is wanted is put right, also to off") {
  Desired d = desired({wanted("a", 1), wanted("b", 2)});
  d.interface.keepalive_s = 25;
  Observed o = settled(d);
  o.peers[0].keepalive_s = 0;
  o.peers[1].keepalive_s = 25;
  CHECK(text(d, o) == "\nwg1: 1 change\n  ~ peer a (AQEB…)  keepalive 25s  it has no keepalive\n");
  d.interface.keepalive_s = 0;
  CHECK(text(d, o) == "\nwg1: 1 change\n  ~ peer b (AgIC…)  keepalive off  its keepalive is 25s\n");
  o.peers.pop_back();
  CHECK(text(d, o).find("+ peer b (AgIC…)  10.0.0.2/32, 192.0.2.2:51820, keepalive off") !=
        std::string::npos);
}

TEST_CASE("handshake ages and counters and keepalives alone change nothing") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = settled(d);
  o.peers[0].keepalive_s = 25;
  o.peers[0].rx_bytes = 1;
  o.peers[0].tx_bytes = 2;
  o.peers[0].last_handshake = ago(hours{2});
  CHECK(diff(d, o, {}).empty());
}

TEST_CASE("a peer with further allowed IPs gets its one address alone") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = settled(d);
  o.peers[0].allowed_ips = {prefix("0.0.0.0/0"), prefix("10.0.0.1/32"), prefix("10.0.0.7/32"),
                            prefix("10.0.0.8/32"), prefix("10.0.0.9/32")};
  CHECK(text(d, o) == R"(
wg1: 1 change
  ~ peer a (AQEB…)  10.0.0.1/32  allowed IPs are 0.0.0.0/0, 10.0.0.1/32, 10.0.0.7/32 and 2 more
)");
}

TEST_CASE("an allowed IP that moves goes to its new owner by that owner's action alone") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  Observed o = settled(d);
  o.peers[0].allowed_ips = {prefix("10.0.0.1/32"), prefix("10.0.0.2/32")};
  o.peers[1].allowed_ips = {};
  CHECK(text(d, o) == R"(
wg1: 1 change
  ~ peer b (AgIC…)  10.0.0.2/32  allowed IPs are none
)");
}

TEST_CASE("two peers that exchange their addresses are updated one by one") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  Observed o = settled(d);
  std::swap(o.peers[0].allowed_ips, o.peers[1].allowed_ips);
  CHECK(text(d, o) == R"(
wg1: 2 changes
  ~ peer a (AQEB…)  10.0.0.1/32  allowed IPs are 10.0.0.2/32
  ~ peer b (AgIC…)  10.0.0.2/32  allowed IPs are 10.0.0.1/32
)");
}

TEST_CASE("a member with a new key gets its peer before the old one goes") {
  DesiredPeer renewed = wanted("a", 1);
  renewed.key = key(11);
  const Desired d = desired({renewed});
  Observed o = settled(desired({wanted("a", 1)}));
  CHECK(text(d, o) == R"(
wg1: 2 changes
  + peer a (CwsL…)  10.0.0.1/32, 192.0.2.1:51820  member since yesterday, missing in the device
  - peer a (AQEB…)                                member a has another key now
)");
}

TEST_CASE("a peer whose key no member has is removed and named in full") {
  const Desired d = desired({});
  Observed o = settled(d);
  o.peers = {present(9)};
  CHECK(text(d, o) ==
        "\nwg1: 1 change\n"
        "  - peer (CQkJ…)  CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=  no member has this key\n");
}

TEST_CASE("the reason of a removal says what became of the member") {
  const Desired d = desired({});
  Observed o = settled(d);
  o.peers = {present(5)};
  const auto reason = [&](const Member& m) {
    DiffOptions options;
    options.now = kNow;
    options.members = {&m, 1};
    return diff(d, o, options).actions.at(0).reason;
  };
  Member m = member("web1", 5);
  m.state_since = ago(hours{72});
  m.standing = Standing::refused;
  m.reason = "its address is outside 10.0.0.0/8";
  CHECK(reason(m) == "member web1 is not configured: its address is outside 10.0.0.0/8");
  m.reason.clear();
  CHECK(reason(m) == "member web1 is not configured");
  m.state = MemberState::failed;
  CHECK(reason(m) == "member web1 failed 3d ago, kept no longer");
  m.state = MemberState::left;
  CHECK(reason(m) == "member web1 left 3d ago");
  m.name = "a\nb";
  CHECK(reason(m) == "member a\\x0ab left 3d ago");
}

TEST_CASE("an incomplete dump removes nothing but is added to") {
  const Desired d = desired({wanted("a", 1), wanted("b", 2)});
  Observed o = settled(d);
  o.complete = false;
  o.peers = {present(1), present(9)};
  o.routes = {prefix("10.0.0.1/32"), prefix("10.0.0.9/32")};
  o.addresses.push_back(prefix("10.0.0.200/32"));
  o.hosts.managed.push_back({ip("10.0.0.9"), {"old"}});
  CHECK(text(d, o) == R"(
wg1: 2 changes
  + peer b (AgIC…)     10.0.0.2/32, 192.0.2.2:51820  member since yesterday, missing in the device
  + route 10.0.0.2/32  proto wesher                  address of member b, no route to it
)");
}

TEST_CASE("in adopt mode nothing is removed but wanted peers are brought in form") {
  const Desired d = desired({wanted("a", 1)});
  Observed o = settled(d);
  o.peers = {present(1), present(9)};
  o.peers[0].allowed_ips.push_back(prefix("10.0.0.50/32"));
  o.routes.push_back(prefix("10.0.0.9/32"));
  o.addresses.push_back(prefix("10.0.0.200/32"));
  DiffOptions options;
  options.may_remove = false;
  CHECK(text(d, o, options) == R"(
wg1: 1 change
  ~ peer a (AQEB…)  10.0.0.1/32  allowed IPs are 10.0.0.1/32, 10.0.0.50/32
)");
}

TEST_CASE("a link that is no WireGuard interface gives an empty plan") {
  const Desired d = desired({wanted("a", 1)});
  Observed o;
  o.link.kind = LinkKind::other;
  CHECK(diff(d, o, {}).empty());
}

TEST_CASE("what belongs to an absent link is not removed one by one") {
  const Desired d = desired({});
  Observed o = settled(desired({wanted("a", 1)}));
  o.link = {};
  o.hosts = {};
  const Plan plan = diff(d, o, {});
  CHECK(plan.actions.size() == 4);
  CHECK(std::holds_alternative<AddAddress>(plan.actions.back().what));
}

TEST_CASE("of desired rows that share a key or an address the first is used") {
  DesiredPeer same_key = wanted("b", 2);
  same_key.key = key(1);
  DesiredPeer same_address = wanted("c", 3);
  same_address.overlay = ip("10.0.0.1");
  const Desired d = desired({wanted("a", 1), same_key, same_address});
  Observed o = settled(desired({wanted("a", 1)}));
  o.hosts.writable = false;
  CHECK(diff(d, o, {}).empty());
}

TEST_CASE("IPv6 overlay addresses are host prefixes of 128 bits") {
  DesiredPeer six = wanted("a", 1);
  six.overlay = ip("fd00::1");
  six.endpoint = endpoint("[2001:db8::1]:51820");
  Desired d = desired({six});
  d.interface.overlay = ip("fd00::64");
  Observed o = settled(d);
  CHECK(diff(d, o, {}).empty());
  o.peers.clear();
  o.routes.clear();
  o.addresses.clear();
  CHECK(text(d, o) == R"(
wg1: 3 changes
  + address fd00::64/128                                    missing on the link
  + peer a (AQEB…)        fd00::1/128, [2001:db8::1]:51820  member since yesterday, missing in the device
  + route fd00::1/128     proto wesher                      address of member a, no route to it
)");
}

}  // namespace
}  // namespace wesher::plan::test
