#include "daemon/go_takeover.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "mesh/overlay_address.h"
#include "store/files.h"
#include "store/go_state.h"

namespace wesher::daemon {

namespace {

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// How to go on without that file.
std::string ways_on(const store::Paths& paths) {
  return "Nothing was changed. Restore the file, or give the cluster's key with "
         "--cluster-key-file FILE and a member with --join, or start a new cluster with: " +
         store::reset_command(paths.key_file());
}

}  // namespace

Result<std::optional<GoHeritage>> take_over_go_state(const store::Paths& paths,
                                                     std::optional<SecretKey>& key,
                                                     std::vector<std::string>& lifecycle,
                                                     std::vector<std::string>& warnings) {
  auto found = store::find_go_state(paths);
  if (!found) {
    Error error = std::move(found.error());
    if (!key) {
      error.detail += ". " + ways_on(paths);
      return tl::unexpected(std::move(error));
    }
    warnings.push_back(error.detail + ". It is left as it is, its nodes are not asked");
    return std::nullopt;
  }
  if (!*found) return std::nullopt;
  store::GoState& state = (*found)->state;
  const std::string path = printable((*found)->path);
  if (!key && !state.cluster_key) {
    return fail(Errc::state_unusable,
                fmt::format("{}, the state of the Go program, has no cluster key of 32 bytes. {}",
                            path, ways_on(paths)));
  }
  GoHeritage heritage{(*found)->path, {}, state.format.value_or(MetaFormat::f2)};
  for (const store::GoNode& node : state.nodes)
    heritage.nodes.push_back(node.address);
  const std::string nodes = counted(heritage.nodes.size(), "node");
  if (!key) {
    key = std::move(state.cluster_key);
    lifecycle.push_back(fmt::format(
        "taken over from the Go program: the cluster key and {} of {}, which stays as it is", nodes,
        path));
  } else {
    const bool same = state.cluster_key && state.cluster_key->same_as(*key);
    lifecycle.push_back(
        fmt::format("taken over from the Go program: {} of {}, which stays as it "
                    "is{}",
                    nodes, path, same ? "" : "; its cluster key gives way to the one given"));
  }
  if (state.left_out > 0) {
    warnings.push_back(fmt::format("{}: {} without a usable address left out", path,
                                   counted(state.left_out, "node")));
  }
  return heritage;
}

std::vector<IpAddress> go_nodes_of(const store::Paths& paths, const store::KeyFile& keys) {
  std::vector<IpAddress> nodes;
  const auto found = store::find_go_state(paths);
  if (!found || !*found || !(*found)->state.cluster_key) return nodes;
  const bool ours = std::any_of(keys.ring.begin(), keys.ring.end(), [&](const auto& known) {
    return known.key.same_as(*(*found)->state.cluster_key);
  });
  if (!ours) return nodes;
  for (const store::GoNode& node : (*found)->state.nodes)
    nodes.push_back(node.address);
  return nodes;
}

std::vector<Endpoint> go_seeds(const std::vector<IpAddress>& nodes, std::uint16_t cluster_port) {
  std::vector<Endpoint> seeds;
  for (const IpAddress& node : nodes)
    seeds.push_back({node, cluster_port});
  return seeds;
}

std::optional<plan::GoDevice> go_device(const Options& options, const std::string& name) {
  const auto address = mesh::overlay_address(name, options.overlay_net);
  if (!address) return std::nullopt;
  return plan::GoDevice{*address, options.wireguard_port};
}

Result<void> take_over_go_device(system::DataPlane& data_plane,
                                 const Observed& observed,
                                 store::KeyFile& keys,
                                 std::vector<std::string>& lifecycle) {
  if (observed.device_key) {
    auto key = data_plane.private_key();
    if (!key) return tl::unexpected(key.error());
    if (x25519_public(*key) != *observed.device_key) {
      return fail(Errc::busy,
                  "the WireGuard interface is being changed by someone else; try again");
    }
    keys.wireguard_private = std::move(*key);
  }
  lifecycle.push_back(fmt::format(
      "taken over from the Go program: its WireGuard interface with key, {} and {}; nothing of it "
      "goes before the mesh has confirmed what is wanted",
      counted(observed.peers.size(), "peer"), counted(observed.unmarked_routes.size(), "route")));
  return {};
}

}  // namespace wesher::daemon
