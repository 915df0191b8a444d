#include "tests/plan/support/builders.h"

#include <algorithm>

namespace wesher::plan::test {

DesiredPeer wanted(std::string name, std::uint8_t n) {
  return {std::move(name), key(n), IpAddress::v4(10, 0, 0, n),
          Endpoint{IpAddress::v4(192, 0, 2, n), 51820}, "member since yesterday"};
}

ObservedPeer present(std::uint8_t n) {
  ObservedPeer peer;
  peer.key = key(n);
  peer.endpoint = Endpoint{IpAddress::v4(192, 0, 2, n), 51820};
  peer.allowed_ips = {Prefix::host(IpAddress::v4(10, 0, 0, n))};
  return peer;
}

Member member(std::string name, std::uint8_t n) {
  Member m;
  m.name = std::move(name);
  m.underlay = IpAddress::v4(192, 0, 2, n);
  m.underlay_bytes = Bytes(m.underlay.bytes().begin(), m.underlay.bytes().end());
  m.gossip_port = 7946;
  m.state_since = ago(std::chrono::hours{24 * 12});
  m.first_seen = ago(std::chrono::hours{24 * 41});
  m.meta = NodeMeta{IpAddress::v4(10, 0, 0, n), key(n), MetaFormat::f2};
  m.standing = Standing::configured;
  return m;
}

Desired desired(std::initializer_list<DesiredPeer> peers) {
  Desired d;
  d.generation = 7;
  d.interface = {"wg1", key(100), 51820, ip("10.0.0.100"), std::nullopt};
  d.own_name = "self";
  d.peers = peers;
  return d;
}

Observed settled(const Desired& desired) {
  Observed o;
  o.link = {LinkKind::kernel, "wireguard", 4, true, 1420, link_alias(desired.interface.name)};
  o.device_key = desired.interface.key;
  o.listen_port = desired.interface.listen_port;
  o.addresses = {Prefix::host(desired.interface.overlay)};
  for (const DesiredPeer& peer : desired.peers) {
    ObservedPeer p;
    p.key = peer.key;
    p.endpoint = peer.endpoint;
    p.allowed_ips = {Prefix::host(peer.overlay)};
    o.peers.push_back(p);
    o.routes.push_back(Prefix::host(peer.overlay));
  }
  std::sort(o.peers.begin(), o.peers.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  std::sort(o.routes.begin(), o.routes.end());
  o.hosts.managed = wanted_hosts(desired, o.hosts);
  return o;
}

}  // namespace wesher::plan::test
