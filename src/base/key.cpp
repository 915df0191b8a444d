#include "base/key.h"

#include <sodium.h>

namespace wesher {

std::string to_base64(ByteView bytes) {
  std::string out(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();  // the terminating zero that libsodium counts
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  Bytes out(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  if (sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return fail(Errc::malformed, "not standard base64");
  }
  out.resize(length);
  return out;
}

Result<PublicKey> PublicKey::from_bytes(ByteView bytes) {
  if (bytes.size() != kKeyBytes) {
    return fail(Errc::malformed, "a public key is 32 bytes, not " + std::to_string(bytes.size()));
  }
  PublicKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  if (key.is_zero()) return fail(Errc::malformed, "the all-zero public key");
  return key;
}

Result<PublicKey> PublicKey::parse(std::string_view base64) {
  const auto bytes = from_base64(base64);
  if (!bytes) return tl::unexpected(bytes.error());
  return from_bytes(*bytes);
}

std::string PublicKey::abbreviated() const {
  return base64().substr(0, 4) + "…";
}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    other.wipe();
  }
  return *this;
}

Result<SecretKey> SecretKey::from_bytes(ByteView bytes) {
  if (bytes.size() != kKeyBytes) {
    return fail(Errc::malformed, "is " + std::to_string(bytes.size()) + " bytes, must be 32");
  }
  SecretKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

Result<SecretKey> SecretKey::parse(std::string_view base64) {
  auto bytes = from_base64(base64);
  if (!bytes) return fail(Errc::malformed, "is not base64");
  auto key = from_bytes(*bytes);
  sodium_memzero(bytes->data(), bytes->size());
  return key;
}

bool SecretKey::is_zero() const {
  return sodium_is_zero(bytes_.data(), bytes_.size()) == 1;
}

bool SecretKey::same_as(const SecretKey& other) const {
  return sodium_memcmp(bytes_.data(), other.bytes_.data(), bytes_.size()) == 0;
}

void SecretKey::wipe() noexcept {
  sodium_memzero(bytes_.data(), bytes_.size());
}

SecretKey clamp_x25519(const SecretKey& random) {
  auto bytes = random.bytes();
  bytes[0] &= 248U;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 127U) | 64U);
  SecretKey key(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

PublicKey x25519_public(const SecretKey& private_key) {
  std::array<std::uint8_t, kKeyBytes> out{};
  crypto_scalarmult_curve25519_base(out.data(), private_key.bytes().data());
  return PublicKey(out);
}

std::string cluster_fingerprint(const SecretKey& cluster_key) {
  static constexpr std::string_view kDomain = "wesher cluster fingerprint v1";
  std::array<std::uint8_t, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), as_bytes(kDomain).data(), kDomain.size(),
                     cluster_key.bytes().data(), cluster_key.bytes().size());
  const std::string hex = to_hex(ByteView(hash).first(4));
  return hex.substr(0, 4) + "-" + hex.substr(4);
}

}  // namespace wesher
