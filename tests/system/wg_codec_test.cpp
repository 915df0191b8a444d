// WireGuard's netlink messages: golden bytes, splitting, and dumps as the kernel sends them.
#include "system/wg_codec.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

using namespace wesher;
using namespace wesher::system;

namespace {

constexpr std::uint16_t kFamily = 0x22;

PublicKey key(std::uint32_t n) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes[0] = static_cast<std::uint8_t>(n >> 16);
  bytes[1] = static_cast<std::uint8_t>(n >> 8);
  bytes[2] = static_cast<std::uint8_t>(n);
  bytes[31] = 0x7f;
  return PublicKey(bytes);
}

Prefix address(std::uint32_t n) {
  return Prefix::host(IpAddress::v4(10, static_cast<std::uint8_t>(n >> 16),
                                    static_cast<std::uint8_t>(n >> 8),
                                    static_cast<std::uint8_t>(n)));
}

/// What the kernel would have read: peers of a set message in order, pieces not merged.
struct SetPeer {
  PublicKey key;
  std::uint32_t flags = 0;
  bool endpoint = false;
  std::size_t allowed = 0;
  std::optional<std::uint16_t> keepalive_s = {};
};

std::vector<SetPeer> peers_of(const Bytes& message) {
  std::vector<SetPeer> peers;
  for (const NetlinkMessage& m : NetlinkMessages(message)) {
    for (const Attr& attr : Attrs(behind<genlmsghdr>(m.payload))) {
      if (attr.type != WGDEVICE_A_PEERS) continue;
      for (const Attr& item : Attrs(attr.payload)) {
        SetPeer& peer = peers.emplace_back();
        for (const Attr& field : Attrs(item.payload)) {
          if (field.type == WGPEER_A_PUBLIC_KEY) peer.key = *PublicKey::from_bytes(field.payload);
          if (field.type == WGPEER_A_FLAGS) peer.flags = *field.u32();
          if (field.type == WGPEER_A_ENDPOINT) peer.endpoint = true;
          if (field.type == WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL) peer.keepalive_s = field.u16();
          if (field.type != WGPEER_A_ALLOWEDIPS) continue;
          for ([[maybe_unused]] const Attr& ip : Attrs(field.payload))
            ++peer.allowed;
        }
      }
    }
  }
  return peers;
}

/// One message of a dump with the given peers, built from the kernel's own constants.
Bytes dump_message(std::uint32_t first, std::uint32_t count, std::uint32_t ips_of_last) {
  MessageBuilder m(kFamily, NLM_F_MULTI, 65000);
  m.put_header(genlmsghdr{.cmd = WG_CMD_GET_DEVICE, .version = 1, .reserved = 0});
  m.put_u16(WGDEVICE_A_LISTEN_PORT, 51820);
  m.put(WGDEVICE_A_PUBLIC_KEY, key(999).bytes());
  const std::size_t list = m.begin_nest(WGDEVICE_A_PEERS);
  for (std::uint32_t i = first; i < first + count; ++i) {
    const std::size_t peer = m.begin_nest(0);
    m.put(WGPEER_A_PUBLIC_KEY, key(i).bytes());
    sockaddr_in endpoint{};
    endpoint.sin_family = AF_INET;
    endpoint.sin_port = htons(7);
    endpoint.sin_addr.s_addr = htonl(0xc0000201);
    m.put_struct(WGPEER_A_ENDPOINT, endpoint);
    m.put_struct(WGPEER_A_LAST_HANDSHAKE_TIME, __kernel_timespec{.tv_sec = i, .tv_nsec = 5000000});
    m.put_struct(WGPEER_A_RX_BYTES, std::uint64_t{1} << 40);
    const std::size_t ips = m.begin_nest(WGPEER_A_ALLOWEDIPS);
    for (std::uint32_t n = 0; n < (i + 1 == first + count ? ips_of_last : 1); ++n) {
      const std::size_t ip = m.begin_nest(0);
      m.put_u16(WGALLOWEDIP_A_FAMILY, AF_INET);
      m.put(WGALLOWEDIP_A_IPADDR, address(1000 - n).address.bytes());
      m.put_u8(WGALLOWEDIP_A_CIDR_MASK, 32);
      m.end_nest(ip);
    }
    m.end_nest(ips);
    m.end_nest(peer);
  }
  m.end_nest(list);
  REQUIRE(m.ok());
  return m.take();
}

bool feed(WgDumpReader& reader, const Bytes& message) {
  bool taken = true;
  for (const NetlinkMessage& m : NetlinkMessages(message))
    taken = reader.feed(m.payload) && taken;
  return taken;
}

}  // namespace

TEST_CASE("a message that adds one peer has exactly these bytes") {
  WgChange change;
  change.listen_port = 51820;
  change.peers.push_back({.key = key(0x010203),
                          .endpoint = Endpoint{IpAddress::v4(192, 0, 2, 1), 0x1234},
                          .allowed = {address(2)}});
  const auto messages = encode_set_device(kFamily, "wg0", change);
  REQUIRE(messages.size() == 1);
  CHECK(to_hex(messages[0].bytes) ==
        "84000000"
        "2200"
        "0100"
        "00000000"
        "00000000"  // length, family, request
        "01010000"  // set device, version 1
        "08000200"
        "77673000"  // interface wg0
        "06000600"
        "6cca0000"  // listen port
        "60000880"  // peers
        "5c000080"  // peer
        "24000100"
        "010203" +
            std::string(56, '0') +
            "7f"
            "14000400"
            "02001234c00002010000000000000000"  // endpoint
            "20000980"
            "1c000080"  // allowed IPs
            "06000100"
            "02000000"
            "08000200"
            "0a000002"
            "05000300"
            "20000000");
}

TEST_CASE("a thousand peers and a peer of five thousand addresses go in messages of at most 8 KB") {
  WgChange change;
  change.private_key = nullptr;
  change.listen_port = 1;
  for (std::uint32_t n = 0; n < 1000; ++n) {
    WgPeerChange peer{.verb = WgPeerVerb::update,
                      .key = key(n),
                      .endpoint = Endpoint{*IpAddress::parse("2001:db8::1"), 1},
                      .replace_allowed = true,
                      .keepalive_s = std::uint16_t{25}};
    const std::uint32_t count = n == 500 ? 5000 : n % 3;
    for (std::uint32_t i = 0; i < count; ++i)
      peer.allowed.push_back(address(n * 5000 + i));
    change.peers.push_back(std::move(peer));
  }
  std::vector<SetPeer> pieces;
  std::size_t covered = 0;
  const auto messages = encode_set_device(kFamily, "wgoverlay", change);
  for (const WgMessage& message : messages) {
    CHECK(message.bytes.size() <= 8192);
    const auto peers = peers_of(message.bytes);
    REQUIRE(peers.size() == message.last_peer - message.first_peer);
    CHECK(message.first_peer <= covered);
    for (std::size_t i = 0; i < peers.size(); ++i)
      CHECK(peers[i].key == change.peers[message.first_peer + i].key);
    covered = message.last_peer;
    pieces.insert(pieces.end(), peers.begin(), peers.end());
  }
  CHECK(covered == 1000);
  CHECK(messages.size() < 50);

  std::vector<SetPeer> merged;
  for (const SetPeer& piece : pieces) {
    const bool continued = !merged.empty() && merged.back().key == piece.key;
    // Replacing and the endpoint belong to the first piece alone, "only if it is there" to all.
    CHECK(((piece.flags & WGPEER_F_REPLACE_ALLOWEDIPS) != 0) == !continued);
    CHECK(piece.endpoint == !continued);
    CHECK(piece.keepalive_s.has_value() == !continued);
    CHECK((piece.flags & WGPEER_F_UPDATE_ONLY) != 0);
    if (continued) {
      merged.back().allowed += piece.allowed;
    } else {
      merged.push_back(piece);
    }
  }
  REQUIRE(merged.size() == 1000);
  for (std::size_t n = 0; n < 1000; ++n)
    CHECK(merged[n].allowed == change.peers[n].allowed.size());
}

TEST_CASE("peers are replaced only where that is asked for") {
  WgChange change;
  change.peers.push_back({.key = key(1)});
  const auto has_flags = [](const WgChange& c) {
    const auto messages = encode_set_device(kFamily, "wg0", c);
    bool found = false;
    for (const NetlinkMessage& m : NetlinkMessages(messages.at(0).bytes)) {
      for (const Attr& attr : Attrs(behind<genlmsghdr>(m.payload)))
        found = found || attr.type == WGDEVICE_A_FLAGS;
    }
    return found;
  };
  CHECK_FALSE(has_flags(change));
  change.replace_peers = true;
  CHECK(has_flags(change));
  CHECK(peers_of(encode_set_device(kFamily, "wg0", change).at(0).bytes).at(0).flags == 0);
}

TEST_CASE("a peer that the dump continues in the next message is one peer") {
  WgDumpReader reader;
  CHECK(feed(reader, dump_message(5, 3, 20)));
  CHECK(feed(reader, dump_message(7, 1, 30)));
  CHECK(feed(reader, dump_message(1, 2, 1)));
  const WgDevice device = reader.take();
  CHECK(device.key == key(999));
  CHECK(device.listen_port == 51820);
  REQUIRE(device.peers.size() == 5);
  CHECK(device.peers[0].key == key(1));
  CHECK(device.peers[4].key == key(7));
  CHECK(device.peers[4].allowed_ips.size() == 50);
  CHECK(std::is_sorted(device.peers[4].allowed_ips.begin(), device.peers[4].allowed_ips.end()));
  CHECK(device.peers[0].endpoint == Endpoint{IpAddress::v4(192, 0, 2, 1), 7});
  CHECK(device.peers[0].last_handshake == wall_from_ms(1005));
  CHECK(device.peers[0].rx_bytes == std::uint64_t{1} << 40);
}

TEST_CASE("a dump cut off anywhere gives whole peers or none and never reads behind the end") {
  const Bytes whole = dump_message(1, 4, 3);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    cut.shrink_to_fit();
    WgDumpReader reader;
    if (length >= sizeof(nlmsghdr)) reader.feed(ByteView(cut).subspan(sizeof(nlmsghdr)));
    CHECK(reader.take().peers.empty());  // the list's own length does not fit any more
  }
}

TEST_CASE("a handshake time of zero or of no calendar is none") {
  CHECK_FALSE(handshake_time(0, 0));
  CHECK_FALSE(handshake_time(-1, 0));
  CHECK_FALSE(handshake_time(INT64_MAX, 0));
  CHECK_FALSE(handshake_time(1, 1000000000));
  CHECK(handshake_time(1, 999999999) == wall_from_ms(1999));
}

TEST_CASE("what does not fit a message is refused and not written") {
  MessageBuilder m(1, 0, 64);
  m.put(1, Bytes(16, 1));
  CHECK(m.ok());
  CHECK(m.room() == 64 - 16 - 20);
  m.put(2, Bytes(25, 2));  // with header and padding 32 of the 28 bytes left
  CHECK_FALSE(m.ok());
  CHECK(m.take().size() == 36);
}

TEST_CASE("the private key is read from a message of a dump") {
  const auto message = [](const Bytes& key, std::uint8_t command) {
    MessageBuilder builder(kFamily, 0);
    builder.put_header(genlmsghdr{.cmd = command, .version = WG_GENL_VERSION, .reserved = 0});
    builder.put_u16(WGDEVICE_A_LISTEN_PORT, 51820);
    builder.put(WGDEVICE_A_PRIVATE_KEY, key);
    return builder.take();
  };
  const auto read = [](const Bytes& bytes) {
    for (const NetlinkMessage& m : NetlinkMessages(bytes))
      return decode_private_key(m.payload);
    return std::optional<SecretKey>{};
  };
  const auto found = read(message(Bytes(kKeyBytes, 7), WG_CMD_GET_DEVICE));
  REQUIRE(found);
  CHECK(found->bytes().front() == 7);
  CHECK_FALSE(read(message(Bytes(kKeyBytes, 0), WG_CMD_GET_DEVICE)));
  CHECK_FALSE(read(message(Bytes(kKeyBytes - 1, 7), WG_CMD_GET_DEVICE)));
  CHECK_FALSE(read(message(Bytes(kKeyBytes, 7), WG_CMD_SET_DEVICE)));
  CHECK_FALSE(decode_private_key({}));
}
