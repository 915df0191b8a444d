// From options to everything the loops need: checks first, in an order in which a refused first
// start has changed nothing; then key file, then database.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>

#include "base/error.h"
#include "base/time.h"
#include "daemon/announce.h"
#include "daemon/identity.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/reconciler.h"
#include "daemon/seed_resolver.h"
#include "daemon/sockets.h"
#include "store/lock.h"
#include "system/data_plane.h"

namespace wesher::daemon {

/// What the gossip loop needs of the network; with stored state it is tried again until it is
/// there.
struct Network {
  Announced announced;
  GossipSockets sockets;
};

struct Startup {
  store::Lock lock;
  ReconcilerParts parts;
  std::vector<JoinEntry> join;
  /// Besides `join`: where the peers in the device are, in adopt mode; the nodes of the Go
  /// program's state.
  std::vector<Endpoint> found_seeds;
  bool first_start = false;
  bool adopts_device = false;      ///< a first start on the device that the Go program left
  std::optional<Network> network;  ///< made already at a first start
};

/// What a start asks of the host that it is on, besides the files of its state.
struct StartHost {
  std::function<Moment()> now;
  std::function<Result<std::unique_ptr<system::DataPlane>>(const system::DataPlaneConfig&)>
      open_data_plane;
  /// Address and ports of a node that never ran, which has its interface as `observed` and has
  /// chosen its overlay address, or none (unspecified). Nothing: gossip is opened later.
  std::function<Result<std::optional<Network>>(const Observed& observed,
                                               const IpAddress& own_overlay)>
      first_network;
  IdentityHost identity{};
};

/// Everything up to the first pass.
[[nodiscard]] Result<Startup> start_up(const Options& options, asio::io_context& io, Log& log);
/// The same on any host.
[[nodiscard]] Result<Startup> start_up(const Options& options, const StartHost& host, Log& log);

/// Chooses the announced address and binds the gossip port.
[[nodiscard]] Result<Network> open_network(const Options& options,
                                           const IpAddress& own_overlay,
                                           asio::io_context& io);

}  // namespace wesher::daemon
