// Netlink datagrams of any bytes through every decoder of system/: WireGuard dumps, links,
// addresses, routes, notifications.
#include <cstdint>
#include <cstdlib>

#include "system/rt_codec.h"
#include "system/watch.h"
#include "system/wg_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  using namespace wesher::system;
  const ByteView datagram(data, size);
  WgDumpReader reader;
  for (const NetlinkMessage& message : NetlinkMessages(datagram)) {
    reader.feed(message.payload);
    (void)decode_family_id(message.payload);
    (void)decode_link(message.payload);
    const auto address = decode_address(message.payload);
    if (address && address->address.length > address->address.address.bits()) std::abort();
    const auto route = decode_route(message.payload);
    if (route && route->destination.length > route->destination.address.bits()) std::abort();
  }
  for (const ObservedPeer& peer : reader.take().peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      if (prefix.length > prefix.address.bits()) std::abort();
    }
  }
  WatchContext context{"wg0", 5, 77};
  (void)concerns_us(datagram, context);
  return 0;
}
