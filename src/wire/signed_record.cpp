#include "wire/signed_record.h"

#include <algorithm>
#include <array>

#include "wire/limits.h"
#include "wire/node_meta.h"

namespace wesher::wire {

namespace {

constexpr std::string_view kTrailerMagic = "W2";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kFixedBytes = 64;  // up to the extensions
constexpr std::size_t kClaimTimeBytes = 6;
constexpr std::size_t kExtensionValueMax = 255;
constexpr std::size_t kCertificateMin = 81;
constexpr std::size_t kCertificateMax = 99;
constexpr std::string_view kSignedStart{"wesher-node-v1\0", 15};

Result<void> check_time(std::uint64_t ms) {
  if (ms > static_cast<std::uint64_t>(kLatestMs)) {
    return fail(Errc::malformed, "a signed record with a claim time outside 1970 to 9999");
  }
  return {};
}

/// Known types: once each, with their length.
Result<void> check_extensions(const std::vector<RecordExtension>& extensions) {
  bool certificate = false;
  bool next_key = false;
  for (const auto& [type, value] : extensions) {
    bool* seen = nullptr;
    bool fits = true;
    if (type == record_extension::kCertificate) {
      seen = &certificate;
      fits = value.size() >= kCertificateMin && value.size() <= kCertificateMax;
    } else if (type == record_extension::kNextKey) {
      seen = &next_key;
      fits = value.size() == kKeyBytes;
    } else {
      continue;
    }
    const std::string named = "extension " + std::to_string(type);
    if (!fits)
      return fail(Errc::malformed, "a signed record whose " + named + " has no such length");
    if (*seen) return fail(Errc::malformed, "a signed record with " + named + " twice");
    *seen = true;
  }
  return {};
}

/// Up to and including the signature's place; the caller has checked magic and length.
Result<SignedRecord> read_record(ByteReader in) {
  SignedRecord out;
  out.flags = in.u8();
  std::array<std::uint8_t, kKeyBytes> identity{};
  std::ranges::copy(in.take(identity.size()), identity.begin());
  out.identity = IdentityKey(identity);
  out.epoch = in.u64();
  const std::uint64_t claim_ms = in.big_endian(kClaimTimeBytes);
  if (auto fits = check_time(claim_ms); !fits) return tl::unexpected(fits.error());
  out.claim_time = wall_from_ms(static_cast<std::int64_t>(claim_ms));
  out.keys_through = in.u16();
  out.sends_with = in.u16();
  out.capabilities = in.u16();
  out.instance = in.u64();
  while (in.ok() && in.left() != 0) {
    const std::uint8_t type = in.u8();
    const ByteView value = in.take(in.u8());
    if (in.ok()) out.extensions.push_back({type, Bytes(value.begin(), value.end())});
  }
  if (!in.ok()) return fail(Errc::malformed, "a signed record with an extension that is cut off");
  if (auto fits = check_extensions(out.extensions); !fits) return tl::unexpected(fits.error());
  return out;
}

bool can_have_record(const RecordContext& context) {
  const std::size_t underlay = context.underlay.size();
  return !context.name.empty() && context.name.size() <= limits::kNameBytes &&
         (underlay == 4 || underlay == 16);
}

/// What is signed; the context was checked, and both views are of metadata of at most 512 bytes.
Bytes signed_input(const RecordContext& context, ByteView gob, ByteView unsigned_trailer) {
  Bytes out;
  ByteWriter writer(out);
  writer.put(as_bytes(kSignedStart));
  writer.u16(static_cast<std::uint16_t>(context.name.size()));
  writer.put(as_bytes(context.name));
  writer.u8(static_cast<std::uint8_t>(context.underlay.size()));
  writer.put(context.underlay);
  writer.u16(context.gossip_port);
  writer.u16(static_cast<std::uint16_t>(gob.size()));
  writer.put(gob);
  writer.put(unsigned_trailer);
  return out;
}

}  // namespace

std::optional<ByteView> SignedRecord::extension(std::uint8_t type) const {
  const auto found = std::ranges::find(extensions, type, &RecordExtension::type);
  if (found == extensions.end()) return std::nullopt;
  return ByteView(found->value);
}

Result<Bytes> encode_record(const SignedRecord& record) {
  const auto claim_ms = static_cast<std::uint64_t>(to_ms(record.claim_time));
  if (auto fits = check_time(claim_ms); !fits) return tl::unexpected(fits.error());
  if (auto fits = check_extensions(record.extensions); !fits) return tl::unexpected(fits.error());
  Bytes out;
  ByteWriter writer(out);
  writer.put(as_bytes(kTrailerMagic));
  writer.u8(kVersion);
  writer.u8(record.flags);
  writer.put(record.identity.bytes());
  writer.u64(record.epoch);
  writer.big_endian(claim_ms, kClaimTimeBytes);
  writer.u16(record.keys_through);
  writer.u16(record.sends_with);
  writer.u16(record.capabilities);
  writer.u64(record.instance);
  for (const auto& [type, value] : record.extensions) {
    if (value.size() > kExtensionValueMax || out.size() + value.size() > limits::kMetaBytes) {
      return fail(Errc::too_large, "a signed record with too long extensions");
    }
    writer.u8(type);
    writer.u8(static_cast<std::uint8_t>(value.size()));
    writer.put(value);
  }
  return out;
}

Result<Bytes> encode_signed(const NodeMeta& meta,
                            const SignedRecord& record,
                            const RecordContext& context,
                            const SigningKey& key) {
  if (record.identity != key.identity()) {
    return fail(Errc::malformed, "a signed record of another identity than the key's");
  }
  if (!can_have_record(context)) {
    return fail(Errc::malformed, "a signed record of a name or an address that no member can have");
  }
  const auto trailer = encode_record(record);
  if (!trailer) return trailer;
  Bytes out = encode_node_meta(meta);
  if (out.empty()) return fail(Errc::malformed, "a signed record without a public key");
  if (out.size() + trailer->size() + kSignatureBytes > limits::kMetaBytes) {
    return fail(Errc::too_large, "a signed record that does not fit into metadata of 512 bytes");
  }
  const Signature signature = key.sign(signed_input(context, out, *trailer));
  ByteWriter writer(out);
  writer.put(*trailer);
  writer.put(signature);
  return out;
}

Result<std::optional<SignedRecord>> decode_trailer(ByteView meta, std::size_t gob_bytes) {
  if (meta.size() > limits::kMetaBytes) {
    return fail(Errc::too_large, "metadata is longer than the 512 bytes that Go nodes allow");
  }
  if (gob_bytes > meta.size())
    return fail(Errc::malformed, "a gob value behind its metadata's end");
  const ByteView trailer = meta.subspan(gob_bytes);
  const std::size_t compared = std::min(trailer.size(), kTrailerMagic.size());
  if (trailer.empty() || as_text(trailer.first(compared)) != kTrailerMagic.substr(0, compared)) {
    return std::nullopt;
  }
  ByteReader in(trailer);
  in.take(kTrailerMagic.size());
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kVersion) {
    return fail(Errc::unsupported, "a signed record of version " + std::to_string(version));
  }
  if (trailer.size() < kFixedBytes + kSignatureBytes) {
    return fail(Errc::malformed, "a signed record that is cut off");
  }
  auto record =
      read_record(ByteReader(trailer.first(trailer.size() - kSignatureBytes).subspan(in.offset())));
  if (!record) return tl::unexpected(record.error());
  return std::move(*record);
}

bool verify(const SignedRecord& record,
            ByteView meta,
            std::size_t gob_bytes,
            const RecordContext& context) {
  if (!can_have_record(context) || meta.size() > limits::kMetaBytes || gob_bytes > meta.size() ||
      meta.size() - gob_bytes < kFixedBytes + kSignatureBytes) {
    return false;
  }
  const ByteView trailer = meta.subspan(gob_bytes);
  Signature signature{};
  std::ranges::copy(trailer.last(kSignatureBytes), signature.begin());
  return wesher::verify(
      record.identity,
      signed_input(context, meta.first(gob_bytes), trailer.first(trailer.size() - kSignatureBytes)),
      signature);
}

}  // namespace wesher::wire
