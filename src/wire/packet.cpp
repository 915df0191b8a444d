// The layers of a datagram, opened and closed. Every layer is bounded before it is entered: bytes
// of the datagram, nesting, decompressed bytes and messages of all layers together. Source of the
// layout: memberlist net.go, v0.1.0 to v0.6.0; label.go since v0.3.0.
#include "wire/packet.h"

#include <algorithm>
#include <optional>

#include <zlib.h>

#include "wire/compression.h"
#include "wire/limits.h"

namespace wesher::wire {

namespace {

constexpr std::size_t kCrcHeaderBytes = 5;
constexpr std::size_t kPartBytesMax = 0xffff;
constexpr std::size_t kLabelBytesMax = 255;
/// What memberlist charges for a compound header: type and count.
constexpr std::size_t kCompoundOverhead = 2;

std::uint32_t crc32_of(ByteView bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

bool is_type(ByteView bytes, MessageType type) {
  return !bytes.empty() && bytes.front() == static_cast<std::uint8_t>(type);
}

/// What is behind the label, or nothing when the label is not ours.
std::optional<ByteView> strip_label(ByteView datagram, std::string_view label) {
  if (!is_type(datagram, MessageType::label))
    return label.empty() ? std::optional(datagram) : std::nullopt;
  ByteReader reader(datagram.subspan(1));
  const ByteView found = reader.take(reader.u8());
  if (!reader.ok() || found.empty() || as_text(found) != label) return std::nullopt;
  return reader.rest();
}

/// Takes the plaintext of one datagram apart. Lives for that one datagram and holds what is left
/// of its budgets.
class Opener {
 public:
  explicit Opener(PacketViews& out) : out_(out) {}

  void open_crc(ByteView plain) {
    if (!is_type(plain, MessageType::crc) || plain.size() < kCrcHeaderBytes) return open(plain, 0);
    ByteReader reader(plain.subspan(1));
    const std::uint32_t told = reader.u32();
    if (told != crc32_of(reader.rest())) return drop(PacketFault::crc);
    open(reader.rest(), 0);
  }

 private:
  /// One part, `layers` compound and compression layers deep; recursion ends at limits::kNesting.
  void open(ByteView part, unsigned layers) {
    if (part.empty()) return drop(PacketFault::empty);
    const bool compound = is_type(part, MessageType::compound);
    if (!compound && !is_type(part, MessageType::compress)) return open_message(part);
    if (layers == limits::kNesting) return drop(PacketFault::nesting);
    if (compound) return open_compound(part.subspan(1), layers + 1);
    open_compressed(part.subspan(1), layers + 1);
  }

  void open_compressed(ByteView body, unsigned layers) {
    auto plain = decompress_body(body, decompressed_left_);
    if (!plain) {
      return drop(plain.error().code == Errc::too_large ? PacketFault::too_large
                                                        : PacketFault::compression);
    }
    decompressed_left_ -= plain->size();
    // The buffer moves with the others when there are more; its bytes stay where they are.
    const ByteView part = out_.unpacked.emplace_back(std::move(*plain));
    open(part, layers);
  }

  void open_compound(ByteView body, unsigned layers) {
    ByteReader reader(body);
    const std::size_t count = reader.u8();
    ByteReader lengths(reader.take(count * 2));
    if (!reader.ok()) return drop(PacketFault::compound);
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView part = reader.take(lengths.u16());
      if (!reader.ok()) return drop(PacketFault::compound, count - i);
      open(part, layers);
    }
  }

  void open_message(ByteView part) {
    if (messages_left_ == 0) return drop(PacketFault::too_large);
    --messages_left_;
    auto message = view(part, out_.unpacked);
    if (!message) return drop(PacketFault::message);
    out_.messages.push_back(std::move(*message));
  }

  void drop(PacketFault fault, std::size_t parts = 1) {
    out_.fault = fault;
    out_.dropped += parts;
  }

  PacketViews& out_;
  std::size_t messages_left_ = limits::kDatagramMessages;
  std::size_t decompressed_left_ = limits::kDatagramPlainBytes;
};

void refuse(PacketViews& out, PacketFault fault, bool authenticated = false) {
  out.fault = fault;
  out.dropped = 1;
  out.authenticated = authenticated;
}

bool sendable(ByteView part) {
  return !part.empty() && part.size() <= kPartBytesMax;
}

}  // namespace

void view_packet(const Keyring& keyring,
                 ByteView datagram,
                 PacketViews& out,
                 std::string_view label) {
  out.messages.clear();
  out.unpacked.clear();
  out.fault = PacketFault::none;
  out.dropped = 0;
  out.authenticated = false;
  if (datagram.empty()) return refuse(out, PacketFault::empty);
  if (datagram.size() > limits::kDatagramBytes) return refuse(out, PacketFault::too_large);
  const auto sealed = strip_label(datagram, label);
  if (!sealed) return refuse(out, PacketFault::label);
  switch (keyring.open_to(out.plain, *sealed, as_bytes(label))) {
    case OpenFault::none:
      break;
    case OpenFault::no_key:
      return refuse(out, PacketFault::undecryptable);
    case OpenFault::padding:
      return refuse(out, PacketFault::undecryptable, true);
    case OpenFault::empty:
      return refuse(out, PacketFault::empty, true);
  }
  out.authenticated = true;
  Opener(out).open_crc(out.plain);
}

OpenedPacket open_packet(const Keyring& keyring, ByteView datagram, std::string_view label) {
  PacketViews views;
  view_packet(keyring, datagram, views, label);
  OpenedPacket out{{}, views.fault, views.dropped, views.authenticated};
  for (PacketMessageView& message : views.messages)
    out.messages.push_back(owned(std::move(message)));
  return out;
}

void PacketParts::clear() {
  bytes_.clear();
  sizes_.clear();
}

void PacketParts::add(ByteView part) {
  if (!sendable(part)) return;
  const std::size_t before = bytes_.size();
  bytes_.insert(bytes_.end(), part.begin(), part.end());
  added(before);
}

void PacketParts::add(const PingView& ping) {
  const std::size_t before = bytes_.size();
  encode_to(bytes_, ping);
  added(before);
}

void PacketParts::add(const AckView& ack) {
  const std::size_t before = bytes_.size();
  encode_to(bytes_, ack);
  added(before);
}

void PacketParts::added(std::size_t before) {
  const std::size_t size = bytes_.size() - before;
  if (size > kPartBytesMax || sizes_.size() == limits::kCompoundParts) {
    bytes_.resize(before);
  } else {
    sizes_.push_back(static_cast<std::uint16_t>(size));
  }
}

std::size_t PacketParts::plain_size() const {
  return sizes_.size() < 2 ? bytes_.size() : kCompoundOverhead + charged();
}

void PacketParts::write_to(Bytes& out) const {
  ByteWriter writer(out);
  if (sizes_.size() > 1) {
    writer.u8(static_cast<std::uint8_t>(MessageType::compound));
    writer.u8(static_cast<std::uint8_t>(sizes_.size()));
    for (const std::uint16_t size : sizes_)
      writer.u16(size);
  }
  writer.put(bytes_);
}

void seal_packet_to(Bytes& out, const Keyring& keyring, const PacketParts& parts, Rng& rng) {
  out.clear();
  if (parts.count() == 0) return;
  out.reserve(kSealOverhead + parts.plain_size());
  out.resize(kHeadBytes);
  parts.write_to(out);
  out.resize(out.size() + kTagBytes);
  if (!keyring.seal_in_place(out, 0, {}, rng)) out.clear();
}

Bytes pack(std::span<const Bytes> parts) {
  PacketParts taken;
  for (const Bytes& part : parts)
    taken.add(part);
  Bytes out;
  out.reserve(taken.plain_size());
  taken.write_to(out);
  return out;
}

Bytes seal_packet(const Keyring& keyring, ByteView plain, Rng& rng) {
  return keyring.seal(plain, {}, rng);
}

std::size_t packet_budget(std::size_t used) {
  constexpr std::size_t kPlainBudget = limits::kUdpBudget - kCompoundOverhead - kSealOverhead;
  return kPlainBudget - std::min(used, kPlainBudget);
}

Bytes add_crc(ByteView message) {
  if (message.empty()) return {};
  Bytes out;
  out.reserve(kCrcHeaderBytes + message.size());
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(MessageType::crc));
  writer.u32(crc32_of(message));
  writer.put(message);
  return out;
}

Bytes add_label(ByteView packet, std::string_view label) {
  if (label.empty() || label.size() > kLabelBytesMax) return {};
  Bytes out;
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(MessageType::label));
  writer.u8(static_cast<std::uint8_t>(label.size()));
  writer.put(as_bytes(label));
  writer.put(packet);
  return out;
}

}  // namespace wesher::wire
