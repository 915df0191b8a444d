// Stream frames: 0a ‖ length(4) ‖ sealed bytes, authenticated with those five bytes. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/keyring.h"
#include "wire/messages.h"

namespace wesher::wire {

/// Collects one frame from a stream, whatever the pieces. Unauthenticated: it looks at nothing but
/// the five header bytes and grows with the bytes received, never by the length announced.
class FrameReader {
 public:
  /// `limit`: largest length field accepted (limits.h: 20 MiB from members, 8 MiB else).
  explicit FrameReader(std::size_t limit) : limit_(limit) {}

  /// Takes bytes from the stream; those behind the frame are ignored, each direction carries one.
  /// Errc::malformed: not an encrypted frame (a plaintext stream, a label, a length that no sealed
  /// message has); Errc::too_large: over the limit. After an error the stream is to be closed
  /// silently.
  [[nodiscard]] Result<void> feed(ByteView bytes);

  [[nodiscard]] bool header_complete() const { return buffer_.size() >= 5; }

  [[nodiscard]] bool complete() const;
  /// Bytes still missing; 5 − have before the header is complete.
  [[nodiscard]] std::size_t missing() const;

  [[nodiscard]] std::size_t buffered() const { return buffer_.size(); }

  /// The whole frame, header included; call when complete().
  [[nodiscard]] ByteView frame() const { return buffer_; }

 private:
  std::size_t limit_;
  Bytes buffer_;
};

/// Plaintext (from `encode_stream`) → frame. Empty, and nothing to send, when the plaintext or the
/// ring is, or when the frame would be over the 20 MiB that a Go node accepts.
[[nodiscard]] Bytes seal_frame(const Keyring& keyring, ByteView plain, Rng& rng);

/// The frame of a table, made and sealed in one buffer.
[[nodiscard]] Bytes seal_table(const Keyring& keyring, const PushPullView& table, Rng& rng);

/// The nonce of a sealed frame; empty if the frame is too short for one.
[[nodiscard]] ByteView frame_nonce(ByteView frame);

/// Frame → message, compression included.
[[nodiscard]] Result<StreamMessage> open_frame(const Keyring& keyring,
                                               ByteView frame,
                                               std::size_t* bad_entries = nullptr);
/// The same without copies of a table's entries: `plain` becomes what the views point to.
[[nodiscard]] Result<StreamMessageView> view_frame(const Keyring& keyring,
                                                   ByteView frame,
                                                   Bytes& plain,
                                                   std::size_t* bad_entries = nullptr);

}  // namespace wesher::wire
