// The data plane of a Linux host: performing actions.
#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "os/error.h"
#include "system/data_plane_linux.h"
#include "system/host.h"

namespace wesher::system {

namespace {

template <class... Kinds>
bool is_one_of(const plan::Action& action) {
  return (std::holds_alternative<Kinds>(action.what) || ...);
}

bool is_peer(const plan::Action& action) {
  return is_one_of<plan::AddPeer, plan::UpdatePeer, plan::RemovePeer>(action);
}

bool is_route(const plan::Action& action) {
  return is_one_of<plan::AddRoute, plan::RemoveRoute>(action);
}

WgPeerChange peer_change(const plan::Action& action) {
  WgPeerChange change;
  if (const auto* add = std::get_if<plan::AddPeer>(&action.what)) {
    change.key = add->key;
    change.endpoint = add->endpoint;
    change.allowed = {add->allowed};
    change.keepalive_s = add->keepalive_s;
  } else if (const auto* update = std::get_if<plan::UpdatePeer>(&action.what)) {
    change.verb = WgPeerVerb::update;
    change.key = update->key;
    change.endpoint = update->endpoint;
    change.keepalive_s = update->keepalive_s;
    if (update->allowed) {
      change.replace_allowed = true;
      change.allowed = {*update->allowed};
    }
  } else if (const auto* remove = std::get_if<plan::RemovePeer>(&action.what)) {
    change.verb = WgPeerVerb::remove;
    change.key = remove->key;
  }
  return change;
}

std::string peer_text(const plan::Action& action) {
  const auto named = [](std::string_view doing, const std::string& name, const PublicKey& key) {
    const std::string shown = name.empty() ? "" : printable(name) + " ";
    return "cannot " + std::string(doing) + " peer " + shown + "(" + key.abbreviated() + ")";
  };
  if (const auto* add = std::get_if<plan::AddPeer>(&action.what)) {
    return named("add", add->name, add->key);
  }
  if (const auto* update = std::get_if<plan::UpdatePeer>(&action.what)) {
    return named("update", update->name, update->key);
  }
  const auto& remove = std::get<plan::RemovePeer>(action.what);
  return named("remove", remove.name, remove.key);
}

}  // namespace

tl::unexpected<Error> LinuxDataPlane::port_in_use(std::uint16_t port) const {
  const std::string number = std::to_string(port);
  const std::string holder = port_holder(port, false);
  const std::string by =
      holder.empty() ? ", perhaps by another WireGuard interface (see: wg show)" : " by " + holder;
  return fail(Errc::busy,
              "WireGuard port " + number + " is in use" + by +
                  ": stop that, or choose another --wireguard-port on all hosts",
              EADDRINUSE);
}

Result<void> LinuxDataPlane::perform(const plan::CreateLink& what) {
  if (what.name != config_.interface) {
    return fail(Errc::malformed,
                "cannot create " + printable(what.name) + ": this is about " + config_.interface);
  }
  auto taken_back = take_back_renamed();
  if (!taken_back) return os::with_context("cannot create " + what.name, taken_back.error());
  if (*taken_back) return {};
  if (auto created = wg_->create(what.mtu); !created) {
    if (created.error().os_errno == EEXIST) {
      return fail(Errc::exists,
                  "cannot create " + what.name +
                      ": an interface of that name exists; choose another --interface, or: ip "
                      "link delete " +
                      what.name,
                  EEXIST);
    }
    return os::with_context("cannot create " + what.name, created.error());
  }
  // The kernel takes no alias with the creation of a link, and a userspace program no MTU.
  RtLinkChange change;
  change.mtu = what.mtu;
  change.alias = link_alias(config_.interface);
  index_ = 0;
  return this->change("cannot set up " + what.name, change);
}

/// A link that bears our alias is ours under whatever name: somebody renamed it. It holds our port,
/// so another one could not take its place. True if there was one; all that was on it but addresses
/// and routes is there still.
Result<bool> LinuxDataPlane::take_back_renamed() {
  const auto renamed = links_->link_with_alias(link_alias(config_.interface));
  if (!renamed) return tl::unexpected(renamed.error());
  if (!*renamed) return false;
  RtLinkChange down;
  down.set_down = true;
  RtLinkChange name;
  name.name = config_.interface;
  auto done = links_->change_link((*renamed)->index, down);
  if (done) done = links_->change_link((*renamed)->index, name);
  if (!done) return tl::unexpected(done.error());
  index_ = 0;
  return true;
}

Result<void> LinuxDataPlane::change(std::string_view doing, const RtLinkChange& change) {
  const auto index = link_index();
  if (!index) return os::with_context(doing, index.error());
  auto done = links_->change_link(*index, change);
  if (!done) return os::with_context(doing, done.error());
  return {};
}

Result<void> LinuxDataPlane::perform(const plan::SetAlias& what) {
  RtLinkChange wanted;
  wanted.alias = what.alias;
  return change("cannot mark " + config_.interface + " as ours", wanted);
}

Result<void> LinuxDataPlane::perform(const plan::SetMtu& what) {
  RtLinkChange wanted;
  wanted.mtu = what.to;
  return change("cannot set MTU " + std::to_string(what.to) + " on " + config_.interface, wanted);
}

Result<void> LinuxDataPlane::perform(const plan::ConfigureDevice& what, const SecretKey& key) {
  if (what.key && x25519_public(key) != *what.key) {
    return fail(Errc::malformed, "cannot configure " + config_.interface +
                                     ": the private key at hand does not belong to " +
                                     what.key->abbreviated());
  }
  if (const auto index = link_index(); !index) return tl::unexpected(index.error());
  auto done = wg_->set_device(what.key ? &key : nullptr, what.listen_port);
  if (done) return {};
  if (done.error().os_errno == EADDRINUSE) return port_in_use(what.listen_port.value_or(0));
  return os::with_context("cannot configure " + config_.interface, done.error());
}

Result<void> LinuxDataPlane::perform(const plan::SetLinkUp& /*what*/) {
  RtLinkChange wanted;
  wanted.set_up = true;
  auto done = change("cannot bring up " + config_.interface, wanted);
  if (done || done.error().os_errno != EADDRINUSE) return done;
  // The kernel opens its sockets only now, and takes any port before.
  const auto device = wg_->get();
  return port_in_use(device ? device->listen_port : 0);
}

Result<void> LinuxDataPlane::perform(const plan::AddAddress& what) {
  const std::string doing =
      "cannot give " + config_.interface + " the address " + what.address.text();
  const auto index = link_index();
  if (!index) return os::with_context(doing, index.error());
  auto done = links_->add_address(*index, what.address);
  if (!done) return os::with_context(doing, done.error());
  return {};
}

Result<void> LinuxDataPlane::perform(const plan::RemoveAddress& what) {
  const std::string doing =
      "cannot take the address " + what.address.text() + " from " + config_.interface;
  const auto index = link_index();
  if (!index) return os::with_context(doing, index.error());
  auto done = links_->delete_address(*index, what.address);
  if (!done) return os::with_context(doing, done.error());
  return {};
}

Result<void> LinuxDataPlane::perform(const plan::WriteHosts& what) {
  if (!config_.hosts && !what.lines.empty()) {
    return fail(Errc::unsupported,
                "cannot add lines to " + config_.hosts_path + ": switched off by --no-etc-hosts");
  }
  auto done = hosts_.write(what.lines);
  if (!done) return os::with_context("cannot write " + config_.hosts_path, done.error());
  return {};
}

std::vector<Result<void>> LinuxDataPlane::perform_peers(std::span<const plan::Action> actions) {
  std::vector<Result<void>> results(actions.size());
  if (const auto index = link_index(); !index) {
    for (std::size_t i = 0; i < actions.size(); ++i)
      results[i] = os::with_context(peer_text(actions[i]), index.error());
    return results;
  }
  std::vector<WgPeerChange> changes;
  for (const plan::Action& action : actions)
    changes.push_back(peer_change(action));
  results = wg_->set_peers(changes);
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (!results[i]) results[i] = os::with_context(peer_text(actions[i]), results[i].error());
  }
  return results;
}

std::vector<Result<void>> LinuxDataPlane::perform_routes(std::span<const plan::Action> actions) {
  std::vector<RouteChange> changes;
  for (const plan::Action& action : actions) {
    if (const auto* add = std::get_if<plan::AddRoute>(&action.what)) {
      changes.push_back({true, add->destination, add->takes_over});
    } else {
      changes.push_back({false, std::get<plan::RemoveRoute>(action.what).destination});
    }
  }
  std::vector<Result<void>> results(actions.size());
  const auto index = link_index();
  if (index) {
    results = links_->change_routes(*index, changes);
  } else {
    std::fill(results.begin(), results.end(), tl::unexpected(index.error()));
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (results[i]) continue;
    results[i] = os::with_context(std::string(changes[i].add ? "cannot add" : "cannot remove") +
                                      " route " + changes[i].destination.text(),
                                  results[i].error());
  }
  return results;
}

Result<void> LinuxDataPlane::perform_single(const plan::Action& action, const SecretKey& key) {
  return std::visit(
      [&](const auto& what) -> Result<void> {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, plan::ConfigureDevice>) {
          return perform(what, key);
        } else if constexpr (requires { this->perform(what); }) {
          return perform(what);
        } else if constexpr (requires { what.destination; }) {
          return perform_routes({&action, 1}).front();
        } else {
          return perform_peers({&action, 1}).front();
        }
      },
      action.what);
}

Result<void> LinuxDataPlane::apply(const plan::Action& action, const SecretKey& private_key) {
  auto done = perform_single(action, private_key);
  // The link may have been deleted, or deleted and made again, since it was looked at.
  if (!done && done.error().code == Errc::not_found) index_ = 0;
  return done;
}

std::vector<Result<void>> LinuxDataPlane::apply_all(const std::vector<plan::Action>& actions,
                                                    const SecretKey& private_key) {
  std::vector<Result<void>> results;
  results.reserve(actions.size());
  const std::span<const plan::Action> all(actions);
  bool unaddressed = false;  // an address could not be added: without one no peer is reached
  bool untaken = false;      // a route could not be taken over: without the alias it is tried again
  for (std::size_t begin = 0; begin < all.size();) {
    const auto run = [&](bool (*belongs)(const plan::Action&)) {
      std::size_t end = begin;
      while (end < all.size() && belongs(all[end]))
        ++end;
      return all.subspan(begin, end - begin);
    };
    const auto peers = run(is_peer);
    const auto routes = run(is_route);
    if (!peers.empty()) {
      for (auto& result : perform_peers(peers))
        results.push_back(std::move(result));
    } else if (!routes.empty()) {
      for (auto& result : perform_routes(routes)) {
        const auto* add = std::get_if<plan::AddRoute>(&all[results.size()].what);
        untaken = untaken || (!result && add != nullptr && add->takes_over);
        results.push_back(std::move(result));
      }
    } else if (untaken && std::holds_alternative<plan::SetAlias>(all[begin].what)) {
      results.push_back(
          fail(Errc::busy, config_.interface + " is not marked as ours before all its routes are"));
    } else if (unaddressed && std::holds_alternative<plan::RemoveAddress>(all[begin].what)) {
      const auto& gone = std::get<plan::RemoveAddress>(all[begin].what);
      results.push_back(fail(Errc::busy, "the address " + gone.address.text() + " stays on " +
                                             config_.interface + " until it has another"));
    } else {
      results.push_back(apply(all[begin], private_key));
      unaddressed = unaddressed ||
                    (!results.back() && std::holds_alternative<plan::AddAddress>(all[begin].what));
    }
    begin = results.size();
    if (!results.back() && results.back().error().code == Errc::not_found) index_ = 0;
  }
  return results;
}

}  // namespace wesher::system
