#include "tests/plan/support/simulated_host.h"

#include <algorithm>
#include <stdexcept>

namespace wesher::plan::test {

namespace {

void insert(std::vector<Prefix>& prefixes, const Prefix& prefix) {
  const auto at = std::lower_bound(prefixes.begin(), prefixes.end(), prefix);
  if (at != prefixes.end() && *at == prefix) throw std::logic_error("EEXIST " + prefix.text());
  prefixes.insert(at, prefix);
}

void erase(std::vector<Prefix>& prefixes, const Prefix& prefix) {
  if (std::erase(prefixes, prefix) == 0) throw std::logic_error("ESRCH " + prefix.text());
}

/// Each overload is one action; a refusal of the kernel is a fault of the plan, so it throws.
class Performer {
 public:
  explicit Performer(Observed& host) : host_(host) {}

  void operator()(const CreateLink& a) {
    if (host_.link.kind != LinkKind::absent) throw std::logic_error("EEXIST link");
    const ObservedHosts hosts = host_.hosts;
    const bool complete = host_.complete;
    host_ = Observed{};
    host_.hosts = hosts;
    host_.complete = complete;
    host_.link = {LinkKind::kernel, "wireguard", 9, false, a.mtu, link_alias(a.name)};
  }

  void operator()(const SetAlias& a) { link().alias = a.alias; }

  void operator()(const SetMtu& a) {
    if (link().mtu != a.from) throw std::logic_error("SetMtu.from");
    link().mtu = a.to;
  }

  void operator()(const ConfigureDevice& a) {
    link();
    if (a.key) host_.device_key = a.key;
    if (a.listen_port) host_.listen_port = *a.listen_port;
  }

  void operator()(const SetLinkUp&) { link().up = true; }

  void operator()(const AddAddress& a) {
    link();
    insert(host_.addresses, a.address);
  }

  void operator()(const RemoveAddress& a) { erase(host_.addresses, a.address); }

  void operator()(const AddPeer& a) {
    link();
    if (find(a.key) != host_.peers.end()) throw std::logic_error("peer is there already");
    ObservedPeer peer;
    peer.key = a.key;
    peer.endpoint = a.endpoint;
    peer.keepalive_s = a.keepalive_s.value_or(0);
    const auto at = std::lower_bound(host_.peers.begin(), host_.peers.end(), a.key,
                                     [](const auto& p, const auto& k) { return p.key < k; });
    host_.peers.insert(at, peer);
    take(a.key, a.allowed);
  }

  void operator()(const UpdatePeer& a) {
    if (!a.endpoint && !a.allowed && !a.keepalive_s) throw std::logic_error("an update of nothing");
    const auto peer = find(a.key);
    if (peer == host_.peers.end()) throw std::logic_error("ENODEV peer");
    if (a.endpoint) peer->endpoint = a.endpoint;
    if (a.keepalive_s) peer->keepalive_s = *a.keepalive_s;
    if (a.allowed) {
      peer->allowed_ips.clear();
      take(a.key, *a.allowed);
    }
  }

  void operator()(const RemovePeer& a) {
    const auto peer = find(a.key);
    if (peer == host_.peers.end()) throw std::logic_error("ENODEV peer");
    host_.peers.erase(peer);
  }

  void operator()(const AddRoute& a) {
    if (!link().up) throw std::logic_error("ENETDOWN");
    if (a.takes_over) erase(host_.unmarked_routes, a.destination);
    insert(host_.routes, a.destination);
  }

  void operator()(const RemoveRoute& a) { erase(host_.routes, a.destination); }

  void operator()(const WriteHosts& a) {
    if (!host_.hosts.writable) throw std::logic_error("EROFS");
    host_.hosts.managed = a.lines;
    host_.hosts.outdated = false;
  }

 private:
  ObservedLink& link() {
    if (host_.link.kind == LinkKind::absent) throw std::logic_error("ENODEV");
    return host_.link;
  }

  std::vector<ObservedPeer>::iterator find(const PublicKey& key) {
    return std::find_if(host_.peers.begin(), host_.peers.end(),
                        [&](const ObservedPeer& p) { return p.key == key; });
  }

  void take(const PublicKey& key, const Prefix& allowed) {
    for (ObservedPeer& peer : host_.peers)
      std::erase(peer.allowed_ips, allowed);
    insert(find(key)->allowed_ips, allowed);
  }

  Observed& host_;
};

}  // namespace

void perform(Observed& host, const Action& action) {
  std::visit(Performer(host), action.what);
}

void perform(Observed& host, const Plan& plan) {
  for (const Action& action : plan.actions)
    perform(host, action);
}

}  // namespace wesher::plan::test
