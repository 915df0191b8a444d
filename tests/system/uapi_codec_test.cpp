// The text of userspace WireGuard's socket.
#include "system/uapi_codec.h"

#include <array>

#include <catch2/catch.hpp>

using namespace wesher;
using namespace wesher::system;

namespace {

PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bytes.fill(n);
  return PublicKey(bytes);
}

std::string hex(const char* digits) {
  std::string out;
  for (std::size_t i = 0; i < kKeyBytes; ++i)
    out += digits;
  return out;
}

}  // namespace

TEST_CASE("a change is written key by key in hex") {
  const SecretKey secret(key(0xab).bytes());
  WgChange change;
  change.private_key = &secret;
  change.listen_port = 51820;
  change.peers.push_back({.key = key(1),
                          .endpoint = Endpoint{*IpAddress::parse("2001:db8::1"), 7},
                          .allowed = {Prefix::parse("10.0.0.1/32").value()}});
  change.peers.push_back({.verb = WgPeerVerb::update,
                          .key = key(2),
                          .replace_allowed = true,
                          .allowed = {Prefix::parse("fd00::2/128").value()},
                          .keepalive_s = std::uint16_t{25}});
  change.peers.push_back({.verb = WgPeerVerb::remove, .key = key(3)});
  CHECK(encode_uapi_set(change) == "set=1\nprivate_key=" + hex("ab") +
                                       "\nlisten_port=51820\npublic_key=" + hex("01") +
                                       "\nendpoint=[2001:db8::1]:7\nallowed_ip=10.0.0.1/32\n"
                                       "public_key=" +
                                       hex("02") +
                                       "\nupdate_only=true\npersistent_keepalive_interval=25\n"
                                       "replace_allowed_ips=true\n"
                                       "allowed_ip=fd00::2/128\npublic_key=" +
                                       hex("03") + "\nremove=true\n\n");
}

TEST_CASE("a reply becomes a device with the public half of its key") {
  const std::string reply =
      "private_key=" + hex("40") + "\nlisten_port=51820\nfwmark=0\npublic_key=" + hex("09") +
      "\npreshared_key=" + hex("00") +
      "\nprotocol_version=1\nendpoint=[fe80::1%eth0]:5\nlast_handshake_time_sec=0\n"
      "last_handshake_time_nsec=0\ntx_bytes=12\nrx_bytes=18446744073709551615\n"
      "persistent_keepalive_interval=25\nallowed_ip=10.0.0.9/32\nallowed_ip=10.0.0.2/"
      "32\npublic_key=" +
      hex("02") +
      "\nendpoint=192.0.2.2:51820\nlast_handshake_time_sec=1700000000\n"
      "last_handshake_time_nsec=123456789\nnews=1\nerrno=0\n\n";
  const WgDevice device = decode_uapi_device(reply).value();
  CHECK(device.key == x25519_public(SecretKey(key(0x40).bytes())));
  CHECK(device.listen_port == 51820);
  REQUIRE(device.peers.size() == 2);
  CHECK(device.peers[0].key == key(2));
  CHECK(device.peers[0].last_handshake == wall_from_ms(1700000000123));
  CHECK(device.peers[0].allowed_ips.empty());
  CHECK(device.peers[1].endpoint == Endpoint{*IpAddress::parse("fe80::1"), 5});
  CHECK_FALSE(device.peers[1].last_handshake);
  CHECK(device.peers[1].keepalive_s == 25);
  CHECK(device.peers[1].rx_bytes == UINT64_MAX);
  CHECK(device.peers[1].tx_bytes == 12);
  CHECK(device.peers[1].allowed_ips.front().text() == "10.0.0.2/32");
}

TEST_CASE("the private key of a reply is that of the device and no other") {
  const auto found = decode_uapi_private_key("private_key=" + hex("40") + "\nlisten_port=1\n");
  REQUIRE(found);
  CHECK(found->same_as(SecretKey(key(0x40).bytes())));
  CHECK_FALSE(decode_uapi_private_key("private_key=" + hex("00") + "\nerrno=0\n\n"));
  CHECK_FALSE(decode_uapi_private_key("private_key=40\nerrno=0\n\n"));
  CHECK_FALSE(decode_uapi_private_key("listen_port=1\nerrno=0\n\n"));
  CHECK_FALSE(decode_uapi_private_key("public_key=" + hex("01") + "\nprivate_key=" + hex("40") +
                                      "\nerrno=0\n\n"));
}

TEST_CASE("a reply that is not whole or has a bad peer key is malformed") {
  const auto bad = GENERATE("", "\n", "errno=0\n", "listen_port=1\n\n",
                            "public_key=00\nerrno=0\n\n", "errno=x\n\n", "xerrno=0\n\n");
  CAPTURE(bad);
  const auto device = decode_uapi_device(bad);
  REQUIRE_FALSE(device);
  CHECK(device.error().code == Errc::malformed);
}

TEST_CASE("the result of a request is its errno as a positive number") {
  CHECK(uapi_errno("errno=0\n\n") == 0);
  CHECK(uapi_errno("a=b\nerrno=-98\n\n") == 98);
  CHECK(uapi_errno("errno=22\n\n") == 22);
  CHECK_FALSE(uapi_errno("errno=-2147483648\n\n"));
  CHECK_FALSE(uapi_errno("a=b\n\n"));
}
