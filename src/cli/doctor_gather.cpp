// What `wesher doctor` looks at. Sockets are only looked up in /proc, files only read, nothing is
// asked of the kernel that would load a module.
#include <algorithm>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/doctor.h"
#include "cli/legacy.h"
#include "cli/state.h"
#include "cli/text.h"
#include "daemon/go_takeover.h"
#include "daemon/identity.h"
#include "os/unique_fd.h"
#include "plan/diff.h"
#include "store/database.h"
#include "store/go_state.h"
#include "store/key_file.h"
#include "store/repository.h"
#include "system/data_plane.h"
#include "system/host.h"
#include "system/hosts_file.h"
#include "system/launcher.h"
#include "system/port_holder.h"
#include "system/rt_control.h"
#include "system/small_file.h"

namespace wesher::cli {

namespace {

constexpr const char* kHostsPath = "/etc/hosts";
constexpr std::size_t kModuleListMax = std::size_t{8} << 20;

KernelWireGuard look_for_module() {
  if (::access("/sys/module/wireguard", F_OK) == 0) return KernelWireGuard::loaded;

  struct utsname host {};

  if (::uname(&host) != 0) return KernelWireGuard::not_found;
  const std::string directory = std::string("/lib/modules/") + host.release;
  const auto lists = [&](const char* file) {
    return system::read_small_file(directory + file, kModuleListMax).find("/wireguard.ko") !=
           std::string::npos;
  };
  if (lists("/modules.builtin")) return KernelWireGuard::loaded;
  return lists("/modules.dep") ? KernelWireGuard::on_disk : KernelWireGuard::not_found;
}

/// Opening it makes nothing: a tun link comes with an ioctl only.
std::string tun_problem() {
  const os::UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  return tun ? "" : std::strerror(errno);
}

PortFact look_at_port(std::uint16_t port, bool tcp, std::string& problem) {
  const system::PortUse use = system::port_use(port, tcp);
  if (!use.known && problem.empty()) problem = "/proc/net can't be read";
  return {port, use.held, use.program, use.pid};
}

void look_at_ports(HostFacts& facts, const daemon::Options& options) {
  facts.gossip_tcp = look_at_port(options.cluster_port, true, facts.ports_problem);
  facts.gossip_udp = look_at_port(options.cluster_port, false, facts.ports_problem);
  facts.wireguard = look_at_port(options.wireguard_port, false, facts.ports_problem);
}

/// Whose a WireGuard link is, by its key and peers, as a start judges it.
void judge_device(LinkFact& link,
                  const daemon::Options& options,
                  const std::string& name,
                  const std::vector<PublicKey>& known_keys) {
  system::DataPlaneConfig config;
  config.interface = options.interface;
  config.backend = options.backend;
  const auto plane = system::DataPlane::open(config);
  if (!plane) return;
  const auto observed = (*plane)->observe();
  if (!observed) return;
  link.judged = true;
  const auto whose = plan::judge_interface(options.interface, *observed, known_keys,
                                           daemon::go_device(options, name));
  if (!whose) link.problem = whose.error().detail;
}

void look_at_links(HostFacts& facts,
                   const daemon::Options& options,
                   const std::vector<PublicKey>& known_keys) {
  auto rt = system::RtControl::open();
  const auto links = rt ? rt->links() : tl::unexpected(rt.error());
  const auto routes = rt ? rt->routes(0, 0) : tl::unexpected(rt.error());
  for (const std::string& problem : {links ? std::string() : links.error().detail,
                                     routes ? std::string() : routes.error().detail}) {
    if (!problem.empty()) facts.links_problem = problem;
  }
  if (!facts.links_problem.empty()) return;
  std::map<std::uint32_t, std::string> names;
  for (const system::RtLink& link : links->items) {
    names[link.index] = link.name;
    if (link.name != options.interface) continue;
    facts.link.exists = true;
    facts.link.kind = link.kind;
    facts.link.ours = link.alias == link_alias(options.interface);
  }
  for (const system::RtRoute& route : routes->items) {
    const bool counts =
        route.table == RT_TABLE_MAIN && route.destination.length != 0 && !route.cloned;
    if (!counts || route.links.empty()) continue;
    const auto device = names.find(route.links.front());
    if (device == names.end() || device->second == options.interface) continue;
    facts.routes.push_back({route.destination, device->second});
  }
  LinkFact& link = facts.link;
  if (!link.exists || link.ours) return;
  if (link.kind != "wireguard" && link.kind != "tun") {
    link.problem = fmt::format(
        "{} is a link of kind {}, not a WireGuard interface; choose another "
        "--interface",
        printable(options.interface), link.kind.empty() ? "none" : printable(link.kind));
  } else if (facts.net_admin) {
    judge_device(link, options, facts.name, known_keys);
  }
}

FileFact file_fact(const std::string& path, const Error& error) {
  switch (error.code) {
    case Errc::not_found:
      return {FileFact::Is::absent, path, ""};
    case Errc::not_permitted:
      return {FileFact::Is::unseen, path, error.detail};
    default:
      return {FileFact::Is::bad, path, error.detail};
  }
}

/// Whether root's own state directory can be looked into: what is in there is absent else.
bool is_closed(const store::Paths& paths) {
  return ::access(paths.directory.c_str(), X_OK) != 0 && errno == EACCES;
}

/// What the files tell besides.
struct Known {
  std::vector<PublicKey> keys;  ///< of everybody, ourselves included
  std::optional<IdentityKey> identity;
};

Known look_at_state(HostFacts& facts, const store::Paths& paths) {
  Known known;
  const auto keys = store::load_key_file(paths.key_file());
  if (keys) {
    facts.keys = {FileFact::Is::good, paths.key_file(),
                  "cluster " + cluster_fingerprint(keys->ring.front().key)};
    facts.name_before = keys->node_name;
    facts.overlay_is_kept = keys->overlay && facts.overlay_net.contains(*keys->overlay);
    facts.highest_time = keys->highest_time;
    known.keys.push_back(x25519_public(keys->wireguard_private));
    known.identity = SigningKey(keys->identity_seed).identity();
  } else {
    facts.keys = file_fact(paths.key_file(), keys.error());
  }
  if (is_closed(paths)) {
    facts.keys.is = FileFact::Is::unseen;
    facts.keys.detail = printable(paths.directory) + " is closed to this user";
    return known;
  }
  auto database =
      store::Database::open_for_command(paths.database(), store::Database::Access::read);
  if (!database) {
    facts.database = file_fact(paths.database(), database.error());
    return known;
  }
  facts.database = {FileFact::Is::good, paths.database(), ""};
  const auto members = store::Repository(*database).members();
  if (!members) return known;
  for (const Member& member : *members) {
    if (member.meta) known.keys.push_back(member.meta->key);
  }
  return known;
}

void look_at_go_state(HostFacts& facts, const store::Paths& paths) {
  if (is_closed(paths)) {
    facts.go_state = {FileFact::Is::unseen, paths.directory,
                      printable(paths.directory) + " is closed to this user"};
    return;
  }
  const auto found = store::find_go_state(paths);
  if (!found) {
    facts.go_state = file_fact(paths.directory, found.error());
    return;
  }
  if (!*found) return;
  const store::GoState& state = (*found)->state;
  std::string detail =
      fmt::format("{} and {}", state.cluster_key ? "cluster key" : "no cluster key",
                  counted(state.nodes.size(), "node"));
  if (state.format) detail += fmt::format(", {}", go_release(*state.format));
  facts.go_state = {FileFact::Is::good, (*found)->path, std::move(detail)};
  for (const store::GoNode& node : state.nodes)
    facts.names_of_others.push_back(node.name);
}

/// Who this host would be, by the very code of a start. It makes keys, and forgets them.
void look_at_identity(HostFacts& facts,
                      const daemon::Options& options,
                      const store::Paths& paths,
                      const Known& known) {
  const auto name = daemon::choose_name(options, system::hostname());
  if (!name) {
    facts.name_problem = name.error().detail;
    return;
  }
  facts.name = *name;
  if (facts.keys.is == FileFact::Is::unseen || facts.keys.is == FileFact::Is::bad) return;
  const auto identity = daemon::load_identity(paths, options, *name, daemon::StoredState::use,
                                              facts.now, {system::machine_id(), {}});
  if (!identity) {
    facts.identity_problem = identity.error().detail;
    return;
  }
  facts.copied =
      known.identity && SigningKey(identity->keys.identity_seed).identity() != *known.identity;
  facts.overlay_is_kept = facts.overlay_is_kept && !facts.copied;
  facts.overlay_is_given = !facts.overlay_is_kept && options.overlay_ip;
  facts.overlay = facts.overlay_is_given ? options.overlay_ip : identity->overlay;
}

void look_at_hosts_file(HostFacts& facts,
                        const daemon::Options& options,
                        const store::Paths& paths) {
  system::HostsFile file(kHostsPath, {options.interface, store::inherits_from_go(paths)});
  const ObservedHosts hosts = file.observe();
  if (!hosts.writable) facts.hosts_problem = hosts.why_not;
  for (const ObservedHostsLine& line : hosts.managed)
    facts.names_of_others.insert(facts.names_of_others.end(), line.names.begin(), line.names.end());
}

}  // namespace

HostFacts look_at_host(const daemon::Options& options, const store::Paths& paths) {
  HostFacts facts;
  facts.interface = options.interface;
  facts.backend = options.backend;
  facts.overlay_net = options.overlay_net;
  facts.allow_overlap = options.allow_overlap;
  facts.hosts_wanted = !options.no_etc_hosts;
  facts.now = wall_now();
  facts.root = ::geteuid() == 0;
  facts.net_admin = system::has_net_admin();
  facts.kernel = look_for_module();
  facts.program = system::userspace_program();
  facts.program_path = system::find_program(facts.program);
  facts.tun_problem = tun_problem();
  facts.daemon_pid = lock_holder(paths.lock_file());
  facts.occupied = system::occupied_addresses(options.interface);
  const Known known = look_at_state(facts, paths);
  look_at_go_state(facts, paths);
  look_at_ports(facts, options);
  look_at_identity(facts, options, paths, known);
  look_at_links(facts, options, known.keys);
  look_at_hosts_file(facts, options, paths);
  return facts;
}

}  // namespace wesher::cli
