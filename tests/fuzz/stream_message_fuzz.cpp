// Plaintexts of stream frames: whatever decodes is written in one canonical form, which decodes to
// the same but for entries that must never be sent.
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  using namespace wesher::wire;
  std::size_t bad = 0;
  auto message = decode_stream({data, size}, &bad);
  if (!message) {
    fuzz::require(bad == 0);
    return 0;
  }
  if (auto* table = std::get_if<PushPull>(&*message)) {
    fuzz::require(table->entries.size() + bad <= limits::kMembers);
    fuzz::require(table->user_state.size() <= limits::kUserStateBytes);
    std::erase_if(table->entries,
                  [](const PushPullEntry& entry) { return !sane_versions(entry.versions); });
  }
  fuzz::require(fuzz::harmless(*message));
  const Bytes canonical = encode_stream(*message);
  fuzz::require(!canonical.empty());
  const auto again = decode_stream(canonical, &bad);
  fuzz::require(again.has_value() && *again == *message && bad == 0);
  fuzz::require(encode_stream(*again) == canonical);
  return 0;
}
