// Signed records. Two halves, by the first byte: metadata as somebody sends it, which must never be
// accepted unless our fixed signer made it; and a record built from the input, which must come back
// from its bytes, verify, and not verify any more with one bit changed or one byte cut off.
#include <algorithm>
#include <array>
#include <string_view>

#include <sodium.h>

#include "wire/limits.h"
#include "wire/node_meta.h"
#include "wire/signed_record.h"
#include "wire_oracle.h"

namespace {

using namespace wesher;
using namespace wesher::wire;

constexpr std::array<std::uint8_t, 4> kUnderlay = {192, 0, 2, 7};

const SigningKey& signer() {
  static const SigningKey key = [] {
    if (sodium_init() < 0) std::abort();
    std::array<std::uint8_t, kKeyBytes> seed{};
    for (std::size_t i = 0; i < seed.size(); ++i)
      seed[i] = static_cast<std::uint8_t>(i);
    return SigningKey(SecretKey(seed));
  }();
  return key;
}

RecordContext context() {
  return {"node1", kUnderlay, 7946};
}

/// The record only if its signature holds.
std::optional<SignedRecord> accepted(ByteView meta) {
  const auto raw = decode_node_meta(meta);
  if (!raw) return std::nullopt;
  const auto record = decode_trailer(meta, raw->gob_bytes);
  if (!record || !*record) return std::nullopt;
  if (!verify(**record, meta, raw->gob_bytes, context())) return std::nullopt;
  return **record;
}

/// Record and bytes are one to one, whatever `gob_bytes` is.
void check_decoding(ByteView meta, std::size_t gob_bytes) {
  const auto record = decode_trailer(meta, gob_bytes);
  if (!record) {
    fuzz::require(!record.error().detail.empty());
    return;
  }
  const ByteView trailer = meta.subspan(gob_bytes);
  if (!*record) {
    fuzz::require(trailer.empty() || trailer[0] != 'W' ||
                  (trailer.size() > 1 && trailer[1] != '2'));
    return;
  }
  const auto again = encode_record(**record);
  fuzz::require(again.has_value() && again->size() + kSignatureBytes == trailer.size() &&
                std::ranges::equal(*again, trailer.first(again->size())));
}

void check_foreign(ByteView meta) {
  if (meta.empty()) return;
  check_decoding(meta, 0);
  check_decoding(meta, meta[0]);
  const auto raw = decode_node_meta(meta);
  if (!raw) return;
  check_decoding(meta, raw->gob_bytes);
  const auto record = accepted(meta);
  if (!record) return;
  // Nobody but the signer makes one, and it makes only this one of the same values.
  fuzz::require(record->identity == signer().identity());
  const auto node = validate_node_meta(*raw);
  if (!node) return;
  const auto same = encode_signed(*node, *record, context(), signer());
  fuzz::require(same.has_value());
  if (same->size() == meta.size()) fuzz::require(std::ranges::equal(*same, meta));
}

SignedRecord record_from(ByteReader& in) {
  SignedRecord record;
  record.identity = signer().identity();
  record.flags = in.u8();
  record.epoch = in.u64();
  record.claim_time = wall_from_ms(static_cast<std::int64_t>(in.big_endian(6)));
  record.keys_through = in.u16();
  record.sends_with = in.u16();
  record.capabilities = in.u16();
  record.instance = in.u64();
  while (in.ok() && in.left() != 0) {
    const std::uint8_t type = in.u8();
    const ByteView value = in.take(std::min<std::size_t>(in.u8(), in.left()));
    record.extensions.push_back({type, Bytes(value.begin(), value.end())});
  }
  return record;
}

void check_own(ByteView input) {
  ByteReader in(input);
  const std::size_t where = in.u16();
  const auto format = static_cast<MetaFormat>(in.u8() % 3);
  const SignedRecord record = record_from(in);
  std::array<std::uint8_t, kKeyBytes> key{};
  key.fill(1);
  const NodeMeta node{IpAddress::v4(10, 1, 2, 3), PublicKey(key), format};
  const auto meta = encode_signed(node, record, context(), signer());
  if (!meta) {
    fuzz::require(!record.extensions.empty() || to_ms(record.claim_time) > 253402300799999);
    return;
  }
  fuzz::require(meta->size() <= limits::kMetaBytes);
  fuzz::require(accepted(*meta) == record);
  Bytes bad = *meta;
  bad[where / 8 % bad.size()] ^= static_cast<std::uint8_t>(1U << (where % 8));
  fuzz::require(!accepted(bad));
  fuzz::require(!accepted(ByteView(*meta).first(where % meta->size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (input.empty()) return 0;
  if (input[0] % 2 == 0) {
    check_foreign(input.subspan(1));
  } else {
    check_own(input.subspan(1));
  }
  return 0;
}
