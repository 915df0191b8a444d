#include "daemon/agent.h"

#include <cstdio>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/gossip_loop.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/reconciler.h"
#include "daemon/startup.h"
#include "store/reset.h"

namespace wesher::daemon {

namespace {

constexpr std::chrono::seconds kProbeMax{2};        ///< seeds are asked before we announce
constexpr std::chrono::seconds kProbeMaxFirst{10};  ///< at a very first start with --join
constexpr std::chrono::seconds kLeaveMax{10};       ///< as the Go program's Leave(10 s)

class Agent {
 public:
  Agent(const Options& options, Log& log) : options_(options), log_(log) {}

  Exit run();

 private:
  void announce_start(const Startup& startup);
  [[nodiscard]] bool open_gossip(Result<Network> network);
  void retry_network();
  mesh::Mesh make_mesh(const Announced& announced);
  void wait_for_signal();
  void begin_stop(StopKind kind);
  void finish_stop(std::size_t told);
  Exit refuse(const Error& error);

  const Options& options_;
  Log& log_;
  Notifier notifier_;
  asio::io_context io_{1};
  asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer retry_timer_{io_};
  Rng rng_ = system_rng();
  Backoff retry_{std::chrono::seconds{2}, std::chrono::seconds{30}};
  std::optional<store::Lock> lock_;
  std::vector<JoinEntry> join_;
  std::vector<Endpoint> device_seeds_;
  std::vector<Member> restored_;  ///< members of the database, until the mesh takes them over
  bool first_start_ = false;
  gossip::Config gossip_config_;
  wire::Keyring keyring_;
  NodeMeta own_meta_;
  std::string cluster_;
  bool announce_mapped_ = false;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<GossipLoop> gossip_;
  std::optional<StopKind> stopping_;
  bool finished_ = false;
};

Exit Agent::refuse(const Error& error) {
  log_.error(error.detail);
  return exit_for(error.code);
}

Exit Agent::run() {
  auto startup = start_up(options_, io_, log_);
  if (!startup) return refuse(startup.error());
  first_start_ = startup->first_start;
  join_ = startup->join;
  device_seeds_ = startup->device_seeds;
  lock_ = std::move(startup->lock);
  const Identity& identity = startup->parts.identity;
  const store::Paths paths = startup->parts.paths;
  gossip_config_.name = identity.keys.node_name;
  gossip_config_.port = options_.cluster_port;
  gossip_config_.incarnation_first = identity.incarnation_first;
  gossip_config_.incarnation_end = identity.keys.incarnation_end;
  gossip_config_.allow_loopback = options_.allow_loopback;
  for (const auto& entry : identity.keys.ring)
    (void)keyring_.add(entry.key.bytes());
  own_meta_ = {identity.overlay, startup->parts.self.key, identity.keys.meta_format};
  cluster_ = startup->parts.self.cluster;
  announce_mapped_ = identity.keys.announce_mapped;
  announce_start(*startup);

  auto network = std::move(startup->network);
  reconciler_ = std::make_unique<Reconciler>(std::move(startup->parts), log_, notifier_);
  if (const auto passed = reconciler_->first_pass(); !passed && first_start_) {
    // Nobody has heard of this node yet: leave nothing behind.
    reconciler_->abandon();
    (void)store::reset_state(paths);
    return refuse(passed.error());
  } else if (!passed && !reconciler_->loaded()) {
    return refuse(passed.error());
  }
  for (const auto& [name, member] : reconciler_->members())
    restored_.push_back(member);
  reconciler_->run({[this](std::uint32_t end) {
                      asio::post(io_, [this, end] {
                        if (gossip_) gossip_->incarnations_reserved(end);
                      });
                    },
                    [this] { asio::post(io_, [this] { begin_stop(StopKind::resign); }); },
                    [this](PublicKey key) {
                      asio::post(io_, [this, key] {
                        own_meta_.key = key;
                        if (gossip_) gossip_->key_changed(key);
                      });
                    }});
  wait_for_signal();
  if (network) {
    (void)open_gossip(std::move(*network));
  } else {
    retry_network();
  }
  io_.run();
  return Exit::ok;
}

/// The lines that say who this is, at every log level.
void Agent::announce_start(const Startup& startup) {
  const Identity& identity = startup.parts.identity;
  const auto& self = startup.parts.self;
  for (const std::string& line : identity.lifecycle)
    log_.lifecycle(line);
  for (const std::string& line : identity.warnings)
    log_.warn(line);
  const std::string who = fmt::format("{} is {} on {} ({})", self.name, self.overlay.text(),
                                      self.interface, self.backend);
  if (!identity.new_cluster) {
    log_.lifecycle(fmt::format("{}, cluster {}", who, self.cluster));
    return;
  }
  const bool on_terminal = ::isatty(STDOUT_FILENO) == 1;
  if (on_terminal) {
    std::printf("new cluster key generated: %s\n",
                identity.keys.ring.front().key.reveal_base64().c_str());
    std::fflush(stdout);
    log_.lifecycle(fmt::format("new cluster {}, no --join was given; {}", self.cluster, who));
  } else {
    log_.lifecycle(fmt::format(
        "new cluster {}: no --join, no stored state. Show its key with: sudo wesher key show",
        self.cluster));
    log_.lifecycle(who);
  }
}

mesh::Mesh Agent::make_mesh(const Announced& announced) {
  mesh::Config config;
  config.gossip = gossip_config_;
  config.gossip.address = announced_bytes(announced.address, announce_mapped_);
  config.own = own_meta_;
  config.overlay_net = options_.overlay_net;
  config.cluster = cluster_;
  return {std::move(config), std::move(keyring_), system_rng(), std::move(restored_), now()};
}

bool Agent::open_gossip(Result<Network> network) {
  if (!network) {
    log_.line(LogLevel::warn, "network", network.error().detail);
    return false;
  }
  const Announced& announced = network->announced;
  if (!announced.warning.empty()) log_.warn(announced.warning);
  log_.lifecycle(fmt::format("listening on {} (TCP, UDP) and {} (UDP), announcing {}",
                             options_.cluster_port, options_.wireguard_port,
                             announced.address.text()));
  if (first_start_ && join_.empty()) {
    log_.lifecycle(fmt::format("next host:  wesher --cluster-key-file FILE --join {}",
                               announced.address.text()));
  }
  reconciler_->announcing(announced.address.text());
  gossip_ = std::make_unique<GossipLoop>(
      io_, std::move(network->sockets), make_mesh(announced), join_, device_seeds_, log_,
      GossipLoopHandlers{
          [this](mesh::Fact fact, WallTime at) { reconciler_->push(std::move(fact), at); },
          [this](std::size_t told) { asio::post(io_, [this, told] { finish_stop(told); }); }});
  gossip_->start(first_start_ && !join_.empty() ? kProbeMaxFirst : kProbeMax);
  return true;
}

/// With stored state, trouble with ports or addresses is a retry behind a working data plane.
void Agent::retry_network() {
  if (stopping_) return;
  if (open_gossip(open_network(options_, own_meta_.overlay, io_))) return;
  retry_timer_.expires_after(retry_.next(rng_));
  retry_timer_.async_wait([this](std::error_code ec) {
    if (!ec) retry_network();
  });
}

void Agent::wait_for_signal() {
  signals_.async_wait([this](std::error_code ec, int number) {
    if (ec) return;
    if (number == SIGHUP) {
      log_.lifecycle("SIGHUP: --join is resolved again; other options need a restart");
      if (gossip_) gossip_->refresh_seeds();
    } else if (stopping_) {
      finish_stop(0);  // asked twice: don't wait for the cluster to hear of it
    } else {
      begin_stop(options_.on_stop == OnStop::keep ? StopKind::keep : StopKind::leave);
    }
    if (!finished_) wait_for_signal();
  });
}

void Agent::begin_stop(StopKind kind) {
  if (stopping_) return;
  stopping_ = kind;
  notifier_.send("STOPPING=1");
  retry_timer_.cancel();
  if (kind == StopKind::keep || !gossip_) {
    finish_stop(0);
    return;
  }
  reconciler_->freeze();
  gossip_->leave(kLeaveMax);
}

void Agent::finish_stop(std::size_t told) {
  if (finished_) return;
  finished_ = true;
  if (gossip_) gossip_->stop();
  reconciler_->stop(*stopping_, told);
  const std::string& interface = options_.interface;
  if (*stopping_ == StopKind::keep) {
    log_.lifecycle(fmt::format(
        "stopped; {}, its peers, routes and names stay as they are (--on-stop keep)", interface));
  } else {
    log_.lifecycle(fmt::format("stopped; {}, its routes and hosts lines are removed", interface));
  }
  io_.stop();
}

}  // namespace

Exit exit_for(Errc code) {
  switch (code) {
    case Errc::malformed:
      return Exit::usage;
    case Errc::no_wireguard:
      return Exit::no_wireguard;
    case Errc::busy:
      return Exit::busy;
    case Errc::not_permitted:
      return Exit::not_permitted;
    case Errc::state_unusable:
      return Exit::state_unusable;
    case Errc::unsupported:
    case Errc::too_large:
    case Errc::not_found:
    case Errc::exists:
    case Errc::system:
      return Exit::failed;
  }
  return Exit::failed;
}

Exit run_agent(Options options) {
  Log log(options.log_level);
  return Agent(options, log).run();
}

}  // namespace wesher::daemon
