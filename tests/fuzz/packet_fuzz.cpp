// Datagrams: the input as it comes from a stranger, and as the plaintext of one who has the key.
// Whatever was read is packed again; that must be sendable and give the same messages.
#include "wire/limits.h"
#include "wire/packet.h"
#include "wire_oracle.h"

namespace {

using namespace wesher;
using namespace wesher::wire;

void check(const OpenedPacket& packet) {
  fuzz::require(packet.messages.size() <= limits::kDatagramMessages);
  fuzz::require((packet.dropped == 0) == (packet.fault == PacketFault::none));
  fuzz::require(packet.authenticated || packet.messages.empty());
  std::vector<Bytes> parts;
  std::vector<PacketMessage> kept;
  for (const PacketMessage& message : packet.messages) {
    parts.push_back(encode(message));
    if (parts.back().empty() || parts.back().size() > 0xffff ||
        kept.size() == limits::kCompoundParts)
      continue;
    kept.push_back(message);
  }
  const Bytes plain = pack(parts);
  fuzz::require(plain.empty() == kept.empty());
  if (plain.empty()) return;
  fuzz::require_sendable(plain);
  const Bytes sealed = fuzz::ring().seal_with_nonce(plain, {}, fuzz::kNonce);
  if (sealed.size() > limits::kDatagramBytes) return;
  const OpenedPacket again = open_packet(fuzz::ring(), sealed);
  fuzz::require(again.messages == kept && again.fault == PacketFault::none);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check(open_packet(fuzz::ring(), input));
  check(open_packet(fuzz::ring(), input, "lab"));
  const Bytes sealed = fuzz::ring().seal_with_nonce(input, {}, fuzz::kNonce);
  fuzz::require(sealed.empty() == input.empty());
  const OpenedPacket packet = open_packet(fuzz::ring(), sealed);
  fuzz::require(input.empty() || sealed.size() > limits::kDatagramBytes || packet.authenticated);
  check(packet);
  // The version byte is not authenticated: the same plaintext as a padded one.
  if (sealed.empty()) return 0;
  Bytes padded = sealed;
  padded.front() = 0;
  check(open_packet(fuzz::ring(), padded));
  return 0;
}
