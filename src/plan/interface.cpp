// Whose an existing interface is, and how ours is emptied.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/diff.h"

namespace wesher::plan {

bool is_go_device(const Observed& observed, const GoDevice& expected) {
  const LinkKind kind = observed.link.kind;
  return (kind == LinkKind::kernel || kind == LinkKind::userspace) && observed.link.alias.empty() &&
         observed.listen_port == expected.listen_port &&
         std::any_of(observed.addresses.begin(), observed.addresses.end(),
                     [&](const Prefix& on) { return on.address == expected.overlay; });
}

Result<Ownership> judge_interface(const std::string& interface,
                                  const Observed& observed,
                                  const std::vector<PublicKey>& known_keys,
                                  const std::optional<GoDevice>& go) {
  const std::string name = printable(interface);
  const ObservedLink& link = observed.link;
  if (link.kind == LinkKind::absent) return Ownership::create;
  if (link.kind == LinkKind::other) {
    const std::string what = link.kind_name.empty()
                                 ? "is not"
                                 : "is a link of kind " + printable(link.kind_name) + ", not";
    return fail(Errc::exists,
                fmt::format("{} {} a WireGuard interface; choose another --interface", name, what));
  }
  if (link.alias == link_alias(interface)) return Ownership::ours;
  const std::set<PublicKey> known(known_keys.begin(), known_keys.end());
  const bool bears_known =
      (observed.device_key && known.contains(*observed.device_key)) ||
      std::any_of(observed.peers.begin(), observed.peers.end(),
                  [&](const ObservedPeer& peer) { return known.contains(peer.key); });
  if (bears_known) return Ownership::adopt;
  if (!observed.complete) {
    return fail(Errc::busy, name + " is being changed by someone else; try again");
  }
  if (go && is_go_device(observed, *go)) return Ownership::adopt;
  const std::size_t count = observed.peers.size();
  if (count == 0) return Ownership::adopt;
  return fail(Errc::exists,
              fmt::format("{} is a WireGuard interface with {} peer{} that wesher did "
                          "not make; choose another --interface or delete it",
                          name, count, count == 1 ? "" : "s"));
}

Plan teardown(const Observed& observed) {
  static constexpr const char* kReason = "everything of ours is taken down";
  Plan plan;
  if (observed.hosts.writable && !observed.hosts.managed.empty()) {
    WriteHosts none;
    for (const ObservedHostsLine& line : observed.hosts.managed) {
      for (const std::string& name : line.names)
        none.changes.push_back({'-', name, line.address, kReason});
    }
    plan.actions.push_back({std::move(none), kReason});
  }
  for (const Prefix& route : observed.routes)
    plan.actions.push_back({RemoveRoute{route}, kReason});
  return plan;
}

}  // namespace wesher::plan
