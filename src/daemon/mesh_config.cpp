#include "daemon/mesh_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/name_list.h"
#include "base/text.h"
#include "mesh/overlay_candidates.h"
#include "system/host.h"

namespace wesher::daemon {

namespace {

/// --test-timers: the same logic, faster.
void divide_timers(mesh::Config& config, std::uint32_t by) {
  gossip::Config& gossip = config.gossip;
  for (Duration* interval :
       {&gossip.probe_interval, &gossip.probe_timeout, &gossip.gossip_interval,
        &gossip.push_pull_interval, &gossip.gossip_to_the_dead, &gossip.relay_nack_after,
        &config.failed_retention, &config.left_retention, &config.reconnect_interval,
        &config.seed_retry_first, &config.seed_retry_max, &config.format_patience}) {
    *interval /= by;
  }
  if (config.takeover_after) *config.takeover_after /= by;
}

}  // namespace

mesh::Config mesh_config(const Options& options,
                         const Identity& identity,
                         const store::SelfRow& self) {
  const store::KeyFile& keys = identity.keys;
  mesh::Config config;
  config.gossip.name = keys.node_name;
  config.gossip.port = options.advertise_port.value_or(options.cluster_port);
  config.gossip.incarnation_first = identity.incarnation_first;
  config.gossip.incarnation_end = keys.incarnation_end;
  config.gossip.allow_loopback = options.allow_loopback;
  config.own = {identity.overlay.value_or(IpAddress{}), self.key, keys.meta_format};
  config.overlay_net = options.overlay_net;
  config.accepted_nets = options.accepted_nets();
  config.cluster = self.cluster;
  config.identity_seed = keys.identity_seed.copy();
  config.epoch_first = identity.epoch_first;
  config.epoch_end = keys.epoch_end;
  config.instance = identity.instance;
  config.claimed = identity.claimed;
  config.claim_is_new = identity.claim_is_new;
  config.checks_unsigned = true;
  config.format_is_fixed = options.meta_format.has_value();
  config.fixed_overlay = options.overlay_ip;
  if (!options.allow_overlap) {
    config.host_addresses = system::occupied_addresses(options.interface);
  }
  config.takeover_after = options.takeover_after;
  config.failed_retention = options.failed_retention.value_or(kFailedRetention);
  config.retention_by_lifetime = !options.failed_retention;
  config.static_members = options.static_members;
  if (options.timers_divided_by > 1) divide_timers(config, options.timers_divided_by);
  return config;
}

std::string kept_out_text(const mesh::Notice& notice,
                          const Options& options,
                          const std::string& own_name) {
  if (notice.severity == mesh::Severity::debug || notice.severity == mesh::Severity::info) {
    return "";
  }
  if (notice.group == "pool-full") {
    const auto pool = mesh::OverlayCandidates::of(own_name, options.overlay_net);
    const std::uint64_t usable = pool ? pool->size() : 0;
    return fmt::format("{} is full ({} of {})", options.overlay_net.text(), usable, usable);
  }
  if (notice.group == "name-conflict") return fmt::format("the name {} is taken", own_name);
  if (notice.group == "address-conflict" && options.overlay_ip) {
    return fmt::format("--overlay-ip {} is taken", options.overlay_ip->text());
  }
  return "";
}

std::string forgotten_text(const std::vector<std::string>& names, Duration older) {
  static constexpr std::size_t kShownMax = 20;
  if (names.empty()) return fmt::format("no member failed longer than {} ago", age_text(older));
  const std::string text = names.size() == 1
                               ? "1 member is forgotten: "
                               : fmt::format("{} members are forgotten: ", names.size());
  std::vector<std::string> shown;
  for (const std::string& name : names)
    shown.push_back(printable(name));
  return text + name_list(shown, kShownMax);
}

}  // namespace wesher::daemon
