// Stream frames; stream.h describes them. Source of the layout: memberlist net.go encryptLocalState
// and decryptRemoteState, v0.1.0 to v0.6.0.
#include "wire/stream.h"

#include <algorithm>
#include <utility>

#include "wire/limits.h"

namespace wesher::wire {

namespace {

constexpr std::size_t kHeaderBytes = 5;

/// The length field; the header is complete.
std::size_t announced(ByteView frame) {
  return ByteReader(frame.subspan(1, kHeaderBytes - 1)).u32();
}

/// Makes a frame of a plaintext that has room for header, version and nonce in front of it.
Bytes seal(const Keyring& keyring, Bytes out, Rng& rng) {
  const std::size_t length = out.size() - kHeaderBytes + kTagBytes;
  if (length > limits::kFrameBytesMember) return {};
  Bytes header;
  ByteWriter writer(header);
  writer.u8(static_cast<std::uint8_t>(MessageType::encrypt));
  writer.u32(static_cast<std::uint32_t>(length));
  std::copy(header.begin(), header.end(), out.begin());
  out.resize(out.size() + kTagBytes);
  return keyring.seal_in_place(out, kHeaderBytes, header, rng) ? std::move(out) : Bytes{};
}

/// The plaintext of a whole frame.
Result<Bytes> opened(const Keyring& keyring, ByteView frame) {
  if (frame.size() < kHeaderBytes ||
      frame.front() != static_cast<std::uint8_t>(MessageType::encrypt) ||
      announced(frame) != frame.size() - kHeaderBytes)
    return fail(Errc::malformed, "a stream frame whose header does not fit its content");
  return keyring.open(frame.subspan(kHeaderBytes), frame.first(kHeaderBytes));
}

}  // namespace

Result<void> FrameReader::feed(ByteView bytes) {
  while (!bytes.empty() && !complete()) {
    const ByteView piece = bytes.first(std::min(bytes.size(), missing()));
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
    if (buffer_.front() != static_cast<std::uint8_t>(MessageType::encrypt))
      return fail(Errc::malformed, "a stream does not start with an encrypted frame");
    if (!header_complete()) continue;
    if (announced(buffer_) > limit_)
      return fail(Errc::too_large, "a stream announces a larger frame than is accepted");
    if (announced(buffer_) <= kSealOverhead)
      return fail(Errc::malformed, "a stream announces a frame without content");
  }
  return {};
}

bool FrameReader::complete() const {
  return missing() == 0;
}

std::size_t FrameReader::missing() const {
  if (!header_complete()) return kHeaderBytes - buffer_.size();
  return kHeaderBytes + announced(buffer_) - buffer_.size();
}

Bytes seal_frame(const Keyring& keyring, ByteView plain, Rng& rng) {
  Bytes out;
  out.reserve(kHeaderBytes + kSealOverhead + plain.size());
  out.resize(kHeaderBytes + kHeadBytes);
  out.insert(out.end(), plain.begin(), plain.end());
  return seal(keyring, std::move(out), rng);
}

Bytes seal_table(const Keyring& keyring, const PushPullView& table, Rng& rng) {
  Bytes out(kHeaderBytes + kHeadBytes);
  encode_stream_to(out, table, kTagBytes);
  return seal(keyring, std::move(out), rng);
}

ByteView frame_nonce(ByteView frame) {
  if (frame.size() <= kHeaderBytes + kSealOverhead) return {};
  return frame.subspan(kHeaderBytes + 1, kNonceBytes);
}

Result<StreamMessage> open_frame(const Keyring& keyring, ByteView frame, std::size_t* bad_entries) {
  if (bad_entries != nullptr) *bad_entries = 0;
  const auto plain = opened(keyring, frame);
  if (!plain) return tl::unexpected(plain.error());
  return decode_stream(*plain, bad_entries);
}

Result<StreamMessageView> view_frame(const Keyring& keyring,
                                     ByteView frame,
                                     Bytes& plain,
                                     std::size_t* bad_entries) {
  if (bad_entries != nullptr) *bad_entries = 0;
  auto content = opened(keyring, frame);
  if (!content) return tl::unexpected(content.error());
  plain = std::move(*content);
  return view_stream(plain, bad_entries);
}

}  // namespace wesher::wire
