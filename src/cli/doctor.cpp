// Facts about a host → what is in order, what is not, and what to do. Pure.
#include "cli/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/text.h"
#include "daemon/identity.h"

namespace wesher::cli {

namespace {

constexpr std::size_t kRoutesShown = 3;

Check ok(std::string name, std::string text) {
  return {std::move(name), Verdict::ok, std::move(text), ""};
}

Check judge_wireguard(const HostFacts& facts) {
  using system::BackendChoice;
  const std::string name = "wireguard";
  const std::string program = printable(facts.program);
  const std::string load = "modprobe wireguard (Linux 5.6 or later has it)";
  const std::string install = fmt::format("install {} (Debian: apt install wireguard-go)", program);
  if (facts.backend != BackendChoice::userspace && facts.kernel == KernelWireGuard::loaded)
    return ok(name, "the kernel has it");
  if (facts.backend != BackendChoice::userspace && facts.kernel == KernelWireGuard::on_disk)
    return ok(name, "the kernel has a module, which is loaded when it is needed");
  if (facts.backend == BackendChoice::kernel) {
    return {name, Verdict::fail, "the kernel has none, and --backend kernel is given", load};
  }
  if (facts.program_path.empty()) {
    const bool only = facts.backend == BackendChoice::userspace;
    return {name, Verdict::fail,
            only ? fmt::format("there is no program {}, and --backend userspace is given", program)
                 : fmt::format("the kernel has none, and there is no program {}", program),
            only ? install : load + ", or " + install};
  }
  const std::string path = printable(facts.program_path);
  if (facts.tun_problem.empty()) return ok(name, path);
  if (!facts.root) {
    return {name, Verdict::warn,
            fmt::format("{}; /dev/net/tun not checked: {}", path, facts.tun_problem),
            "sudo wesher doctor"};
  }
  return {name, Verdict::fail,
          fmt::format("{} is there, but /dev/net/tun can't be used: {}", path, facts.tun_problem),
          "modprobe tun; in a container, give it that device"};
}

Check judge_rights(const HostFacts& facts) {
  if (facts.net_admin) return ok("rights", "CAP_NET_ADMIN");
  if (facts.root) {
    return {"rights", Verdict::fail, "root, but without CAP_NET_ADMIN: links can't be made",
            "give the container or the unit that capability"};
  }
  return {"rights", Verdict::warn,
          "neither root nor CAP_NET_ADMIN: the daemon needs it, and some of this could not be seen",
          "sudo wesher doctor"};
}

enum class Holder : std::uint8_t { ours, go, device, other };

/// The Go program has the same name as ours; what is not on our lock is taken for it.
Holder holder_of(const PortFact& port, const HostFacts& facts) {
  if (port.pid != 0 && port.pid == facts.daemon_pid) return Holder::ours;
  if (port.program == "wesher") return Holder::go;
  const bool on_device = port.port == facts.wireguard.port && facts.link.exists;
  const bool of_device = port.program.empty() ? facts.link.kind == "wireguard"
                                              : port.program == facts.program.substr(0, 15);
  return on_device && of_device ? Holder::device : Holder::other;
}

Check judge_port(const std::string& name,
                 const std::string& option,
                 const std::vector<std::pair<std::string, const PortFact*>>& ports,
                 const HostFacts& facts) {
  if (!facts.ports_problem.empty())
    return {name, Verdict::warn, "not checked: " + facts.ports_problem, ""};
  Check worst = ok(name, "");
  std::string free;
  for (const auto& [protocol, port] : ports) {
    const std::string what = fmt::format("{} {}", protocol, port->port);
    free += (free.empty() ? "" : ", ") + what;
    if (!port->held) continue;
    const std::string who = port->program.empty()
                                ? "the kernel or a process that can't be seen"
                                : fmt::format("{} (pid {})", printable(port->program), port->pid);
    const auto note = [&](Verdict verdict, const std::string& text, const std::string& remedy) {
      const bool worse = worst.text.empty() || verdict > worst.verdict;
      if (worse) worst = {name, verdict, text, remedy};
    };
    switch (holder_of(*port, facts)) {
      case Holder::ours:
        note(Verdict::ok, what + " is held by our daemon", "");
        break;
      case Holder::device:
        note(Verdict::ok, fmt::format("{} is that of {}", what, printable(facts.interface)), "");
        break;
      case Holder::go:
        note(Verdict::warn,
             fmt::format("{} is held by {}, another wesher: the Go program?", what, who),
             "stop that one before this one starts (systemctl stop wesher)");
        break;
      case Holder::other:
        note(Verdict::fail, fmt::format("{} is held by {}", what, who),
             fmt::format("stop it, or give {} on all hosts", option));
        break;
    }
  }
  if (worst.text.empty()) worst.text = free + (ports.size() > 1 ? " are free" : " is free");
  return worst;
}

Check judge_link(const HostFacts& facts) {
  const std::string name = "interface";
  const std::string shown = printable(facts.interface);
  const LinkFact& link = facts.link;
  if (!facts.links_problem.empty())
    return {name, Verdict::warn, "not checked: " + facts.links_problem, ""};
  if (!link.exists) return ok(name, shown + " is free");
  if (link.ours) return ok(name, shown + " is ours");
  if (!link.problem.empty()) {
    const bool go = facts.wireguard.held && facts.daemon_pid == 0 &&
                    holder_of(facts.gossip_tcp, facts) == Holder::go;
    if (!go) return {name, Verdict::fail, single_line(link.problem), ""};
    return {name, Verdict::warn, shown + " is there, most likely the Go program's",
            "it removes it when it is stopped; if not: ip link delete " + shown};
  }
  if (!link.judged) {
    return {name, Verdict::warn, shown + " is there; whose it is could not be seen",
            "sudo wesher doctor"};
  }
  return ok(name, shown + " is there and is taken over");
}

Check judge_state(const HostFacts& facts) {
  using Is = FileFact::Is;
  const std::string name = "state";
  for (const FileFact* file : {&facts.keys, &facts.database}) {
    if (file->is == Is::bad) return {name, Verdict::fail, single_line(file->detail), ""};
    if (file->is == Is::unseen) {
      return {name, Verdict::warn, "not checked: " + single_line(file->detail),
              "sudo wesher doctor"};
    }
  }
  if (!facts.identity_problem.empty())
    return {name, Verdict::fail, single_line(facts.identity_problem), ""};
  if (facts.copied) {
    return {name, Verdict::warn,
            printable(facts.keys.path) +
                " comes from another machine: this one gets keys and an address of its own",
            ""};
  }
  if (facts.keys.is == Is::good)
    return ok(name, fmt::format("{}: {}", printable(facts.keys.path), facts.keys.detail));
  return ok(name,
            fmt::format("none for {} as yet: this is a first start", printable(facts.interface)));
}

Check judge_go_state(const HostFacts& facts) {
  using Is = FileFact::Is;
  const std::string name = "go state";
  const FileFact& file = facts.go_state;
  const bool unused = facts.keys.is == Is::good;
  switch (file.is) {
    case Is::absent:
      return ok(name, "none");
    case Is::good:
      return ok(name, fmt::format("{}: {}{}", printable(file.path), file.detail,
                                  unused ? "; not used, this host has state of its own" : ""));
    case Is::unseen:
      return {name, Verdict::warn, "not checked: " + single_line(file.detail),
              "sudo wesher doctor"};
    case Is::bad:
      break;
  }
  return {name, unused ? Verdict::warn : Verdict::fail, single_line(file.detail),
          "mend the file, or move it away and give --cluster-key-file and --join"};
}

Check judge_name(const HostFacts& facts) {
  if (!facts.name_problem.empty())
    return {"name", Verdict::fail, single_line(facts.name_problem), ""};
  const std::string shown = printable(facts.name);
  if (!facts.name_before.empty() && facts.name_before != facts.name) {
    return {"name", Verdict::warn,
            fmt::format("{} now, it was {}: keys and overlay address are kept", shown,
                        printable(facts.name_before)),
            "if that is not wanted: --node-name " + printable(facts.name_before)};
  }
  const auto& others = facts.names_of_others;
  if (facts.daemon_pid == 0 &&
      std::find(others.begin(), others.end(), facts.name) != others.end()) {
    return {"name", Verdict::warn,
            shown + " is also the name of another member that this host knew",
            "--node-name NAME, or rename the host"};
  }
  return ok("name", shown);
}

bool is_occupied(const HostFacts& facts, const IpAddress& address) {
  return std::find(facts.occupied.begin(), facts.occupied.end(), address) != facts.occupied.end();
}

Check judge_overlay(const HostFacts& facts) {
  const std::string name = "overlay address";
  if (!facts.overlay) return {name, Verdict::warn, "not checked: it is not known", ""};
  const IpAddress& address = *facts.overlay;
  const std::string from = facts.overlay_is_kept    ? "kept from earlier runs"
                           : facts.overlay_is_given ? "--overlay-ip"
                                                    : "by the name";
  const std::string what = fmt::format("{}, {}", address.text(), from);
  if (is_occupied(facts, address)) {
    const std::string text = what + ": also an address, a gateway or a resolver of this host";
    if (facts.allow_overlap) return {name, Verdict::warn, text + " (--allow-overlap)", ""};
    if (facts.overlay_is_kept) {
      return {name, Verdict::fail, text, "wesher leave, then start it again"};
    }
    if (facts.overlay_is_given) return {name, Verdict::fail, text, "another --overlay-ip"};
    return {name, Verdict::warn, text + ", so another one is chosen", ""};
  }
  const auto hit = std::find_if(facts.routes.begin(), facts.routes.end(), [&](const RouteFact& r) {
    return r.destination.contains(address);
  });
  if (hit == facts.routes.end()) return ok(name, what);
  return {name, Verdict::warn,
          fmt::format("{}: lies in {}, which this host reaches through {}", what,
                      hit->destination.text(), printable(hit->device)),
          "another --overlay-net on all hosts, or an --overlay-ip outside of it"};
}

bool overlaps(const Prefix& a, const Prefix& b) {
  return a.contains(b.address) || b.contains(a.address);
}

Check judge_net(const HostFacts& facts) {
  const std::string name = "overlay net";
  const std::string net = facts.overlay_net.text();
  if (!facts.links_problem.empty())
    return {name, Verdict::warn, "not checked: " + facts.links_problem, ""};
  std::vector<std::string> hit;
  for (const RouteFact& route : facts.routes) {
    if (overlaps(route.destination, facts.overlay_net))
      hit.push_back(fmt::format("{} ({})", route.destination.text(), printable(route.device)));
  }
  if (hit.empty()) return ok(name, net + " meets no route of this host");
  return {name, Verdict::warn,
          fmt::format("{} overlaps with {}: members with an address in there hide hosts of that "
                      "network",
                      net, name_list(hit, kRoutesShown)),
          "if that matters: another --overlay-net on all hosts"};
}

Check judge_hosts_file(const HostFacts& facts) {
  if (!facts.hosts_wanted) return ok("hosts file", "not used (--no-etc-hosts)");
  if (facts.hosts_problem.empty()) return ok("hosts file", "/etc/hosts can be written");
  if (!facts.root) {
    return {"hosts file", Verdict::warn, "not checked: " + single_line(facts.hosts_problem),
            "sudo wesher doctor"};
  }
  return {"hosts file", Verdict::fail, single_line(facts.hosts_problem),
          "make it writable, or give --no-etc-hosts: then members have no names"};
}

Check judge_clock(const HostFacts& facts) {
  if (!facts.highest_time) return ok("clock", rfc3339(facts.now));
  if (facts.now + daemon::kClockStepTolerated >= *facts.highest_time)
    return ok("clock", rfc3339(facts.now) + ", not before any time saved");
  return {"clock", Verdict::fail,
          fmt::format("{} is before {}, when this host ran last", rfc3339(facts.now),
                      rfc3339(*facts.highest_time)),
          "set the clock; started now, this host gets a new WireGuard key"};
}

}  // namespace

std::vector<Check> judge_host(const HostFacts& facts) {
  return {judge_wireguard(facts),
          judge_rights(facts),
          judge_port("gossip port", "--cluster-port",
                     {{"TCP", &facts.gossip_tcp}, {"UDP", &facts.gossip_udp}}, facts),
          judge_port("wireguard port", "--wireguard-port", {{"UDP", &facts.wireguard}}, facts),
          judge_link(facts),
          judge_state(facts),
          judge_go_state(facts),
          judge_name(facts),
          judge_overlay(facts),
          judge_net(facts),
          judge_hosts_file(facts),
          judge_clock(facts)};
}

bool any_fails(const std::vector<Check>& checks) {
  return std::any_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.verdict == Verdict::fail; });
}

}  // namespace wesher::cli
