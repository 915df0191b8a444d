#include "daemon/startup.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/clock.h"
#include "plan/diff.h"
#include "store/reset.h"
#include "system/host.h"

namespace wesher::daemon {

namespace {

/// --init acts always when a person typed it; from a service manager once per boot, so that a
/// restart after a crash doesn't wipe the state again.
bool init_acts(const Options& options, const store::Paths& paths) {
  if (options.init != InitRequest::automatic) return options.init == InitRequest::typed;
  const auto keys = store::load_key_file(paths.key_file());
  return !keys || keys->init_boot_id.empty() || keys->init_boot_id != system::boot_id();
}

Result<std::string> member_name(const Options& options) {
  if (!options.ip_as_name) return choose_name(options, system::hostname());
  const auto host = system::host_addresses();
  if (!host) return tl::unexpected(host.error());
  const auto announced = choose_announced(*host, options, {});
  if (!announced) return tl::unexpected(announced.error());
  return announced->address.text();
}

Result<std::vector<JoinEntry>> parse_join(const Options& options) {
  std::vector<JoinEntry> entries;
  for (const std::string& text : options.join) {
    auto entry = JoinEntry::parse(text, options.cluster_port);
    if (!entry) return tl::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  return entries;
}

store::SelfRow self_row(const Options& options,
                        const Identity& identity,
                        std::string_view backend,
                        WallTime now) {
  const auto& keys = identity.keys;
  store::SelfRow self;
  self.name = keys.node_name;
  self.interface = options.interface;
  self.overlay = identity.overlay;
  if (self.overlay && keys.claim_time != WallTime{}) self.claimed = keys.claim_time;
  self.overlay_net = options.overlay_net;
  self.key = x25519_public(keys.wireguard_private);
  self.identity = SigningKey(keys.identity_seed).identity();
  self.cluster = cluster_fingerprint(keys.ring.front().key);
  self.gossip_port = options.cluster_port;
  self.wireguard_port = options.wireguard_port;
  self.meta_format = keys.meta_format;
  self.backend = backend;
  self.version = WESHER_VERSION;
  self.pid = static_cast<std::uint32_t>(::getpid());
  self.started = now;
  return self;
}

plan::OwnNode own_node(const Options& options, const store::SelfRow& self) {
  plan::OwnNode own;
  own.name = self.name;
  own.interface = {options.interface,
                   self.key,
                   options.wireguard_port,
                   self.overlay.value_or(IpAddress{}),
                   options.mtu,
                   options.keepalive_s};
  own.hosts = !options.no_etc_hosts;
  return own;
}

system::DataPlaneConfig data_plane_config(const Options& options, const store::Paths& paths) {
  system::DataPlaneConfig config;
  config.interface = options.interface;
  config.backend = options.backend;
  config.hosts = !options.no_etc_hosts;
  config.take_over_old_banner = store::inherits_from_go(paths);
  return config;
}

/// Is the link under our name ours to manage?
Result<Observed> look_at_interface(system::DataPlane& data_plane,
                                   const Options& options,
                                   const std::vector<PublicKey>& known_keys,
                                   const std::optional<plan::GoDevice>& go = std::nullopt) {
  auto observed = data_plane.observe();
  if (!observed) return observed;
  const auto ownership = plan::judge_interface(options.interface, *observed, known_keys, go);
  if (!ownership) return tl::unexpected(ownership.error());
  return observed;
}

/// Ports and address of a node that never ran: whatever is wrong ends the start.
Result<std::optional<Network>> first_network(const Options& options,
                                             const IpAddress& own_overlay,
                                             const Observed& observed,
                                             asio::io_context& io) {
  if (observed.listen_port != options.wireguard_port) {
    if (auto free = check_wireguard_port(io, options.wireguard_port); !free) {
      return tl::unexpected(free.error());
    }
  }
  return open_network(options, own_overlay, io);
}

/// Opens the database and writes what is known before the first pass. A new one is in adopt mode if
/// `adopting` says so, or if this node ran before; `adopting` is what holds then.
Result<store::Database> open_database(const store::Paths& paths,
                                      const Identity& identity,
                                      const Options& options,
                                      Log& log,
                                      bool& adopting) {
  auto opened = store::Database::open_for_daemon(paths.database(), identity.keys.id);
  if (!opened) return tl::unexpected(opened.error());
  if (!opened->notice.empty()) log.lifecycle(opened->notice);
  store::Repository repository(opened->database);
  if (opened->fresh) {
    adopting = adopting || !identity.first_start;
    if (auto set = repository.set_adopting(adopting); !set) return tl::unexpected(set.error());
  } else {
    const auto stored = repository.adopting();
    if (!stored) return tl::unexpected(stored.error());
    adopting = *stored;
  }
  if (auto put = repository.put_options(options.effective()); !put) {
    return tl::unexpected(put.error());
  }
  return std::move(opened->database);
}

std::vector<PublicKey> known_keys(const Identity& identity, store::Database& database) {
  std::vector<PublicKey> keys{x25519_public(identity.keys.wireguard_private)};
  const auto members = store::Repository(database).members();
  if (!members) return keys;
  for (const Member& member : *members) {
    if (member.meta) keys.push_back(member.meta->key);
  }
  return keys;
}

/// Whether no member was ever stored.
bool knows_nobody(store::Database& database) {
  const auto members = store::Repository(database).members();
  return members && members->empty();
}

struct Prepared {
  store::Paths paths;
  Identity identity;
  std::unique_ptr<system::DataPlane> data_plane;
  bool resets = false;  ///< --init: the old state goes, once everything else is in order
};

Startup assemble(const Options& options,
                 Prepared prepared,
                 store::Lock lock,
                 store::Database database,
                 bool adopting,
                 WallTime now) {
  auto self = self_row(options, prepared.identity, prepared.data_plane->backend_text(), now);
  auto own = own_node(options, self);
  const bool first = prepared.identity.first_start;
  return Startup{std::move(lock),
                 ReconcilerParts{prepared.paths, std::move(prepared.identity), std::move(own),
                                 std::move(self), std::move(database),
                                 std::move(prepared.data_plane), options.effective(), adopting},
                 {},
                 {},
                 first,
                 false,
                 std::nullopt};
}

/// With a lost database the endpoints in the device are all that is known of the mesh. The gossip
/// port is the same on all hosts.
std::vector<Endpoint> seeds_in_device(const Observed& observed, const Options& options) {
  std::vector<Endpoint> seeds;
  for (const ObservedPeer& peer : observed.peers) {
    if (peer.endpoint) seeds.push_back({peer.endpoint->address, options.cluster_port});
  }
  return seeds;
}

/// A node without state (or one that gives it up): every check, then the files.
Result<Startup> first_start(
    const Options& options, Prepared prepared, store::Lock lock, const StartHost& host, Log& log) {
  auto& identity = prepared.identity;
  const auto own_key = x25519_public(identity.keys.wireguard_private);
  std::optional<plan::GoDevice> go;
  if (identity.go) go = go_device(options, identity.keys.node_name);
  auto observed = look_at_interface(*prepared.data_plane, options, {own_key}, go);
  if (!observed) return tl::unexpected(observed.error());
  bool adopting = go && plan::is_go_device(*observed, *go);
  if (adopting) {
    auto taken =
        take_over_go_device(*prepared.data_plane, *observed, identity.keys, identity.lifecycle);
    if (!taken) return tl::unexpected(taken.error());
  }
  auto network = host.first_network(*observed, identity.overlay.value_or(IpAddress{}));
  if (!network) return tl::unexpected(network.error());

  if (*network) identity.keys.announce_mapped = (*network)->announced.mapped_form;
  if (options.init != InitRequest::none) identity.keys.init_boot_id = system::boot_id();
  if (prepared.resets) {
    if (auto reset = store::reset_state(prepared.paths); !reset) {
      return tl::unexpected(reset.error());
    }
  }
  if (auto saved = store::save_key_file(prepared.paths.key_file(), identity.keys); !saved) {
    return tl::unexpected(saved.error());
  }
  const bool adopts_device = adopting;
  auto database = open_database(prepared.paths, identity, options, log, adopting);
  if (!database) return tl::unexpected(database.error());
  std::vector<Endpoint> seeds;
  if (adopts_device) seeds = seeds_in_device(*observed, options);
  if (identity.go) {
    const auto nodes = go_seeds(identity.go->nodes, options.cluster_port);
    seeds.insert(seeds.end(), nodes.begin(), nodes.end());
  }
  auto startup = assemble(options, std::move(prepared), std::move(lock), std::move(*database),
                          adopting, host.now().wall);
  startup.network = std::move(*network);
  startup.found_seeds = std::move(seeds);
  startup.adopts_device = adopts_device;
  if (adopts_device) startup.parts.take_routes_in = options.accepted_nets();
  return startup;
}

/// A node that ran before: database and interface are looked at before anything is used up.
Result<Startup> later_start(
    const Options& options, Prepared prepared, store::Lock lock, const StartHost& host, Log& log) {
  auto& identity = prepared.identity;
  bool adopting = false;
  auto database = open_database(prepared.paths, identity, options, log, adopting);
  if (!database) return tl::unexpected(database.error());
  auto observed = look_at_interface(*prepared.data_plane, options, known_keys(identity, *database));
  if (!observed) return tl::unexpected(observed.error());
  if (auto saved = store::save_key_file(prepared.paths.key_file(), identity.keys); !saved) {
    return tl::unexpected(saved.error());
  }
  // A start that was to take over the Go program's device may have been killed in the middle of it.
  const auto own_key = x25519_public(identity.keys.wireguard_private);
  const auto go = go_device(options, identity.keys.node_name);
  const bool takes_on =
      adopting && observed->device_key == own_key && go && plan::is_go_device(*observed, *go);
  std::vector<Endpoint> seeds;
  if (adopting) seeds = seeds_in_device(*observed, options);
  if (knows_nobody(*database)) {
    const auto nodes = go_seeds(go_nodes_of(prepared.paths, identity.keys), options.cluster_port);
    seeds.insert(seeds.end(), nodes.begin(), nodes.end());
  }
  auto startup = assemble(options, std::move(prepared), std::move(lock), std::move(*database),
                          adopting, host.now().wall);
  startup.found_seeds = std::move(seeds);
  if (takes_on) startup.parts.take_routes_in = options.accepted_nets();
  return startup;
}

}  // namespace

Result<Network> open_network(const Options& options,
                             const IpAddress& own_overlay,
                             asio::io_context& io) {
  const auto host = system::host_addresses();
  if (!host) return tl::unexpected(host.error());
  auto announced = choose_announced(*host, options, own_overlay);
  if (!announced) return tl::unexpected(announced.error());
  auto sockets = open_gossip_sockets(io, options.cluster_port);
  if (!sockets) return tl::unexpected(sockets.error());
  return Network{std::move(*announced), std::move(*sockets)};
}

Result<Startup> start_up(const Options& options, asio::io_context& io, Log& log) {
  return start_up(options,
                  StartHost{now,
                            system::DataPlane::open,
                            [&](const Observed& observed, const IpAddress& own_overlay) {
                              return first_network(options, own_overlay, observed, io);
                            },
                            {system::machine_id(), system::occupied_addresses(options.interface)}},
                  log);
}

Result<Startup> start_up(const Options& options, const StartHost& host, Log& log) {
  auto join = parse_join(options);
  if (!join) return tl::unexpected(join.error());
  if (!options.bind_iface.empty() && !system::link_exists(options.bind_iface)) {
    return fail(Errc::malformed, fmt::format("--bind-iface {}: this host has no such interface",
                                             printable(options.bind_iface)));
  }
  auto name = member_name(options);
  if (!name) return tl::unexpected(name.error());

  Prepared prepared;
  prepared.paths = {store::state_directory(), options.interface};
  auto lock = store::Lock::take(prepared.paths.lock_file(), options.interface);
  if (!lock) return tl::unexpected(lock.error());
  prepared.resets = init_acts(options, prepared.paths);
  auto identity = load_identity(prepared.paths, options, *name,
                                prepared.resets ? StoredState::fresh : StoredState::use,
                                host.now().wall, host.identity);
  if (!identity) return tl::unexpected(identity.error());
  prepared.identity = std::move(*identity);
  auto data_plane = host.open_data_plane(data_plane_config(options, prepared.paths));
  if (!data_plane) return tl::unexpected(data_plane.error());
  prepared.data_plane = std::move(*data_plane);

  auto startup = prepared.identity.first_start
                     ? first_start(options, std::move(prepared), std::move(*lock), host, log)
                     : later_start(options, std::move(prepared), std::move(*lock), host, log);
  if (!startup) return startup;
  startup->parts.data_plane->tidy();
  startup->join = std::move(*join);
  startup->parts.adopt_for = options.adopt_for.value_or(kAdoptFor);
  return startup;
}

}  // namespace wesher::daemon
