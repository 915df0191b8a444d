// Node metadata: what decodes does so without its trailer too; what is valid is written again and
// reads back the same.
#include "wire/node_meta.h"
#include "wire_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wesher;
  using namespace wesher::wire;
  const ByteView input(data, size);
  const auto raw = decode_node_meta(input);
  if (!raw) return 0;
  fuzz::require(raw->gob_bytes > 0 && raw->gob_bytes <= size);
  const auto bare = decode_node_meta(input.first(raw->gob_bytes));
  fuzz::require(bare.has_value() && bare->gob_bytes == raw->gob_bytes &&
                bare->address == raw->address && bare->mask == raw->mask &&
                bare->public_key == raw->public_key && bare->format == raw->format);
  fuzz::require(!decode_node_meta(input.first(raw->gob_bytes - 1)));
  const auto meta = validate_node_meta(*raw);
  if (!meta) return 0;
  fuzz::require(!meta->key.is_zero());
  const Bytes written = encode_node_meta(*meta);
  const auto again = decode_node_meta(written);
  fuzz::require(again.has_value() && again->gob_bytes == written.size());
  const auto same = validate_node_meta(*again);
  fuzz::require(same.has_value() && *same == *meta);
  return 0;
}
