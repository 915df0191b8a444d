// Messages of datagrams: whatever decodes is written in one canonical form, which decodes to the
// same; what has no encoding is only what must never be sent.
#include "wire/messages.h"
#include "wire_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher::wire;
  const auto message = decode({data, size});
  if (!message) return 0;
  const wesher::Bytes canonical = encode(*message);
  if (canonical.empty()) {
    const auto* alive = std::get_if<Alive>(&*message);
    fuzz::require(alive != nullptr && !sane_versions(alive->versions));
    return 0;
  }
  fuzz::require(fuzz::harmless(*message));
  const auto again = decode(canonical);
  fuzz::require(again.has_value() && *again == *message);
  fuzz::require(encode(*again) == canonical);
  fuzz::require(canonical.size() <= size + 256);
  return 0;
}
