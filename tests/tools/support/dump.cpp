#include "tools/support/dump.h"

#include <algorithm>
#include <optional>
#include <string>

#include "tools/support/message_json.h"
#include "wire/compression.h"
#include "wire/limits.h"
#include "wire/packet.h"
#include "wire/stream.h"

namespace wesher::tools {

namespace {

using wire::MessageType;

constexpr std::size_t kCrcHeaderBytes = 5;
constexpr std::size_t kFrameHeaderBytes = 5;

bool is_type(ByteView bytes, MessageType type) {
  return !bytes.empty() && bytes.front() == static_cast<std::uint8_t>(type);
}

/// Collects what is found, layer by layer.
class Walk {
 public:
  explicit Walk(Dump& out) : out_(out) {}

  /// Strips a label; nothing when it is damaged. Without one the label is empty.
  std::optional<std::string> label(ByteView& bytes) {
    if (!is_type(bytes, MessageType::label)) return "";
    ByteReader reader(bytes.subspan(1));
    const ByteView label = reader.take(reader.u8());
    if (!reader.ok() || label.empty()) {
      error("a label that is empty or longer than what is there");
      return std::nullopt;
    }
    layer({{"layer", "label"}, {"label", as_text(label)}});
    bytes = reader.rest();
    return std::string(as_text(label));
  }

  std::optional<Bytes> decrypt(const wire::Keyring& keyring, ByteView sealed, ByteView additional) {
    auto plain = keyring.open(sealed, additional);
    if (!plain) {
      error(plain.error().detail);
      return std::nullopt;
    }
    layer({{"layer", "encryption"}, {"version", sealed.front()}, {"bytes", plain->size()}});
    return *plain;
  }

  void packet(ByteView plain) {
    if (is_type(plain, MessageType::crc) && plain.size() >= kCrcHeaderBytes) {
      const ByteView inner = plain.subspan(kCrcHeaderBytes);
      const Bytes right = wire::add_crc(inner);
      const ByteView header = plain.first(kCrcHeaderBytes);
      if (right.empty()) return error("a CRC with nothing behind it");
      if (!std::equal(header.begin(), header.end(), right.begin()))
        return error("the CRC is that of other bytes");
      layer({{"layer", "crc"}, {"crc", to_hex(header.subspan(1))}});
      plain = inner;
    }
    part(plain, 0);
  }

  void stream(ByteView plain) {
    Bytes inflated;
    std::size_t bad = 0;
    const auto message = wire::decode_stream(plain, &bad);
    if (is_type(plain, MessageType::compress)) {
      auto inner = decompressed(plain.subspan(1), limits::kFramePlainBytes);
      if (!inner) return;
      inflated = std::move(*inner);
      plain = inflated;
    }
    if (!message) return error(message.error().detail);
    found(to_json(*message), plain, wire::encode_stream(*message));
    if (bad > 0) error(std::to_string(bad) + " entries that cannot be used");
  }

  void error(const std::string& what) {
    out_.readable = false;
    out_.objects.push_back({{"error", what}, {"depth", depth_}});
  }

 private:
  void layer(Json object) {
    object["depth"] = depth_++;
    out_.objects.push_back(std::move(object));
  }

  void found(Json object, ByteView bytes, const Bytes& again) {
    object["bytes"] = bytes.size();
    object["canonical"] = std::equal(bytes.begin(), bytes.end(), again.begin(), again.end());
    object["depth"] = depth_;
    out_.objects.push_back(std::move(object));
  }

  std::optional<Bytes> decompressed(ByteView body, std::size_t limit) {
    auto inner = wire::decompress_body(body, limit);
    if (!inner) {
      error(inner.error().detail);
      return std::nullopt;
    }
    layer({{"layer", "compress"}, {"packed", body.size()}, {"bytes", inner->size()}});
    return *inner;
  }

  void part(ByteView bytes, unsigned nesting) {
    if (bytes.empty()) return error("an empty part");
    const bool compound = is_type(bytes, MessageType::compound);
    if (!compound && !is_type(bytes, MessageType::compress)) return message(bytes);
    if (nesting == limits::kNesting) return error("layers nested too deep");
    const unsigned outside = depth_;
    if (compound) {
      parts(bytes.subspan(1), nesting + 1);
    } else if (const auto inner = decompressed(bytes.subspan(1), limits::kDatagramPlainBytes)) {
      part(*inner, nesting + 1);
    }
    depth_ = outside;
  }

  void parts(ByteView body, unsigned nesting) {
    ByteReader reader(body);
    const std::size_t count = reader.u8();
    ByteReader lengths(reader.take(count * 2));
    if (!reader.ok()) return error("a compound whose table of lengths is cut off");
    layer({{"layer", "compound"}, {"parts", count}});
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView bytes = reader.take(lengths.u16());
      if (!reader.ok()) return error("a compound that ends before part " + std::to_string(i + 1));
      part(bytes, nesting);
    }
    if (reader.left() > 0) error(std::to_string(reader.left()) + " bytes behind the last part");
  }

  void message(ByteView bytes) {
    const auto message = wire::decode(bytes);
    if (!message) return error(message.error().detail);
    found(to_json(*message), bytes, wire::encode(*message));
  }

  Dump& out_;
  unsigned depth_ = 0;
};

}  // namespace

Dump dump_packet(const wire::Keyring& keyring, ByteView datagram) {
  Dump out;
  Walk walk(out);
  if (datagram.empty() || datagram.size() > limits::kDatagramBytes) {
    walk.error("no datagram has " + std::to_string(datagram.size()) + " bytes");
    return out;
  }
  const auto label = walk.label(datagram);
  if (!label) return out;
  if (const auto plain = walk.decrypt(keyring, datagram, as_bytes(*label))) walk.packet(*plain);
  return out;
}

Dump dump_stream(const wire::Keyring& keyring, ByteView stream) {
  Dump out;
  Walk walk(out);
  const auto label = walk.label(stream);
  if (!label) return out;
  wire::FrameReader reader(limits::kFrameBytesMember);
  if (const auto fed = reader.feed(stream); !fed) {
    walk.error(fed.error().detail);
    return out;
  }
  if (!reader.complete()) {
    walk.error("the stream ends " + std::to_string(reader.missing()) + " bytes too early");
    return out;
  }
  const ByteView frame = stream.first(reader.buffered());
  Bytes additional(frame.begin(), frame.begin() + kFrameHeaderBytes);
  additional.insert(additional.end(), label->begin(), label->end());
  if (const auto plain = walk.decrypt(keyring, frame.subspan(kFrameHeaderBytes), additional))
    walk.stream(*plain);
  if (stream.size() > frame.size())
    walk.error(std::to_string(stream.size() - frame.size()) + " bytes behind the frame");
  return out;
}

std::string to_line(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace wesher::tools
