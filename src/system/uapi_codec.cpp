// The text of userspace WireGuard's socket ⇄ values. Pure functions of their arguments.
#include "system/uapi_codec.h"

#include <algorithm>
#include <charconv>

#include "system/netlink_message.h"

namespace wesher::system {

namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::array<std::uint8_t, kKeyBytes>> hex_key(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != kKeyBytes) return std::nullopt;
  std::array<std::uint8_t, kKeyBytes> key{};
  std::copy(bytes->begin(), bytes->end(), key.begin());
  wipe(*bytes);
  return key;
}

/// A private key in hex; nothing for an all-zero key, which means "none".
std::optional<SecretKey> secret_of(std::string_view hex) {
  auto bytes = hex_key(hex);
  if (!bytes) return std::nullopt;
  SecretKey secret(*bytes);
  explicit_bzero(bytes->data(), bytes->size());
  if (secret.is_zero()) return std::nullopt;
  return secret;
}

std::optional<PublicKey> public_half(std::string_view hex) {
  const auto secret = secret_of(hex);
  if (!secret) return std::nullopt;
  return x25519_public(*secret);
}

/// "192.0.2.1:51820", "[2001:db8::1]:51820"; a zone behind '%' is left out.
std::optional<Endpoint> read_endpoint(std::string_view text) {
  std::string plain(text);
  const std::size_t zone = plain.find('%');
  const std::size_t close = plain.find(']');
  if (zone != std::string::npos && close != std::string::npos && zone < close) {
    plain.erase(zone, close - zone);
  }
  const auto endpoint = Endpoint::parse(plain);
  if (!endpoint) return std::nullopt;
  return *endpoint;
}

void read_peer_line(ObservedPeer& peer,
                    std::string_view name,
                    std::string_view value,
                    std::int64_t& seconds) {
  if (name == "endpoint") {
    peer.endpoint = read_endpoint(value);
  } else if (name == "allowed_ip") {
    if (const auto prefix = Prefix::parse(value)) peer.allowed_ips.push_back(*prefix);
  } else if (name == "persistent_keepalive_interval") {
    peer.keepalive_s = number<std::uint16_t>(value).value_or(0);
  } else if (name == "last_handshake_time_sec") {
    seconds = number<std::int64_t>(value).value_or(0);
    peer.last_handshake = handshake_time(seconds, 0);
  } else if (name == "last_handshake_time_nsec") {
    peer.last_handshake = handshake_time(seconds, number<std::int64_t>(value).value_or(0));
  } else if (name == "rx_bytes") {
    peer.rx_bytes = number<std::uint64_t>(value).value_or(0);
  } else if (name == "tx_bytes") {
    peer.tx_bytes = number<std::uint64_t>(value).value_or(0);
  }
}

/// Cuts the next line off `rest`, without its newline.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append("=").append(value).append("\n");
}

}  // namespace

std::string encode_uapi_set(const WgChange& change) {
  std::string out;
  out.reserve(256 + change.peers.size() * 256);  // no reallocation leaves a copy of the key behind
  out += "set=1\n";
  if (change.private_key != nullptr) {
    std::string hex = to_hex(change.private_key->bytes());
    append_line(out, "private_key", hex);
    wipe(hex);
  }
  if (change.listen_port) append_line(out, "listen_port", std::to_string(*change.listen_port));
  if (change.replace_peers) append_line(out, "replace_peers", "true");
  for (const WgPeerChange& peer : change.peers) {
    append_line(out, "public_key", to_hex(peer.key.bytes()));
    if (peer.verb == WgPeerVerb::remove) append_line(out, "remove", "true");
    if (peer.verb == WgPeerVerb::update) append_line(out, "update_only", "true");
    if (peer.endpoint) append_line(out, "endpoint", peer.endpoint->text());
    if (peer.keepalive_s) {
      append_line(out, "persistent_keepalive_interval", std::to_string(*peer.keepalive_s));
    }
    if (peer.replace_allowed) append_line(out, "replace_allowed_ips", "true");
    for (const Prefix& prefix : peer.allowed)
      append_line(out, "allowed_ip", prefix.text());
  }
  out += "\n";
  return out;
}

bool is_whole_uapi_reply(std::string_view text) {
  return text == "\n" || text.ends_with("\n\n");
}

std::optional<int> uapi_errno(std::string_view reply) {
  constexpr std::string_view kName = "errno=";
  std::size_t at = reply.rfind(kName);
  if (at == std::string_view::npos || (at > 0 && reply[at - 1] != '\n')) return std::nullopt;
  reply.remove_prefix(at + kName.size());
  const auto value = number<int>(next_line(reply));
  if (!value || *value == std::numeric_limits<int>::min()) return std::nullopt;
  return *value < 0 ? -*value : *value;
}

std::optional<SecretKey> decode_uapi_private_key(std::string_view reply) {
  static constexpr std::string_view kName = "private_key=";
  while (!reply.empty()) {
    const std::string_view line = next_line(reply);
    if (line.starts_with("public_key=")) return std::nullopt;  // the first peer
    if (line.starts_with(kName)) return secret_of(line.substr(kName.size()));
  }
  return std::nullopt;
}

Result<WgDevice> decode_uapi_device(std::string_view reply) {
  if (!is_whole_uapi_reply(reply) || !uapi_errno(reply)) {
    return fail(Errc::malformed, "the WireGuard socket gave an incomplete answer");
  }
  WgDevice device;
  std::int64_t seconds = 0;
  while (!reply.empty()) {
    const std::string_view line = next_line(reply);
    const std::size_t equals = line.find('=');
    if (line.empty() || equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (name == "public_key") {
      const auto key = hex_key(value);
      if (!key) return fail(Errc::malformed, "the WireGuard socket gave a bad peer key");
      device.peers.emplace_back().key = PublicKey(*key);
      seconds = 0;
    } else if (!device.peers.empty()) {
      read_peer_line(device.peers.back(), name, value, seconds);
    } else if (name == "private_key") {
      device.key = public_half(value);
    } else if (name == "listen_port") {
      device.listen_port = number<std::uint16_t>(value).value_or(0);
    }
  }
  sort_device(device);
  return device;
}

}  // namespace wesher::system
