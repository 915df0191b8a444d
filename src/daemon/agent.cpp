#include "daemon/agent.h"

#include <cstdio>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "daemon/address_follower.h"
#include "daemon/clock.h"
#include "daemon/forget_request.h"
#include "daemon/gossip_loop.h"
#include "daemon/log.h"
#include "daemon/mesh_config.h"
#include "daemon/notify.h"
#include "daemon/reconciler.h"
#include "daemon/startup.h"
#include "store/reset.h"
#include "system/host.h"

namespace wesher::daemon {

namespace {

constexpr std::chrono::seconds kProbeMax{2};        ///< seeds are asked before we announce
constexpr std::chrono::seconds kProbeMaxFirst{10};  ///< at a very first start with --join
constexpr std::chrono::seconds kLeaveMax{10};       ///< as the Go program's Leave(10 s)

/// Whether the operator said which address is announced.
bool is_fixed(const Options& options) {
  return options.advertise_addr || (options.bind_addr && !options.bind_addr->is_unspecified());
}

class Agent {
 public:
  Agent(const Options& options, Log& log) : options_(options), log_(log) {}

  Exit run();

  /// Whether it ended to be run again with keys of its own.
  [[nodiscard]] bool is_copy() const { return is_copy_; }

 private:
  void announce_start(const Startup& startup);
  [[nodiscard]] bool open_gossip(Result<Network> network);
  void retry_network();
  mesh::Mesh make_mesh(const Announced& announced);
  [[nodiscard]] ReconcilerCallbacks reconciler_callbacks();
  [[nodiscard]] GossipLoopHandlers gossip_handlers();
  void forget(std::int64_t request, const std::string& arguments);
  void kept_out(const mesh::Notice& notice);
  void become_another(const mesh::CopyFound& copy);
  void addresses_changed();
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
  std::vector<Endpoint> found_seeds_;
  std::vector<Member> restored_;  ///< members of the database, until the mesh takes them over
  bool first_start_ = false;
  mesh::Config config_;  ///< of the mesh, until it is made
  wire::Keyring keyring_;
  std::optional<IpAddress> announced_;  ///< our underlay address, as last announced
  bool announce_mapped_ = false;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<GossipLoop> gossip_;
  AddressFollower follower_{io_, [this] { addresses_changed(); }};
  std::optional<StopKind> stopping_;
  bool finished_ = false;
  bool is_copy_ = false;
  Exit exit_ = Exit::ok;
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
  found_seeds_ = startup->found_seeds;
  lock_ = std::move(startup->lock);
  const Identity& identity = startup->parts.identity;
  const store::Paths paths = startup->parts.paths;
  config_ = mesh_config(options_, identity, startup->parts.self);
  for (const auto& entry : identity.keys.ring)
    (void)keyring_.add(entry.key.bytes());
  announce_mapped_ = identity.keys.announce_mapped;
  announce_start(*startup);

  const bool adopts_device = startup->adopts_device;
  auto network = std::move(startup->network);
  reconciler_ = std::make_unique<Reconciler>(std::move(startup->parts), log_, notifier_);
  if (const auto passed = reconciler_->first_pass(); !passed && first_start_ && !adopts_device) {
    // Nobody has heard of this node yet: leave nothing behind.
    reconciler_->abandon();
    (void)store::reset_state(paths);
    return refuse(passed.error());
  } else if (!passed && !reconciler_->loaded()) {
    return refuse(passed.error());
  }
  for (const auto& [name, member] : reconciler_->members())
    restored_.push_back(member);
  reconciler_->run(reconciler_callbacks());
  wait_for_signal();
  if (network) {
    (void)open_gossip(std::move(*network));
  } else {
    retry_network();
  }
  io_.run();
  return exit_;
}

/// Called on the reconcile thread; what they ask is done on this one.
ReconcilerCallbacks Agent::reconciler_callbacks() {
  const auto post = [this](auto what) {
    asio::post(io_, [this, what = std::move(what)] {
      if (gossip_) what(*gossip_);
    });
  };
  ReconcilerCallbacks callbacks;
  callbacks.incarnations_reserved = [post](std::uint32_t end) {
    post([end](GossipLoop& gossip) { gossip.incarnations_reserved(end); });
  };
  callbacks.epochs_reserved = [post](std::uint64_t end) {
    post([end](GossipLoop& gossip) { gossip.epochs_reserved(end); });
  };
  callbacks.claim_stored = [post](std::optional<IpAddress> overlay) {
    post([overlay](GossipLoop& gossip) { gossip.claim_stored(overlay); });
  };
  callbacks.format_stored = [post](MetaFormat format) {
    post([format](GossipLoop& gossip) { gossip.format_stored(format); });
  };
  callbacks.leave_requested = [this] { asio::post(io_, [this] { begin_stop(StopKind::resign); }); };
  callbacks.key_changed = [this](PublicKey key) {
    asio::post(io_, [this, key] {
      config_.own.key = key;
      if (gossip_) gossip_->key_changed(key);
    });
  };
  callbacks.forget_requested = [this](std::int64_t request, std::string arguments) {
    asio::post(io_,
               [this, request, arguments = std::move(arguments)] { forget(request, arguments); });
  };
  return callbacks;
}

GossipLoopHandlers Agent::gossip_handlers() {
  return {[this](mesh::Fact fact, WallTime at) { reconciler_->push(std::move(fact), at); },
          [this](std::size_t told) { asio::post(io_, [this, told] { finish_stop(told); }); },
          [this](const mesh::CopyFound& copy) {
            asio::post(io_, [this, copy] { become_another(copy); });
          },
          [this](const mesh::Notice& notice) { kept_out(notice); },
          [this] { reconciler_->kept_out(""); }};
}

void Agent::forget(std::int64_t request, const std::string& arguments) {
  const auto asked = parse_forget(arguments);
  if (!asked) {
    reconciler_->answer(request, false, asked.error().detail);
  } else if (!gossip_) {
    reconciler_->answer(request, false, "the daemon has no network yet; see its log");
  } else if (asked->older) {
    const auto names = gossip_->forget_failed_older(*asked->older);
    reconciler_->answer(request, true, forgotten_text(names, *asked->older));
  } else {
    const auto done = gossip_->forget(asked->name);
    reconciler_->answer(request, done.has_value(), done ? *done : done.error().detail);
  }
}

void Agent::kept_out(const mesh::Notice& notice) {
  const std::string why = kept_out_text(notice, options_, config_.gossip.name);
  if (why.empty()) return;
  reconciler_->kept_out(why);
  if (notice.group != "pool-full" || options_.pool_wait || stopping_) return;
  exit_ = Exit::busy;
  asio::post(io_, [this] { begin_stop(StopKind::leave); });
}

/// Stops without a word to anybody, and is run again as somebody else.
void Agent::become_another(const mesh::CopyFound& copy) {
  if (stopping_) return;
  log_.lifecycle(fmt::format(
      "{} at {} runs on a copy of this host's state: this one gets keys and an overlay address of "
      "its own",
      copy.name, copy.at.text()));
  is_copy_ = true;
  stopping_ = StopKind::keep;
  retry_timer_.cancel();
  finish_stop(0);
}

/// The address that is announced follows those of the host.
void Agent::addresses_changed() {
  if (!gossip_ || stopping_ || !announced_) return;
  const auto host = system::host_addresses();
  if (!host) return;
  const auto chosen = choose_announced(*host, options_, config_.own.overlay);
  // Without any address there is nobody to tell; the next one comes with a notice of its own.
  if (!chosen || chosen->address == announced_) return;
  announced_ = chosen->address;
  gossip_->address_changed(announced_bytes(chosen->address, announce_mapped_));
  reconciler_->announcing(chosen->address.text());
}

/// The lines that say who this is, at every log level.
void Agent::announce_start(const Startup& startup) {
  const Identity& identity = startup.parts.identity;
  const auto& self = startup.parts.self;
  for (const std::string& line : identity.lifecycle)
    log_.lifecycle(line);
  for (const std::string& line : identity.warnings)
    log_.warn(line);
  for (const std::string& line : options_.warnings)
    log_.warn(line);
  const std::string who =
      fmt::format("{} is {} on {} ({})", self.name,
                  self.overlay ? self.overlay->text() : "without an overlay address as yet",
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
  config_.gossip.address = announced_bytes(announced.address, announce_mapped_);
  mesh::Config config = std::move(config_);
  config_ = mesh::Config{};
  config_.gossip.name = config.gossip.name;
  config_.own = config.own;
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
  const bool knows_seeds = !join_.empty() || !found_seeds_.empty();
  if (first_start_ && !knows_seeds) {
    log_.lifecycle(fmt::format("next host:  wesher --cluster-key-file FILE --join {}",
                               announced.address.text()));
  }
  announced_ = announced.address;
  reconciler_->announcing(announced.address.text());
  gossip_ = std::make_unique<GossipLoop>(io_, std::move(network->sockets), make_mesh(announced),
                                         join_, found_seeds_, log_, gossip_handlers());
  if (!is_fixed(options_)) {
    if (const auto follows = follower_.start(); !follows) log_.warn(follows.error().detail);
  }
  gossip_->start(first_start_ && knows_seeds ? kProbeMaxFirst : kProbeMax);
  return true;
}

/// With stored state, trouble with ports or addresses is a retry behind a working data plane.
void Agent::retry_network() {
  if (stopping_) return;
  if (open_gossip(open_network(options_, config_.own.overlay, io_))) return;
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
  gossip_->leave(kLeaveMax, kind == StopKind::resign);
}

void Agent::finish_stop(std::size_t told) {
  if (finished_) return;
  finished_ = true;
  follower_.stop();
  if (gossip_) gossip_->stop();
  reconciler_->stop(*stopping_, told);
  const std::string& interface = options_.interface;
  if (is_copy_) {
    log_.info("starting again as another member");
  } else if (*stopping_ == StopKind::keep) {
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
  for (;;) {
    Agent agent(options, log);
    const Exit exit = agent.run();
    if (!agent.is_copy()) return exit;
    options.init = InitRequest::none;  // it was obeyed
    options.renew_identity = true;
  }
}

}  // namespace wesher::daemon
