// What to do with the device, its peers and routes; hosts.cpp has the hosts file, interface.cpp the
// link's ownership and the teardown. The rules are in diff.h.
#include "plan/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/hosts.h"
#include "plan/reason.h"

namespace wesher::plan {

namespace {

constexpr std::size_t kShownPrefixesMax = 3;  ///< allowed IPs that a reason lists

std::string prefixes_text(const std::vector<Prefix>& prefixes) {
  if (prefixes.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < std::min(prefixes.size(), kShownPrefixesMax); ++i)
    text += (i == 0 ? "" : ", ") + prefixes[i].text();
  if (prefixes.size() <= kShownPrefixesMax) return text;
  return text + fmt::format(" and {} more", prefixes.size() - kShownPrefixesMax);
}

/// Collects the actions of one comparison in their order.
class Differ {
 public:
  Differ(const Desired& desired, const Observed& observed, const DiffOptions& options)
      : desired_(desired),
        observed_(observed),
        now_(options.now),
        exists_(observed.link.kind != LinkKind::absent),
        may_remove_(options.may_remove && observed.complete),
        take_routes_in_(options.take_routes_in),
        moved_(options.moved),
        reasons_(desired, options.members, options.now) {
    for (const DesiredPeer& peer : desired.peers) {
      if (overlays_.contains(peer.overlay) || keys_.contains(peer.key)) continue;
      overlays_.emplace(peer.overlay, &peer);
      keys_.emplace(peer.key, &peer);
      endpoints_.insert(peer.endpoint);
    }
  }

  Plan run() {
    plan_.interface = desired_.interface.name;
    plan_.peers = keys_.size();
    plan_.routes = overlays_.size();
    plan_.hosts_lines = wanted_hosts(desired_, observed_.hosts).size();
    if (observed_.link.kind == LinkKind::other) return std::move(plan_);
    if (exists_) take_over_routes();
    link();
    device();
    up();
    add_address();
    peers();
    add_routes();
    if (auto hosts = diff_hosts(desired_, observed_.hosts, may_remove_, reasons_)) {
      plan_.actions.push_back(std::move(*hosts));
    }
    if (exists_ && may_remove_) removals();
    return std::move(plan_);
  }

 private:
  void add(What what, std::string reason) {
    plan_.actions.push_back({std::move(what), std::move(reason)});
  }

  /// Before the alias: what bears it is known to be in order.
  void take_over_routes() {
    for (const Prefix& route : observed_.unmarked_routes) {
      const bool ours = std::any_of(take_routes_in_.begin(), take_routes_in_.end(),
                                    [&](const Prefix& net) { return net.contains(route.address); });
      if (!ours) continue;
      add(AddRoute{route, true}, "the Go program made it");
      taken_.insert(route);
    }
  }

  void link() {
    const DesiredInterface& wanted = desired_.interface;
    const ObservedLink& is = observed_.link;
    if (!exists_) {
      add(CreateLink{wanted.name, wanted.mtu.value_or(kDefaultMtu)}, "there is no such link");
      return;
    }
    const std::string alias = link_alias(wanted.name);
    if (is.alias != alias) {
      add(SetAlias{alias},
          is.alias.empty() ? "adopted: it bears no alias yet" : "adopted: it bears another alias");
    }
    if (wanted.mtu && is.mtu != *wanted.mtu) add(SetMtu{is.mtu, *wanted.mtu}, "as given by --mtu");
  }

  void device() {
    const DesiredInterface& wanted = desired_.interface;
    ConfigureDevice set;
    std::string reason = "new link";
    if (!wanted.key.is_zero() && (!exists_ || observed_.device_key != wanted.key)) {
      set.key = wanted.key;
    }
    if (wanted.listen_port != 0 && (!exists_ || observed_.listen_port != wanted.listen_port)) {
      set.listen_port = wanted.listen_port;
    }
    if (!set.key && !set.listen_port) return;
    if (exists_) {
      reason.clear();
      if (set.key) {
        reason = observed_.device_key ? "its key is " + observed_.device_key->abbreviated()
                                      : "it has no key";
      }
      if (set.listen_port) {
        reason += reason.empty() ? "it" : ", it";
        reason += observed_.listen_port == 0 ? " has no port"
                                             : fmt::format(" listens on {}", observed_.listen_port);
      }
    }
    add(std::move(set), std::move(reason));
  }

  void up() {
    if (exists_ && observed_.link.up) return;
    const bool ours = exists_ && observed_.link.alias == link_alias(desired_.interface.name);
    const char* reason = ours ? "someone else set it down" : "it is down";
    add(SetLinkUp{}, exists_ ? reason : "new link");
  }

  /// The address of ours, if we have one.
  [[nodiscard]] std::optional<Prefix> own_address() const {
    if (desired_.interface.overlay.is_unspecified()) return std::nullopt;
    return Prefix::host(desired_.interface.overlay);
  }

  void add_address() {
    const auto own = own_address();
    if (!own) return;
    if (exists_ && contains(observed_.addresses, *own)) return;
    add(AddAddress{*own}, exists_ ? "missing on the link" : "new link");
  }

  static bool contains(const std::vector<Prefix>& prefixes, const Prefix& prefix) {
    return std::find(prefixes.begin(), prefixes.end(), prefix) != prefixes.end();
  }

  void peers() {
    std::map<PublicKey, const ObservedPeer*> present;
    if (exists_) {
      for (const ObservedPeer& peer : observed_.peers)
        present.emplace(peer.key, &peer);
    }
    for (const DesiredPeer& peer : desired_.peers) {
      if (!is_first(peer)) continue;
      const auto it = present.find(peer.key);
      if (it == present.end()) {
        add(AddPeer{peer.name, peer.key, peer.endpoint, Prefix::host(peer.overlay),
                    desired_.interface.keepalive_s},
            reasons_.wanted(peer) + ", missing in the device");
      } else {
        update(peer, *it->second);
      }
    }
  }

  /// False for a row whose key or address an earlier row has: a store that was tampered with.
  [[nodiscard]] bool is_first(const DesiredPeer& peer) const {
    const auto it = keys_.find(peer.key);
    return it != keys_.end() && it->second == &peer;
  }

  void update(const DesiredPeer& wanted, const ObservedPeer& is) {
    UpdatePeer update{wanted.name, wanted.key, std::nullopt, std::nullopt};
    std::string reason;
    if (!keeps_exactly(wanted, is)) {
      update.allowed = Prefix::host(wanted.overlay);
      reason = "allowed IPs are " + prefixes_text(is.allowed_ips);
    }
    const bool moved = has_moved(is);
    const bool misplaced = is.endpoint && endpoints_.contains(*is.endpoint);
    if (is.endpoint != wanted.endpoint && (moved || misplaced || !(is.endpoint && is_young(is)))) {
      update.endpoint = wanted.endpoint;
      if (!reason.empty()) reason += "; ";
      reason += is.endpoint ? "endpoint is " + is.endpoint->text() : "it has no endpoint";
      if (moved) {
        reason += ", which it announced before";
      } else if (misplaced) {
        reason += ", where another member is";
      } else if (is.endpoint) {
        reason += is.last_handshake ? ", no handshake for " + reasons_.age(*is.last_handshake)
                                    : ", never a handshake";
      }
    }
    const auto& keepalive = desired_.interface.keepalive_s;
    if (keepalive && is.keepalive_s != *keepalive) {
      update.keepalive_s = keepalive;
      if (!reason.empty()) reason += "; ";
      reason += is.keepalive_s == 0 ? "it has no keepalive"
                                    : fmt::format("its keepalive is {}s", is.keepalive_s);
    }
    if (update.allowed || update.endpoint || update.keepalive_s) {
      add(std::move(update), std::move(reason));
    }
  }

  /// Whether the peer has its one allowed IP, and none besides but those that an action of another
  /// wanted peer takes away from it.
  [[nodiscard]] bool keeps_exactly(const DesiredPeer& wanted, const ObservedPeer& is) const {
    const Prefix own = Prefix::host(wanted.overlay);
    return contains(is.allowed_ips, own) &&
           std::all_of(is.allowed_ips.begin(), is.allowed_ips.end(), [&](const Prefix& prefix) {
             return prefix == own || (prefix.is_host() && overlays_.contains(prefix.address));
           });
  }

  /// Whether the device has it where it was, by what it announced last, and has learned nothing
  /// else.
  [[nodiscard]] bool has_moved(const ObservedPeer& is) const {
    const auto before = moved_.find(is.key);
    return before != moved_.end() && is.endpoint == before->second;
  }

  [[nodiscard]] bool is_young(const ObservedPeer& is) const {
    if (!is.last_handshake) return false;
    const auto age = now_ - *is.last_handshake;
    return age < kHandshakeYoung && -age < kHandshakeYoung;
  }

  void add_routes() {
    const std::set<Prefix> present =
        exists_ ? std::set<Prefix>(observed_.routes.begin(), observed_.routes.end())
                : std::set<Prefix>{};
    for (const auto& [overlay, peer] : overlays_) {
      const Prefix route = Prefix::host(overlay);
      if (present.contains(route) || taken_.contains(route)) continue;
      add(AddRoute{route}, "address of member " + printable(peer->name) + ", no route to it");
    }
  }

  void removals() {
    for (const ObservedPeer& peer : observed_.peers) {
      if (keys_.contains(peer.key)) continue;
      auto [name, reason] = reasons_.unwanted(peer);
      add(RemovePeer{std::move(name), peer.key}, std::move(reason));
    }
    for (const Prefix& route : observed_.routes) {
      if (route.is_host() && overlays_.contains(route.address)) continue;
      add(RemoveRoute{route}, reasons_.unwanted(route.address, "no member has this address"));
    }
    const auto own = own_address();
    const std::string reason = own ? "our address is " + own->text() : "we have no address";
    for (const Prefix& address : observed_.addresses) {
      if (address != own) add(RemoveAddress{address}, reason);
    }
  }

  const Desired& desired_;
  const Observed& observed_;
  WallTime now_;
  bool exists_;
  bool may_remove_;
  std::span<const Prefix> take_routes_in_;
  std::set<Prefix> taken_;
  const std::map<PublicKey, Endpoint>& moved_;
  Reasons reasons_;
  std::map<IpAddress, const DesiredPeer*> overlays_;
  std::set<Endpoint> endpoints_;  ///< that members announce
  std::map<PublicKey, const DesiredPeer*> keys_;
  Plan plan_;
};

}  // namespace

Plan diff(const Desired& desired, const Observed& observed, const DiffOptions& options) {
  return Differ(desired, observed, options).run();
}

}  // namespace wesher::plan
