// The kernel's WireGuard over generic netlink. See kernel_wg.h.
#include "system/kernel_wg.h"

#include <algorithm>
#include <cerrno>

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "os/error.h"
#include "system/wg_codec.h"

namespace wesher::system {

Result<std::unique_ptr<KernelWg>> KernelWg::open(const std::string& interface, LinkControl& links) {
  auto socket = NetlinkSocket::open(NETLINK_GENERIC);
  if (!socket) return tl::unexpected(socket.error());
  std::optional<std::uint16_t> family;
  const auto done =
      socket->request(encode_get_family(WG_GENL_NAME), [&](const NetlinkMessage& message) {
        if (message.header.nlmsg_type == GENL_ID_CTRL) family = decode_family_id(message.payload);
      });
  if (!done && done.error().os_errno != ENOENT) {
    return os::with_context("cannot ask the kernel for WireGuard", done.error());
  }
  if (!family) return fail(Errc::no_wireguard, "this kernel has no WireGuard", ENOENT);
  return std::unique_ptr<KernelWg>(new KernelWg(interface, links, std::move(*socket), *family));
}

Result<WgDevice> KernelWg::get() {
  WgDevice device;
  const Bytes request = encode_get_device(family_, interface_);
  const auto complete = dump_with_retries([&]() -> Result<bool> {
    WgDumpReader reader;
    auto done = socket_.dump(request, [&](const NetlinkMessage& message) {
      if (message.header.nlmsg_type == family_) reader.feed(message.payload);
    });
    device = reader.take();
    return done;
  });
  if (!complete)
    return os::with_context("cannot read WireGuard device " + interface_, complete.error());
  device.complete = *complete;
  return device;
}

Result<SecretKey> KernelWg::private_key() {
  std::optional<SecretKey> key;
  const auto done =
      socket_.dump(encode_get_device(family_, interface_), [&](const NetlinkMessage& message) {
        if (message.header.nlmsg_type != family_ || key) return;
        key = decode_private_key(message.payload);
      });
  if (!done) return tl::unexpected(done.error());
  if (!key) return fail(Errc::not_found, "it has none");
  return std::move(*key);
}

Result<void> KernelWg::create(std::uint32_t mtu) {
  return links_.create_wireguard_link(interface_, mtu);
}

Result<void> KernelWg::set(const WgChange& change) {
  for (WgMessage& message : encode_set_device(family_, interface_, change)) {
    if (auto done = socket_.request(std::move(message.bytes)); !done) return done;
  }
  return {};
}

Result<void> KernelWg::set_device(const SecretKey* private_key,
                                  std::optional<std::uint16_t> listen_port) {
  WgChange change;
  change.private_key = private_key;
  change.listen_port = listen_port;
  return set(change);
}

std::vector<Result<void>> KernelWg::set_peers(std::span<const WgPeerChange> changes) {
  std::vector<Result<void>> results(changes.size());
  WgChange all;
  all.peers.assign(changes.begin(), changes.end());
  for (WgMessage& message : encode_set_device(family_, interface_, all)) {
    const auto done = socket_.request(std::move(message.bytes));
    if (done) continue;
    if (message.last_peer - message.first_peer == 1) {
      results[message.first_peer] = done;
      continue;
    }
    // The kernel stops at the first object that it refuses; the rest of the message is lost.
    for (std::size_t i = message.first_peer; i < message.last_peer; ++i) {
      WgChange one;
      one.peers.push_back(changes[i]);
      results[i] = set(one);
    }
  }
  return results;
}

Result<void> KernelWg::clear_peers() {
  WgChange change;
  change.replace_peers = true;
  return set(change);
}

}  // namespace wesher::system
