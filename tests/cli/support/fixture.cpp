#include "tests/cli/support/fixture.h"

#include <algorithm>
#include <stdexcept>

namespace wesher::cli::testing {

namespace {

store::SelfRow own_row() {
  store::SelfRow self;
  self.name = "db1";
  self.interface = "wgoverlay";
  self.overlay = ip("10.42.215.254");
  self.overlay_net = Prefix{ip("10.42.0.0"), 16};
  self.key = key(1);
  self.identity = IdentityKey(key(1).bytes());
  self.claimed = kNow - hours{41 * 24};
  self.cluster = "3f9a-c2e1";
  self.underlay = "203.0.113.5";
  self.gossip_port = 7946;
  self.wireguard_port = 51820;
  self.backend = "kernel WireGuard";
  self.version = "2.0.0";
  self.pid = 812;
  self.started = kNow - hours{12 * 24};
  return self;
}

DesiredPeer wanted_peer(const Member& each) {
  return {each.name, each.meta->key, each.meta->overlay, Endpoint{each.underlay, 51820},
          "member alive"};
}

ObservedPeer seen_peer(const Member& each,
                       Duration handshake_age,
                       std::uint64_t rx,
                       std::uint64_t tx) {
  ObservedPeer peer;
  peer.key = each.meta->key;
  peer.endpoint = Endpoint{each.underlay, 51820};
  peer.allowed_ips = {Prefix::host(each.meta->overlay)};
  peer.last_handshake = kNow - std::chrono::duration_cast<std::chrono::milliseconds>(handshake_age);
  peer.rx_bytes = rx;
  peer.tx_bytes = tx;
  return peer;
}

Desired wanted_interface() {
  Desired desired;
  desired.generation = 812;
  desired.interface = {"wgoverlay", key(1), 51820, ip("10.42.215.254"), std::nullopt};
  desired.own_name = "db1";
  return desired;
}

Observed bare_link() {
  Observed observed;
  observed.link = {LinkKind::kernel, "wireguard", 7, true, kDefaultMtu, link_alias("wgoverlay")};
  observed.device_key = key(1);
  observed.listen_port = 51820;
  observed.addresses = {Prefix::host(ip("10.42.215.254"))};
  return observed;
}

template <class T, class Predicate>
void remove_if(std::vector<T>& from, Predicate predicate) {
  from.erase(std::remove_if(from.begin(), from.end(), predicate), from.end());
}

}  // namespace

IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

PublicKey key(std::uint8_t byte) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(byte);
  return PublicKey(bytes);
}

Member member(const std::string& name,
              const std::string& overlay,
              const std::string& underlay,
              std::uint8_t key_byte) {
  Member out;
  out.name = name;
  out.underlay = ip(underlay);
  out.underlay_bytes.assign(out.underlay.bytes().begin(), out.underlay.bytes().end());
  out.gossip_port = 7946;
  out.incarnation = 3;
  out.state_since = kNow - hours{12 * 24};
  out.first_seen = kNow - hours{41 * 24};
  out.meta = NodeMeta{ip(overlay), key(key_byte), MetaFormat::f2};
  SignedClaim claim;
  claim.identity = IdentityKey(key(key_byte).bytes());
  claim.epoch = 1'762'338'112'004;
  claim.claimed = out.first_seen;
  out.signed_claim = claim;
  out.standing = Standing::configured;
  return out;
}

Member& member_of(Snapshot& snapshot, const std::string& name) {
  for (Member& each : snapshot.facts.members) {
    if (each.name == name) return each;
  }
  throw std::logic_error("no member " + name);
}

ObservedPeer& peer_of(Snapshot& snapshot, const std::string& name) {
  const PublicKey wanted = member_of(snapshot, name).meta->key;
  for (ObservedPeer& peer : snapshot.live.observed->peers) {
    if (peer.key == wanted) return peer;
  }
  throw std::logic_error("no peer " + name);
}

Snapshot alone() {
  Snapshot snapshot;
  snapshot.now = kNow;
  snapshot.daemon = DaemonState::running;
  snapshot.facts.interface = "wgoverlay";
  snapshot.facts.self = own_row();
  snapshot.facts.options = {{"interface", "wgoverlay"}, {"log-level", "warn"}};
  snapshot.facts.desired = wanted_interface();
  snapshot.facts.applied = {812, kNow - minutes{9}, {}};
  snapshot.live.observed = bare_link();
  snapshot.live.backend = "kernel WireGuard";
  return snapshot;
}

Snapshot in_order() {
  Snapshot snapshot = alone();
  const std::vector<Member> members = {member("db2", "10.42.214.195", "203.0.113.6", 2),
                                       member("pi1", "10.42.51.1", "192.0.2.80", 3),
                                       member("web1", "10.42.149.56", "198.51.100.21", 4),
                                       member("web2", "10.42.152.233", "198.51.100.22", 5)};
  snapshot.facts.members = members;
  Observed& observed = *snapshot.live.observed;
  for (const Member& each : members) {
    snapshot.facts.desired->peers.push_back(wanted_peer(each));
    observed.routes.push_back(Prefix::host(each.meta->overlay));
    observed.hosts.managed.push_back({each.meta->overlay, {each.name}});
  }
  std::sort(observed.routes.begin(), observed.routes.end());
  observed.peers = {seen_peer(members[0], seconds{41}, 1288490189, 933232640),
                    seen_peer(members[1], hours{2}, 92274688, 12582912),
                    seen_peer(members[2], seconds{65}, 41943040, 39845888),
                    seen_peer(members[3], seconds{20}, 2048, 9216)};
  snapshot.facts.history = {
      {7, kNow - hours{3}, "peer web1", "+ peer web1", "member alive since 12d"},
      {6, kNow - hours{12 * 24}, "daemon", "started", "2.0.0"}};
  return snapshot;
}

Snapshot drifted() {
  Snapshot snapshot = in_order();
  Facts& facts = snapshot.facts;
  Observed& observed = *snapshot.live.observed;
  observed.link.up = false;
  Member& pi1 = member_of(snapshot, "pi1");
  pi1.state = MemberState::failed;
  pi1.state_since = kNow - hours{2};
  peer_of(snapshot, "web2").endpoint = Endpoint{ip("198.51.100.99"), 40112};
  remove_if(observed.peers,
            [&](const auto& peer) { return peer.key == member_of(snapshot, "web1").meta->key; });
  ObservedPeer stray;
  stray.key = key(9);
  observed.peers.push_back(stray);
  remove_if(observed.routes,
            [](const auto& route) { return route == Prefix::host(ip("10.42.51.1")); });
  remove_if(observed.hosts.managed, [](const auto& line) { return line.names.front() == "db2"; });
  facts.drift = {{"peer web1", "+ peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820",
                  "member alive since 12d, missing in the device", 2, kNow - minutes{4},
                  std::chrono::milliseconds{1250}, false},
                 {"link", "~ link  down -> up", "someone else set it down", 1, kNow - hours{3 * 24},
                  std::chrono::milliseconds{200}, false}};
  facts.history = {
      {9, kNow - minutes{4}, "peer web1",
       "+ peer web1 (BAQE…)  10.42.149.56/32, 198.51.100.21:51820",
       "member alive since 12d, missing in the device"},
      {8, kNow - hours{2}, "member pi1", "alive -> failed", "no answer for 30s"},
      {7, kNow - hours{3 * 24}, "link", "~ link  down -> up", "someone else set it down"},
      {6, kNow - hours{12 * 24}, "daemon", "started", "2.0.0"}};
  snapshot.live.hosts_text =
      "127.0.0.1\tlocalhost\n"
      "10.42.51.1\tpi1\t# ! managed automatically by wesher interface wgoverlay\n"
      "\n"
      "10.42.149.56\tweb1\t# added by hand\n"
      "10.42.149.56\tweb1\t# ! managed automatically by wesher interface wgoverlay\n"
      "10.42.152.233\tweb2\t# ! managed automatically by wesher interface wgoverlay\n";
  return snapshot;
}

void unconfigure(Snapshot& snapshot, const std::string& name, Standing standing) {
  Member& gone = member_of(snapshot, name);
  gone.standing = standing;
  Observed& observed = *snapshot.live.observed;
  remove_if(snapshot.facts.desired->peers, [&](const auto& peer) { return peer.name == name; });
  remove_if(observed.peers, [&](const auto& peer) { return peer.key == gone.meta->key; });
  remove_if(observed.routes,
            [&](const auto& route) { return route == Prefix::host(gone.meta->overlay); });
  remove_if(observed.hosts.managed,
            [&](const auto& line) { return line.address == gone.meta->overlay; });
}

}  // namespace wesher::cli::testing
