// WireGuard's generic netlink messages ⇄ values. Pure functions of their arguments.
#include "system/wg_codec.h"

#include <algorithm>
#include <array>

#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

namespace wesher::system {

namespace {

/// What the largest peer head with one allowed IP takes: nest 4, key 36, flags 8, IPv6 endpoint 32,
/// keepalive 8, list nest 4, one IPv6 allowed IP 40.
constexpr std::size_t kPeerHeadMax = 132;
constexpr std::size_t kAllowedMax = 40;

MessageBuilder wg_message(std::uint16_t family,
                          std::uint8_t command,
                          std::uint16_t flags,
                          std::string_view interface) {
  MessageBuilder message(family, flags);
  message.put_header(genlmsghdr{.cmd = command, .version = WG_GENL_VERSION, .reserved = 0});
  message.put_text(WGDEVICE_A_IFNAME, interface);
  return message;
}

void put_endpoint(MessageBuilder& message, const Endpoint& endpoint) {
  const ByteView address = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in sa{};
    sa.sin_family = AF_INET;
    sa.sin_port = htons(endpoint.port);
    std::memcpy(&sa.sin_addr, address.data(), address.size());
    message.put_struct(WGPEER_A_ENDPOINT, sa);
  } else {
    sockaddr_in6 sa{};
    sa.sin6_family = AF_INET6;
    sa.sin6_port = htons(endpoint.port);
    std::memcpy(&sa.sin6_addr, address.data(), address.size());
    message.put_struct(WGPEER_A_ENDPOINT, sa);
  }
}

void put_allowed(MessageBuilder& message, const Prefix& prefix) {
  const std::size_t nest = message.begin_nest(0);
  message.put_u16(WGALLOWEDIP_A_FAMILY, prefix.address.is_v4() ? AF_INET : AF_INET6);
  message.put(WGALLOWEDIP_A_IPADDR, prefix.address.bytes());
  message.put_u8(WGALLOWEDIP_A_CIDR_MASK, static_cast<std::uint8_t>(prefix.length));
  message.end_nest(nest);
}

/// Puts a peer from its allowed IP number `next` on; returns the number of the first that did not
/// fit.
std::size_t put_peer(MessageBuilder& message, const WgPeerChange& peer, std::size_t next) {
  const bool first_piece = next == 0;
  const std::size_t nest = message.begin_nest(0);
  message.put(WGPEER_A_PUBLIC_KEY, peer.key.bytes());
  std::uint32_t flags = 0;
  if (peer.verb == WgPeerVerb::remove) flags |= WGPEER_F_REMOVE_ME;
  if (peer.verb == WgPeerVerb::update) flags |= WGPEER_F_UPDATE_ONLY;
  if (peer.replace_allowed && first_piece) flags |= WGPEER_F_REPLACE_ALLOWEDIPS;
  if (flags != 0) message.put_u32(WGPEER_A_FLAGS, flags);
  if (peer.endpoint && first_piece) put_endpoint(message, *peer.endpoint);
  if (peer.keepalive_s && first_piece) {
    message.put_u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *peer.keepalive_s);
  }
  if (!peer.allowed.empty()) {
    const std::size_t list = message.begin_nest(WGPEER_A_ALLOWEDIPS);
    while (next < peer.allowed.size() && message.room() >= kAllowedMax) {
      put_allowed(message, peer.allowed[next++]);
    }
    message.end_nest(list);
  }
  message.end_nest(nest);
  return next;
}

std::optional<Endpoint> read_endpoint(ByteView payload) {
  const auto family = struct_at<sa_family_t>(payload);
  if (family == AF_INET) {
    if (const auto sa = struct_at<sockaddr_in>(payload)) {
      const auto raw = payload.subspan(offsetof(sockaddr_in, sin_addr), 4);
      return Endpoint{*IpAddress::from_bytes(raw), ntohs(sa->sin_port)};
    }
  }
  if (family == AF_INET6) {
    if (const auto sa = struct_at<sockaddr_in6>(payload)) {
      const auto raw = payload.subspan(offsetof(sockaddr_in6, sin6_addr), 16);
      return Endpoint{*IpAddress::from_bytes(raw), ntohs(sa->sin6_port)};
    }
  }
  return std::nullopt;
}

std::optional<Prefix> read_allowed(const Attr& attr) {
  std::optional<IpAddress> address;
  std::optional<std::uint8_t> length;
  for (const Attr& field : Attrs(attr.payload)) {
    if (field.type == WGALLOWEDIP_A_IPADDR) {
      if (const auto ip = IpAddress::from_bytes(field.payload)) address = *ip;
    } else if (field.type == WGALLOWEDIP_A_CIDR_MASK) {
      length = field.u8();
    }
  }
  if (!address || !length || *length > address->bits()) return std::nullopt;
  return Prefix{*address, *length};
}

std::optional<PublicKey> read_key(ByteView payload) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  if (payload.size() != bytes.size()) return std::nullopt;
  std::copy(payload.begin(), payload.end(), bytes.begin());
  return PublicKey(bytes);
}

}  // namespace

void sort_device(WgDevice& device) {
  for (ObservedPeer& peer : device.peers)
    std::sort(peer.allowed_ips.begin(), peer.allowed_ips.end());
  std::sort(device.peers.begin(), device.peers.end(),
            [](const ObservedPeer& a, const ObservedPeer& b) { return a.key < b.key; });
}

std::optional<WallTime> handshake_time(std::int64_t seconds, std::int64_t nanoseconds) {
  constexpr std::int64_t kYear10000 = 253402300800;
  if (seconds < 0 || seconds >= kYear10000 || nanoseconds < 0 || nanoseconds >= 1000000000) {
    return std::nullopt;
  }
  if (seconds == 0 && nanoseconds == 0) return std::nullopt;
  return wall_from_ms(seconds * 1000 + nanoseconds / 1000000);
}

Bytes encode_get_device(std::uint16_t family, std::string_view interface) {
  return wg_message(family, WG_CMD_GET_DEVICE, NLM_F_DUMP, interface).take();
}

std::vector<WgMessage> encode_set_device(std::uint16_t family,
                                         std::string_view interface,
                                         const WgChange& change) {
  std::vector<WgMessage> messages;
  std::size_t peer = 0;
  std::size_t allowed = 0;
  do {
    MessageBuilder message = wg_message(family, WG_CMD_SET_DEVICE, 0, interface);
    if (messages.empty()) {
      if (change.private_key != nullptr) {
        message.put(WGDEVICE_A_PRIVATE_KEY, change.private_key->bytes());
      }
      if (change.listen_port) message.put_u16(WGDEVICE_A_LISTEN_PORT, *change.listen_port);
      if (change.replace_peers) message.put_u32(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
    }
    const std::size_t first = peer;
    std::size_t touched = peer;
    const std::size_t list = message.begin_nest(WGDEVICE_A_PEERS);
    while (peer < change.peers.size() && message.room() >= kPeerHeadMax) {
      touched = peer + 1;
      allowed = put_peer(message, change.peers[peer], allowed);
      if (allowed < change.peers[peer].allowed.size()) break;
      ++peer;
      allowed = 0;
    }
    message.end_nest(list);
    messages.push_back({message.take(), first, touched});
  } while (peer < change.peers.size());
  return messages;
}

bool WgDumpReader::feed(ByteView payload) {
  const auto head = struct_at<genlmsghdr>(payload);
  if (!head || head->cmd != WG_CMD_GET_DEVICE) return false;
  for (const Attr& attr : Attrs(behind<genlmsghdr>(payload))) {
    if (attr.type == WGDEVICE_A_PUBLIC_KEY) {
      const auto key = read_key(attr.payload);
      if (key && !key->is_zero()) device_.key = key;
    } else if (attr.type == WGDEVICE_A_LISTEN_PORT) {
      device_.listen_port = attr.u16().value_or(0);
    } else if (attr.type == WGDEVICE_A_PEERS) {
      for (const Attr& peer : Attrs(attr.payload))
        feed_peer(peer);
    }
  }
  return true;
}

void WgDumpReader::feed_peer(const Attr& attr) {
  ObservedPeer peer;
  bool has_key = false;
  for (const Attr& field : Attrs(attr.payload)) {
    if (field.type == WGPEER_A_PUBLIC_KEY) {
      const auto key = read_key(field.payload);
      has_key = key.has_value();
      peer.key = key.value_or(PublicKey{});
    } else if (field.type == WGPEER_A_ENDPOINT) {
      peer.endpoint = read_endpoint(field.payload);
    } else if (field.type == WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL) {
      peer.keepalive_s = field.u16().value_or(0);
    } else if (field.type == WGPEER_A_LAST_HANDSHAKE_TIME) {
      if (const auto time = struct_at<__kernel_timespec>(field.payload)) {
        peer.last_handshake = handshake_time(time->tv_sec, time->tv_nsec);
      }
    } else if (field.type == WGPEER_A_RX_BYTES) {
      peer.rx_bytes = field.u64().value_or(0);
    } else if (field.type == WGPEER_A_TX_BYTES) {
      peer.tx_bytes = field.u64().value_or(0);
    } else if (field.type == WGPEER_A_ALLOWEDIPS) {
      for (const Attr& item : Attrs(field.payload)) {
        if (const auto prefix = read_allowed(item)) peer.allowed_ips.push_back(*prefix);
      }
    }
  }
  if (!has_key) return;
  if (!device_.peers.empty() && device_.peers.back().key == peer.key) {
    auto& known = device_.peers.back().allowed_ips;
    known.insert(known.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
    return;
  }
  device_.peers.push_back(std::move(peer));
}

WgDevice WgDumpReader::take() {
  sort_device(device_);
  return std::move(device_);
}

std::optional<SecretKey> decode_private_key(ByteView payload) {
  const auto head = struct_at<genlmsghdr>(payload);
  if (!head || head->cmd != WG_CMD_GET_DEVICE) return std::nullopt;
  for (const Attr& attr : Attrs(behind<genlmsghdr>(payload))) {
    if (attr.type != WGDEVICE_A_PRIVATE_KEY) continue;
    auto key = SecretKey::from_bytes(attr.payload);
    if (key && !key->is_zero()) return std::move(*key);
  }
  return std::nullopt;
}

Bytes encode_get_family(std::string_view family) {
  MessageBuilder message(GENL_ID_CTRL, 0);
  message.put_header(genlmsghdr{.cmd = CTRL_CMD_GETFAMILY, .version = 1, .reserved = 0});
  message.put_text(CTRL_ATTR_FAMILY_NAME, family);
  return message.take();
}

std::optional<std::uint16_t> decode_family_id(ByteView payload) {
  for (const Attr& attr : Attrs(behind<genlmsghdr>(payload))) {
    if (attr.type == CTRL_ATTR_FAMILY_ID) return attr.u16();
  }
  return std::nullopt;
}

}  // namespace wesher::system
