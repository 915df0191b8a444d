// From options to everything the loops need: checks first, in an order in which a refused first
// start has changed nothing; then key file, then database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>

#include "base/error.h"
#include "daemon/announce.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/reconciler.h"
#include "daemon/seed_resolver.h"
#include "daemon/sockets.h"
#include "store/lock.h"

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
  std::vector<Endpoint> device_seeds;  ///< adopt mode: where the peers in the device are
  bool first_start = false;
  std::optional<Network> network;  ///< made already at a first start
};

/// Everything up to the first pass.
[[nodiscard]] Result<Startup> start_up(const Options& options, asio::io_context& io, Log& log);

/// Chooses the announced address and binds the gossip port.
[[nodiscard]] Result<Network> open_network(const Options& options,
                                           const IpAddress& own_overlay,
                                           asio::io_context& io);

}  // namespace wesher::daemon
