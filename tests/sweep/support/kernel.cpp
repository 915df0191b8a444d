#include "tests/sweep/support/kernel.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include "os/error.h"

namespace wesher::test {

using namespace system;

namespace {

constexpr std::uint32_t kIndex = 7;

Result<void> refuse(int os_errno) {
  return os::refused("the kernel refuses", os_errno);
}

}  // namespace

std::string KernelState::text() const {
  if (!link) return "no link\n";
  std::string text = fmt::format("link {} {} mtu {} alias \"{}\" {}\n", link->name, link->kind,
                                 link->mtu, link->alias, link->up ? "up" : "down");
  text += fmt::format("device {} port {}\n", key ? key->base64() : "without key", port);
  for (const Prefix& address : addresses)
    text += "address " + address.text() + "\n";
  for (const auto& [key_of_peer, peer] : peers) {
    text += fmt::format("peer {} {}", key_of_peer.base64(),
                        peer.endpoint ? peer.endpoint->text() : "nowhere");
    for (const Prefix& prefix : peer.allowed)
      text += " " + prefix.text();
    text += "\n";
  }
  for (const auto& [destination, protocol] : routes) {
    text += fmt::format("route {} protocol {}\n", destination.text(), protocol);
  }
  return text;
}

/// Links, addresses and routes of the model.
class ModelLinks final : public LinkControl {
 public:
  explicit ModelLinks(Kernel& kernel) : kernel_(kernel) {}

  Result<std::optional<RtLink>> link(const std::string& name) override {
    if (auto asked = kernel_.may(CallKind::dump, "link"); !asked) {
      return tl::unexpected(asked.error());
    }
    const auto& link = kernel_.state.link;
    return link && link->name == name ? link : std::nullopt;
  }

  Result<std::optional<RtLink>> link_with_alias(const std::string& alias) override {
    if (auto asked = kernel_.may(CallKind::dump, "links"); !asked) {
      return tl::unexpected(asked.error());
    }
    const auto& link = kernel_.state.link;
    return link && link->alias == alias ? link : std::nullopt;
  }

  Result<RtDump<RtAddress>> addresses(std::uint32_t index) override {
    RtDump<RtAddress> dump;
    if (auto asked = ask("addresses", dump.complete); !asked) {
      return tl::unexpected(asked.error());
    }
    for (const Prefix& address : kernel_.state.addresses)
      dump.items.push_back({index, address});
    cut(dump);
    return dump;
  }

  Result<RtDump<RtRoute>> routes(std::uint8_t protocol, std::uint32_t index) override {
    RtDump<RtRoute> dump;
    if (auto asked = ask("routes", dump.complete); !asked) return tl::unexpected(asked.error());
    for (const auto& [destination, whose] : kernel_.state.routes) {
      if (protocol != 0 && whose != protocol) continue;
      dump.items.push_back({destination, RT_TABLE_MAIN, whose, RT_SCOPE_LINK, false, {index}});
    }
    cut(dump);
    return dump;
  }

  Result<void> create_wireguard_link(const std::string& name, std::uint32_t mtu) override {
    if (auto may = kernel_.may(CallKind::set, "create link"); !may) return may;
    if (kernel_.state.link) return refuse(EEXIST);
    kernel_.state.link = RtLink{kIndex, name, "wireguard", false, mtu, ""};
    return {};
  }

  Result<void> change_link(std::uint32_t index, const RtLinkChange& change) override {
    if (auto may = kernel_.may(CallKind::set, "change link"); !may) return may;
    if (auto there = exists(index); !there) return there;
    RtLink& link = *kernel_.state.link;
    if (change.mtu) link.mtu = *change.mtu;
    if (change.alias) link.alias = *change.alias;
    if (change.name) link.name = *change.name;
    if (change.set_up) link.up = true;
    if (change.set_down) link.up = false;
    return {};
  }

  Result<void> delete_link(std::uint32_t index) override {
    if (auto may = kernel_.may(CallKind::set, "delete link"); !may) return may;
    if (!exists(index)) return {};
    if (!kernel_.unchanged_.empty()) kernel_.touch("the link was deleted");
    kernel_.state = {};
    return {};
  }

  Result<void> add_address(std::uint32_t index, const Prefix& address) override {
    if (auto may = kernel_.may(CallKind::set, "add address " + address.text()); !may) return may;
    if (auto there = exists(index); !there) return there;
    kernel_.state.addresses.insert(address);
    return {};
  }

  Result<void> delete_address(std::uint32_t index, const Prefix& address) override {
    if (auto may = kernel_.may(CallKind::set, "delete address " + address.text()); !may) return may;
    if (auto there = exists(index); !there) return there;
    if (!kernel_.unchanged_.empty() && address == kernel_.own_address_) {
      kernel_.touch("our address " + address.text() + " was removed");
    }
    kernel_.state.addresses.erase(address);
    // A route needs an address of its family on the link to be chosen as source.
    if (!kernel_.unchanged_.empty() && kernel_.state.addresses.empty()) {
      kernel_.touch("the last address was removed");
    }
    return {};
  }

  std::vector<Result<void>> change_routes(std::uint32_t index,
                                          std::span<const RouteChange> changes) override {
    std::vector<Result<void>> results;
    for (const RouteChange& change : changes)
      results.push_back(change_route(index, change));
    return results;
  }

  [[nodiscard]] std::uint32_t port_id() const override { return 0; }

 private:
  Result<void> ask(const std::string& what, bool& complete) {
    bool halved = false;
    auto asked = kernel_.may(CallKind::dump, what, &halved);
    complete = !halved;
    return asked;
  }

  /// Of an interrupted dump the first half is there.
  template <class T>
  static void cut(RtDump<T>& dump) {
    if (!dump.complete) dump.items.resize(dump.items.size() / 2);
  }

  Result<void> exists(std::uint32_t index) const {
    return kernel_.state.link && index == kIndex ? Result<void>() : refuse(ENODEV);
  }

  Result<void> change_route(std::uint32_t index, const RouteChange& change) {
    const std::string what = change.destination.text();
    if (auto may = kernel_.may(CallKind::set, (change.add ? "add" : "delete") + (" route " + what));
        !may) {
      return may;
    }
    if (auto there = exists(index); !there) return there;
    auto& routes = kernel_.state.routes;
    const auto at = routes.find(change.destination);
    const bool ours = at != routes.end() && at->second == kRouteProtocol;
    if (change.add) {
      if (at != routes.end() && change.takes_over) {
        at->second = kRouteProtocol;
        return {};
      }
      if (at != routes.end()) return ours ? Result<void>() : refuse(EEXIST);
      if (!kernel_.state.link->up) return refuse(ENETDOWN);
      routes.emplace(change.destination, kRouteProtocol);
      return {};
    }
    if (!ours) return {};
    for (const UnchangedPeer& peer : kernel_.unchanged_) {
      if (peer.allowed == change.destination) kernel_.touch("route " + what + " was removed");
    }
    routes.erase(at);
    return {};
  }

  Kernel& kernel_;
};

/// WireGuard of the model. A message with several peers is one request, in which the kernel stops
/// at the first peer that it refuses; each is then tried alone, as KernelWg does it.
class ModelWireguard final : public WgControl {
 public:
  ModelWireguard(Kernel& kernel, std::string interface)
      : kernel_(kernel), interface_(std::move(interface)) {}

  [[nodiscard]] std::string_view text() const override { return "kernel WireGuard"; }

  Result<WgDevice> get() override {
    bool halved = false;
    if (auto asked = kernel_.may(CallKind::dump, "device", &halved); !asked) {
      return tl::unexpected(asked.error());
    }
    if (!kernel_.state.link) return os::refused("no device", ENODEV);
    WgDevice device;
    device.key = kernel_.state.key;
    device.listen_port = kernel_.state.port;
    for (const auto& [key, peer] : kernel_.state.peers) {
      ObservedPeer seen;
      seen.key = key;
      seen.endpoint = peer.endpoint;
      seen.allowed_ips.assign(peer.allowed.begin(), peer.allowed.end());
      if (peer.session) seen.last_handshake = kernel_.now - std::chrono::minutes(1);
      device.peers.push_back(std::move(seen));
    }
    device.complete = !halved;
    if (halved) device.peers.resize(device.peers.size() / 2);
    return device;
  }

  Result<SecretKey> private_key() override {
    if (auto asked = kernel_.may(CallKind::dump, "private key"); !asked) {
      return tl::unexpected(asked.error());
    }
    const auto& bytes = kernel_.state.private_key;
    if (!bytes) return fail(Errc::not_found, "it has none");
    return SecretKey(*bytes);
  }

  Result<void> create(std::uint32_t mtu) override {
    return ModelLinks(kernel_).create_wireguard_link(interface_, mtu);
  }

  Result<void> set_device(const SecretKey* private_key,
                          std::optional<std::uint16_t> listen_port) override {
    if (auto may = kernel_.may(CallKind::set, "device"); !may) return may;
    if (!kernel_.state.link) return refuse(ENODEV);
    KernelState& state = kernel_.state;
    const bool flows = !kernel_.unchanged_.empty();
    if (private_key != nullptr) {
      const PublicKey key = x25519_public(*private_key);
      if (flows && state.key != key) kernel_.touch("the key of the device was changed");
      state.key = key;
      state.private_key = private_key->bytes();
      state.peers.erase(key);
    }
    if (listen_port) {
      if (flows && state.port != *listen_port) kernel_.touch("the port was changed");
      state.port = *listen_port;
    }
    return {};
  }

  std::vector<Result<void>> set_peers(std::span<const WgPeerChange> changes) override {
    std::vector<Result<void>> results(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      results[i] = kernel_.set_peer(changes[i]);
      if (results[i] || changes.size() == 1) continue;
      for (std::size_t k = 0; k < changes.size(); ++k)
        results[k] = kernel_.set_peer(changes[k]);
      break;
    }
    return results;
  }

  Result<void> clear_peers() override {
    if (auto may = kernel_.may(CallKind::set, "clear peers"); !may) return may;
    if (!kernel_.unchanged_.empty()) kernel_.touch("all peers were replaced");
    kernel_.state.peers.clear();
    return {};
  }

 private:
  Kernel& kernel_;
  std::string interface_;
};

void Kernel::protect(std::vector<UnchangedPeer> peers, const Prefix& own_address) {
  unchanged_ = std::move(peers);
  own_address_ = own_address;
}

std::unique_ptr<LinkControl> Kernel::links() {
  return std::make_unique<ModelLinks>(*this);
}

std::unique_ptr<WgControl> Kernel::wireguard(const std::string& interface) {
  return std::make_unique<ModelWireguard>(*this, interface);
}

Result<void> Kernel::may(CallKind kind, const std::string& what, bool* halved) {
  const Verdict verdict = faults_.next(kind, what);
  if (verdict.os_errno != 0) return refuse(verdict.os_errno);
  if (halved != nullptr) *halved = verdict.halve;
  return {};
}

const UnchangedPeer* Kernel::unchanged(const PublicKey& key) const {
  const auto found = std::find_if(unchanged_.begin(), unchanged_.end(),
                                  [&](const UnchangedPeer& peer) { return peer.key == key; });
  return found == unchanged_.end() ? nullptr : &*found;
}

void Kernel::move_allowed(const PublicKey& to, const Prefix& prefix) {
  for (auto& [key, peer] : state.peers) {
    if (key == to || peer.allowed.erase(prefix) == 0) continue;
    if (const UnchangedPeer* const whose = unchanged(key); whose && whose->allowed == prefix) {
      touch("peer " + key.abbreviated() + " lost " + prefix.text());
    }
  }
  state.peers[to].allowed.insert(prefix);
}

Result<void> Kernel::set_peer(const WgPeerChange& change) {
  const std::string name = change.key.abbreviated();
  if (auto asked = may(CallKind::set, "peer " + name); !asked) return asked;
  if (!state.link) return refuse(ENODEV);
  const bool there = state.peers.contains(change.key);
  const bool flows = unchanged(change.key) != nullptr && there;
  if (change.verb == WgPeerVerb::remove) {
    if (flows) touch("peer " + name + " was removed");
    state.peers.erase(change.key);
    return {};
  }
  if (change.key == state.key) return {};                      // taken, and ignored
  if (change.verb == WgPeerVerb::update && !there) return {};  // the same
  KernelPeer& peer = state.peers[change.key];
  if (change.replace_allowed) {
    if (flows) touch("the allowed IPs of peer " + name + " were replaced");
    peer.allowed.clear();
  }
  if (change.endpoint) {
    if (flows && peer.endpoint != change.endpoint)
      touch("the endpoint of peer " + name + " was set");
    peer.endpoint = change.endpoint;
  }
  for (const Prefix& prefix : change.allowed)
    move_allowed(change.key, prefix);
  return {};
}

}  // namespace wesher::test
