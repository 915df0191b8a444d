// Stream frames: collected in pieces of the size that the first byte says, opened as they come, and
// again as the plaintext of one who has the key.
#include <algorithm>

#include "wire/limits.h"
#include "wire/stream.h"
#include "wire_oracle.h"

namespace {

using namespace wesher;
using namespace wesher::wire;

/// Feeds a stream piece by piece; the whole frame, or nothing.
Bytes collected(ByteView stream, std::size_t piece) {
  FrameReader reader(limits::kFrameBytesStranger);
  std::size_t fed = 0;
  while (fed < stream.size()) {
    const std::size_t count = std::min(piece, stream.size() - fed);
    if (!reader.feed(stream.subspan(fed, count))) return {};
    fed += count;
    fuzz::require(reader.buffered() <= fed);
    fuzz::require(reader.complete() || reader.missing() > 0);
  }
  return reader.complete() ? Bytes(reader.frame().begin(), reader.frame().end()) : Bytes{};
}

/// Whatever opens is sealed again, and opens to the same but for entries that are never sent.
void check(ByteView frame) {
  std::size_t bad = 0;
  auto message = open_frame(fuzz::ring(), frame, &bad);
  if (!message) return;
  if (auto* table = std::get_if<PushPull>(&*message))
    std::erase_if(table->entries, [](const auto& e) { return !sane_versions(e.versions); });
  Rng rng = Rng::from_number(1);
  const Bytes again = seal_frame(fuzz::ring(), encode_stream(*message), rng);
  const auto reopened = open_frame(fuzz::ring(), again);
  fuzz::require(reopened.has_value() && *reopened == *message && fuzz::harmless(*reopened));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64 + 1U;
  const ByteView input(data + 1, size - 1);
  const Bytes frame = collected(input, piece);
  fuzz::require(frame == collected(input, input.size() + 1));
  if (!frame.empty()) check(frame);
  Rng rng = Rng::from_number(1);
  const Bytes sealed = seal_frame(fuzz::ring(), input, rng);
  fuzz::require(sealed.empty() == input.empty());
  if (sealed.empty()) return 0;
  fuzz::require(collected(sealed, piece) == sealed);
  check(sealed);
  return 0;
}
