#include "daemon/identity.h"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

#include "base/text.h"
#include "mesh/epochs.h"
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

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// Whether it is the address of the network itself, which members take from the name alone that the
/// Go program gives it to: a host that was renamed can't keep it.
bool is_of_another_name(const IpAddress& address, const Options& options, const std::string& name) {
  if (!mesh::is_network_address(address, options.overlay_net)) return false;
  const auto by_rule = mesh::overlay_address(name, options.overlay_net);
  return !by_rule || *by_rule != address;
}

/// The claim of the key file as long as it is in the network, else the address that the Go program
/// would give us. What is taken already, or to be a certain one, the mesh decides.
Result<void> choose_overlay(Identity& identity, const Options& options, const IdentityHost& host) {
  auto& keys = identity.keys;
  const bool inside = keys.overlay && options.overlay_net.contains(*keys.overlay);
  if (inside && !is_of_another_name(*keys.overlay, options, keys.node_name)) {
    identity.overlay = keys.overlay;
    if (!options.allow_overlap && contains(host.addresses, *keys.overlay)) {
      identity.warnings.push_back(fmt::format(
          "our overlay address {} is an address, a gateway or a resolver of this host, too; it is "
          "kept. Remedy: 'wesher leave', then start again, or --allow-overlap",
          keys.overlay->text()));
    }
    return {};
  }
  const auto address = mesh::overlay_address(keys.node_name, options.overlay_net);
  if (!address) return tl::unexpected(address.error());
  const bool free =
      !options.overlay_ip && (options.allow_overlap || !contains(host.addresses, *address));
  if (keys.overlay) {
    const std::string why =
        inside ? fmt::format("{} is the address of the network, and no member takes that from {}",
                             keys.overlay->text(), printable(keys.node_name))
               : fmt::format("overlay network is {} now", options.overlay_net.text());
    identity.lifecycle.push_back(fmt::format("{}: address moved {} -> {}", why,
                                             keys.overlay->text(),
                                             free ? address->text() : "another one"));
  }
  if (free) identity.overlay = *address;
  keys.overlay = identity.overlay;
  keys.overlay_net = free ? std::optional(options.overlay_net) : std::nullopt;
  keys.claim_time = {};
  return {};
}

/// When this program was built: a clock that stands before that is wrong.
WallTime build_time() {
  return WallTime{std::chrono::seconds{WESHER_BUILD_EPOCH}};
}

/// When a claim is dated that was made by a clock that stands before the build of this program, as
/// on a board without one: behind every honest claim, so that it drives nobody off an address.
constexpr std::chrono::days kClocklessClaim{20 * 365};

/// The claim time, and whether it is to be taken anew. A claim that nobody heard of for longer than
/// members remember each other is not older than one that was made meanwhile.
void date_claim(Identity& identity, const Options& options, WallTime now) {
  const auto& keys = identity.keys;
  const bool forgotten =
      now - keys.highest_time > options.failed_retention.value_or(kFailedRetention);
  identity.claim_is_new = keys.claim_time == WallTime{} || forgotten;
  const WallTime fresh =
      now < build_time() ? build_time() + kClocklessClaim : std::max(now, keys.newest_claim);
  identity.claimed = identity.claim_is_new ? fresh : keys.claim_time;
}

/// Two hosts with one key disturb each other for ever. Another machine id means that the state was
/// copied, or moved with its disk or a backup: the mesh finds out which by asking, and says when
/// this host is to become somebody else.
void renew_copied_state(Identity& identity, bool renew, const IdentityHost& host, WallTime now) {
  auto& keys = identity.keys;
  const std::string mark =
      host.machine_id.empty() ? "" : store::machine_mark(host.machine_id, keys.id);
  const bool other_machine = !mark.empty() && !keys.machine.empty() && mark != keys.machine;
  if (renew) {
    store::KeyFile fresh = store::make_key_file(std::nullopt, now);
    keys.wireguard_private = std::move(fresh.wireguard_private);
    keys.identity_seed = std::move(fresh.identity_seed);
    keys.overlay.reset();
    keys.overlay_net.reset();
    keys.claim_time = {};
  } else if (other_machine) {
    identity.lifecycle.emplace_back(
        "the state comes from another machine: keys and overlay address are kept unless that one "
        "answers in the mesh");
  }
  if (!mark.empty()) keys.machine = mark;
}

std::uint64_t draw_instance() {
  std::uint64_t instance = 0;
  randombytes_buf(&instance, sizeof instance);
  return instance;
}

void reserve_epochs(Identity& identity, WallTime now) {
  auto& end = identity.keys.epoch_end;
  identity.epoch_first = mesh::epoch_block_start(end, now);
  end = mesh::epoch_block_end(identity.epoch_first);
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

/// Of a node that never ran under this program.
Result<void> make_identity(Identity& identity,
                           const store::Paths& paths,
                           const Options& options,
                           StoredState stored,
                           WallTime now) {
  std::optional<SecretKey> key;
  if (options.cluster_key) key = options.cluster_key->copy();
  if (stored == StoredState::use) {
    auto taken = take_over_go_state(paths, key, identity.lifecycle, identity.warnings);
    if (!taken) return tl::unexpected(taken.error());
    identity.go = std::move(*taken);
    if (!options.join.empty() && !key) {
      return fail(Errc::malformed,
                  "--join needs the key of that cluster: give it with --cluster-key-file FILE or "
                  "--cluster-key KEY (a member shows it with: wesher key show)");
    }
  }
  identity.first_start = true;
  identity.new_cluster = !key;
  identity.keys = store::make_key_file(std::move(key), now);
  if (identity.go) identity.keys.meta_format = identity.go->format;
  return {};
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
                               WallTime now,
                               const IdentityHost& host) {
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
    if (auto made = make_identity(identity, paths, options, stored, now); !made) {
      return tl::unexpected(made.error());
    }
  }

  auto& keys = identity.keys;
  if (!keys.node_name.empty() && keys.node_name != name) {
    identity.lifecycle.push_back(
        fmt::format("this host was {} and is {} now: keys and overlay address are kept",
                    printable(keys.node_name), printable(name)));
  }
  keys.node_name = name;
  renew_copied_state(identity, options.renew_identity, host, now);
  if (auto chosen = choose_overlay(identity, options, host); !chosen) {
    return tl::unexpected(chosen.error());
  }
  if (options.meta_format) keys.meta_format = *options.meta_format;
  date_claim(identity, options, now);
  identity.instance = draw_instance();
  renew_key_after_clock_step(identity, now);
  reserve_incarnations(identity);
  reserve_epochs(identity, now);
  return identity;
}

}  // namespace wesher::daemon
