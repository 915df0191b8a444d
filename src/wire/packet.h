// The layers of a datagram, outermost first: label, encryption, CRC, compression, compound. One
// call in, one call out. Pure.
//
//   [f4 len label] [version nonce(12) ciphertext tag(16)] [0c crc32(4)] [09 compress] [07 compound]
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/keyring.h"
#include "wire/messages.h"

namespace wesher::wire {

/// Why a datagram, or a part of one, gave no message. One byte: hostile datagrams must not make us
/// build strings.
enum class PacketFault : std::uint8_t {
  none,
  empty,
  too_large,
  label,  ///< a label is present, and we have none (or the other way round)
  undecryptable,
  crc,
  compression,
  compound,
  nesting,
  message,  ///< a message that could not be read
};

struct OpenedPacket {
  std::vector<PacketMessage> messages;    ///< in the order received
  PacketFault fault = PacketFault::none;  ///< of the last part that was dropped
  std::size_t dropped = 0;                ///< parts dropped
  bool authenticated = false;             ///< false: nothing below the encryption was looked at
};

/// What OpenedPacket is, as views into buffers that keep their room: for one datagram after the
/// other.
struct PacketViews {
  std::vector<PacketMessageView> messages;  ///< point into the buffers
  PacketFault fault = PacketFault::none;
  std::size_t dropped = 0;
  bool authenticated = false;

  Bytes plain;                  ///< under the encryption
  std::vector<Bytes> unpacked;  ///< compressed parts, and fields that were not in one piece
};

/// Opens every layer. `label` is our own (empty for wesher). The limits of limits.h hold; parts
/// that are damaged are dropped alone.
[[nodiscard]] OpenedPacket open_packet(const Keyring& keyring,
                                       ByteView datagram,
                                       std::string_view label = {});
/// The same without copies; `out` is what is here afterwards alone.
void view_packet(const Keyring& keyring,
                 ByteView datagram,
                 PacketViews& out,
                 std::string_view label = {});

/// The parts of a datagram that is being made. What a Go node could not read is left out: empty
/// parts, parts over 65535 bytes, parts after the 127th. Keeps its room when it is cleared.
class PacketParts {
 public:
  void clear();
  void add(ByteView part);
  void add(const PingView& ping);
  void add(const AckView& ack);

  [[nodiscard]] std::size_t count() const { return sizes_.size(); }

  /// Bytes of the plaintext that they make: one part bare, more as a compound.
  [[nodiscard]] std::size_t plain_size() const;

  /// Bytes of the parts, and a length of two bytes for each.
  [[nodiscard]] std::size_t charged() const { return bytes_.size() + 2 * sizes_.size(); }

  /// Appends the plaintext.
  void write_to(Bytes& out) const;

 private:
  void added(std::size_t before);

  Bytes bytes_;
  std::vector<std::uint16_t> sizes_;
};

/// Parts → datagram, as seal_packet makes it, in the room of `out`; empty when there are none.
void seal_packet_to(Bytes& out, const Keyring& keyring, const PacketParts& parts, Rng& rng);

/// Plaintext of a datagram: the one part bare, or a compound of 2 to 127 parts. What a Go node
/// could not read is left out: empty parts, parts over 65535 bytes, parts after the 127th. Empty
/// when nothing is left.
[[nodiscard]] Bytes pack(std::span<const Bytes> parts);

/// Plaintext → datagram as we send it: encryption version 1, no label, no CRC, no compression.
/// Empty when the plaintext or the ring is: then there is nothing to send.
[[nodiscard]] Bytes seal_packet(const Keyring& keyring, ByteView plain, Rng& rng);

/// Bytes that piggybacked parts may use beside a plaintext of `used` bytes: 1400 − 2 − 29 − used.
/// Each further part costs its length + 2. (memberlist gossip(), sendMsg())
[[nodiscard]] std::size_t packet_budget(std::size_t used);

// The single layers, for tests, the fuzzers and tools:

/// 0c ‖ crc32 ‖ message; empty for an empty message.
[[nodiscard]] Bytes add_crc(ByteView message);
/// 09 ‖ msgpack{Algo: 0, Buf: LZW}; empty for an empty message. Streams use it, our datagrams
/// don't.
[[nodiscard]] Bytes add_compression(ByteView message);
/// f4 ‖ len ‖ label ‖ packet. Label 1–255 bytes; empty for another length.
[[nodiscard]] Bytes add_label(ByteView packet, std::string_view label);

}  // namespace wesher::wire
