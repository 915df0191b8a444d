#include "daemon/identity.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "mesh/overlay_address.h"
#include "wire/limits.h"

namespace wesher::daemon {

namespace {

/// Puts the given key into the ring as architecture 8 says: an unknown one becomes the sending key,
/// one that the ring knows as older than its newest is ignored.
void apply_given_key(Identity& identity, const SecretKey& given) {
  auto& ring = identity.keys.ring;
  const auto known = std::find_if(ring.begin(), ring.end(),
                                  [&](const auto& entry) { return entry.key.same_as(given); });
  if (known == ring.begin() && !ring.empty()) return;
  if (known != ring.end()) {
    identity.warnings.push_back(fmt::format(
        "the cluster key given ({}) is older than the newest one of this node ({}); it is ignored. "
        "Take it out of the configuration",
        cluster_fingerprint(given), cluster_fingerprint(ring.front().key)));
    return;
  }
  std::uint32_t newest = 0;
  for (const auto& entry : ring)
    newest = std::max(newest, entry.generation);
  if (!ring.empty()) {
    identity.lifecycle.push_back(fmt::format(
        "cluster key changed by configuration: sending with {} from now on, the old one "
        "still decrypts",
        cluster_fingerprint(given)));
  }
  ring.insert(ring.begin(), store::ClusterKey{newest + 1, given.copy()});
}

Result<void> choose_overlay(Identity& identity, const Options& options, WallTime now) {
  auto& keys = identity.keys;
  if (keys.overlay && options.overlay_net.contains(*keys.overlay)) {
    identity.overlay = *keys.overlay;
    return {};
  }
  const auto address = mesh::overlay_address(keys.node_name, options.overlay_net);
  if (!address) return tl::unexpected(address.error());
  if (keys.overlay) {
    identity.lifecycle.push_back(fmt::format("overlay network is {} now: address moved {} -> {}",
                                             options.overlay_net.text(), keys.overlay->text(),
                                             address->text()));
  }
  identity.overlay = *address;
  keys.overlay = *address;
  keys.overlay_net = options.overlay_net;
  keys.claim_time = now;
  return {};
}

/// After a clock that went back, peers would refuse every handshake under the old key.
void renew_key_after_clock_step(Identity& identity, WallTime now) {
  auto& keys = identity.keys;
  if (now + kClockStepTolerated < keys.highest_time) {
    identity.lifecycle.push_back(
        fmt::format("the clock went back from {} to {}: a new WireGuard key is made, peers would "
                    "refuse the old "
                    "one",
                    rfc3339(keys.highest_time), rfc3339(now)));
    keys.wireguard_private = store::make_key_file(std::nullopt, now).wireguard_private.copy();
    keys.highest_time = now;  // nobody has seen a handshake of the new key
  }
  keys.highest_time = std::max(keys.highest_time, now);
}

void reserve_incarnations(Identity& identity) {
  auto& end = identity.keys.incarnation_end;
  identity.incarnation_first = std::max<std::uint32_t>(end, 1);
  const std::uint32_t room = limits::kIncarnationMax - identity.incarnation_first;
  end = identity.incarnation_first + std::min(room, kIncarnationBlock);
}

}  // namespace

Result<std::string> choose_name(const Options& options, const std::string& hostname) {
  const std::string& name = options.node_name.empty() ? hostname : options.node_name;
  const std::string shown = printable(name);
  static constexpr std::string_view kRemedy = "give this node a name with --node-name NAME";
  if (name.empty() || name == "(none)") {
    return fail(Errc::malformed, fmt::format("this host has no hostname: set one, or {}", kRemedy));
  }
  if (name == "localhost" || name.starts_with("localhost.")) {
    return fail(Errc::malformed, fmt::format("the hostname {} names every host: set another, or {}",
                                             shown, kRemedy));
  }
  if (!is_valid_hostname(name)) {
    return fail(Errc::malformed,
                fmt::format("'{}' is not a hostname (letters, digits, inner hyphens and dots): set "
                            "another, or {}",
                            shown, kRemedy));
  }
  return name;
}

Result<Identity> load_identity(const store::Paths& paths,
                               const Options& options,
                               const std::string& name,
                               StoredState stored,
                               WallTime now) {
  Identity identity;
  const bool fresh = stored == StoredState::fresh;
  auto loaded = fresh ? Result<store::KeyFile>(fail(Errc::not_found, ""))
                      : store::load_key_file(paths.key_file());
  if (loaded) {
    identity.keys = std::move(*loaded);
    if (options.cluster_key) apply_given_key(identity, *options.cluster_key);
  } else if (loaded.error().code != Errc::not_found) {
    return tl::unexpected(loaded.error());
  } else {
    if (!options.join.empty() && !options.cluster_key && !fresh) {
      return fail(Errc::malformed,
                  "--join needs the key of that cluster: give it with --cluster-key-file FILE or "
                  "--cluster-key KEY (a member shows it with: wesher key show)");
    }
    identity.first_start = true;
    identity.new_cluster = !options.cluster_key;
    std::optional<SecretKey> given;
    if (options.cluster_key) given = options.cluster_key->copy();
    identity.keys = store::make_key_file(std::move(given), now);
  }

  auto& keys = identity.keys;
  if (!keys.node_name.empty() && keys.node_name != name) {
    identity.lifecycle.push_back(
        fmt::format("this host was {} and is {} now: keys and overlay address are kept",
                    printable(keys.node_name), printable(name)));
  }
  keys.node_name = name;
  if (auto chosen = choose_overlay(identity, options, now); !chosen) {
    return tl::unexpected(chosen.error());
  }
  renew_key_after_clock_step(identity, now);
  reserve_incarnations(identity);
  return identity;
}

}  // namespace wesher::daemon
